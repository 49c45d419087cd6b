"""The settings of the server: system parameters with a type and a default.

One table says what exists, so that Settings, the toolsets and the README name
the same things; a value that cannot be read counts as the default.
"""

import logging
from collections.abc import Sequence

from .exceptions import ArgumentError

_logger = logging.getLogger(__name__)

PREFIX = "odoo_dev_mcp."

_addon_logger = logging.getLogger("odoo.addons.odoo_dev_mcp")

DEFAULTS = {
    # 1: whoever calls is refused, and what runs is stopped
    "suspended": 0,
    # of this addon's own lines in Odoo's log: debug, info, warning or error; empty: as
    # Odoo's log_level and log_handler say
    "log_level": "",
    # the dedicated listener: 1 or 0, and where it listens
    "listener_enabled": 1,
    "listener_host": "127.0.0.1",
    "listener_port": 8768,
    # the registry that is told where this server is; none: nobody. What its calls are
    # signed with; none: not at all. Seconds between two heartbeats
    "phone_home_url": "",
    "phone_home_secret": "",
    "phone_home_seconds": 60,
    # hosts and origins beside the loopback names, IP addresses and web.base.url,
    # separated by commas
    "allowed_hosts": "",
    "allowed_origins": "",
    # id of the user who acts for callers without a key, from loopback only; 0: nobody
    "anonymous_user_id": 0,
    # 1: a line in the file for each entry of the audit log; 0: the records alone
    "audit_file_enabled": 1,
    "audit_file": "/var/log/odoo/mcp_audit.log",
    # days that closed audit entries are kept; 0: for ever
    "audit_retention": 365,
    # seconds that a command or code may take, if it asks for none and at most; bytes
    # of each output stream that are told
    "command_timeout": 30,
    "command_maximum": 600,
    "command_output": 50_000,
    # seconds that a client waits for a command, code, an installation or an upgrade
    # before it goes on as a job; jobs that run at once; characters of its output and
    # days that a job is kept (0: for ever)
    "handover_seconds": 50,
    "job_most": 20,
    "job_output": 10_000_000,
    "job_retention": 30,
    # folders that the file tools may reach, separated by commas; none: all but
    # /proc, /dev and /sys. Megabytes that are read at once, and that a file may have
    # when it is written
    "path_roots": "",
    "read_megabytes": 10,
    "write_megabytes": 50,
    # what service_status looks after, separated by commas: name, or name=systemd unit
    "services": "odoo, postgresql, nginx",
    # seconds, rows and bytes that one query may take and return
    "query_timeout": 30,
    "query_rows": 1000,
    "query_bytes": 1_000_000,
    # the PostgreSQL role that queries read as, made in Settings; none: Odoo's own. Its
    # password; without a role: that of one that is still to be made
    "reader_role": "",
    "reader_password": "",
}


def parameter(env, name: str):
    """Return the value of the setting ``name``, of the type of its default.

    :param env: any environment; the value is read in sudo (ormcached)
    :raise KeyError: there is no such setting
    """
    return settings(env)[name]


def settings(env) -> dict:
    """Return all settings by name, for who wants several of them."""
    return env["ir.config_parameter"]._mcp_settings()


def committed(cr, names: Sequence[str]) -> dict:
    """Return settings as they are committed now, read in plain SQL.

    For who has a cursor and no environment.
    """
    cr.execute(
        "SELECT key, value FROM ir_config_parameter WHERE key IN %s",
        [tuple(PREFIX + name for name in names)],
    )
    found = typed(dict(cr.fetchall()))
    return {name: found[name] for name in names}


def typed(found: dict[str, str]) -> dict:
    """Return all settings by name; what is none of its type is the default.

    :param found: values of system parameters by their key
    """
    values = {}
    for name, default in DEFAULTS.items():
        text = found.get(PREFIX + name)
        try:
            values[name] = default if text is None else type(default)(text)
        except ValueError:
            _logger.warning("%s%s: %r is no %s", PREFIX, name, text, type(default))
            values[name] = default
    return values


def is_installed(cr) -> bool:
    """Tell whether the database has the addon: uninstalled, its Python still runs."""
    cr.execute(
        "SELECT FROM ir_module_module WHERE name = 'odoo_dev_mcp' "
        "AND state IN ('installed', 'to upgrade')"
    )
    return bool(cr.rowcount)


def apply_log_level(known: dict) -> None:
    """Give this addon's loggers the level of the settings, in this process."""
    level = known["log_level"].upper()
    known = level in ("DEBUG", "INFO", "WARNING", "ERROR")
    wanted = getattr(logging, level) if known else logging.NOTSET
    if _addon_logger.level != wanted:
        _addon_logger.setLevel(wanted)


def asked_time(env, timeout: int | None) -> int:
    """Return the seconds that a command or code may take.

    :param timeout: as the client asks for it; None: the default
    :raise ArgumentError: it is more than the settings allow
    """
    most = parameter(env, "command_maximum")
    if timeout and timeout > most:
        raise ArgumentError(
            f"Argument 'timeout': expected at most {most} s, got {timeout}."
        )
    return timeout or min(most, parameter(env, "command_timeout"))


def time_left(env, seconds: float) -> float:
    """Return ``seconds``, or what the call under way may take if that is less."""
    call = env.context.get("mcp_call")
    return min(seconds, call.timeout) if call and call.timeout else seconds


def let_go(env) -> None:
    """End the transaction of the call under way, which has changed nothing.

    Another process is about to work in the database: it must not wait for a lock that
    is held by who waits for it.
    """
    if env.context.get("mcp_call"):
        env.cr.commit()  # pylint: disable=invalid-commit


def parts(text: str) -> list[str]:
    """Return the parts of a setting that are separated by commas.

    >>> parts(" a, b ,")
    ['a', 'b']
    """
    return [part.strip() for part in text.split(",") if part.strip()]
