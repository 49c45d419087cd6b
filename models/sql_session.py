"""What a transaction of a call sets for itself, beside its time-outs."""

CHECK_SECONDS = 2


def ends_with_client(connection) -> str:
    """Return what a SELECT of settings adds, so that a statement ends whose process was
    killed, which PostgreSQL would otherwise notice at its end.

    https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL

    :param connection: to a PostgreSQL that may be too old for it (before 14)
    """
    if connection.server_version < 140000:
        return ""
    milliseconds = CHECK_SECONDS * 1000
    return f", set_config('client_connection_check_interval', '{milliseconds}', true)"
