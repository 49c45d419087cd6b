"""What a transaction of a call sets for itself, beside its time-outs."""

CHECK = "client_connection_check_interval"
"""So often PostgreSQL, from 14 on, looks whether the process that waits for a statement
still lives; else it would notice at the statement's end that it was killed.
https://www.postgresql.org/docs/current/runtime-config-connection.html
"""

MILLISECONDS = 2000


def ends_with_client(connection) -> str:
    """Return what a SELECT of settings adds: a statement ends with its client."""
    if connection.server_version < 140000:
        return ""
    return f", set_config('{CHECK}', '{MILLISECONDS}', true)"


def end_with_client(cr) -> None:
    """Have the statements of the transaction of ``cr`` end with this process."""
    if cr.connection.server_version >= 140000:
        cr.execute("SELECT set_config(%s, %s, true)", [CHECK, str(MILLISECONDS)])
