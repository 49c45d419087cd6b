"""The settings of the server: system parameters with a type and a default.

One table says what exists, so that Settings, the toolsets and the README name
the same things; a value that cannot be read counts as the default.
"""

import logging

_logger = logging.getLogger(__name__)

PREFIX = "odoo_dev_mcp."

DEFAULTS = {
    # hosts and origins beside the loopback names, IP addresses and web.base.url,
    # separated by commas
    "allowed_hosts": "",
    "allowed_origins": "",
    # id of the user who acts for callers without a key, from loopback only; 0: nobody
    "anonymous_user_id": 0,
    "audit_file": "/var/log/odoo/mcp_audit.log",
    # days that closed audit entries are kept; 0: for ever
    "audit_retention": 365,
    # seconds, rows and bytes that one query may take and return
    "query_timeout": 30,
    "query_rows": 1000,
    "query_bytes": 1_000_000,
}


def parameter(env, name: str):
    """Return the value of the setting ``name``, of the type of its default.

    :param env: any environment; the value is read in sudo (ormcached)
    :raise KeyError: there is no such setting
    """
    default = DEFAULTS[name]
    value = env["ir.config_parameter"].sudo().get_param(PREFIX + name)
    if value is False or value is None:
        return default
    try:
        return type(default)(value)
    except ValueError:
        _logger.warning("%s%s: %r is no %s", PREFIX, name, value, type(default))
        return default
