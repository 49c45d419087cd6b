"""What a registry is told of this server, as 1.0 told it."""

import socket
from datetime import datetime, timezone
from typing import NamedTuple

import psutil

from odoo import release
from odoo.tools import config

from ..version import VERSION
from . import odoo_process
from .guardrails import guardrails
from .mcp_feature_mixin import DIRECT_CALL
from .parameters import committed

ELSEWHERE = ("192.0.2.1", 9)
"""RFC 5737: an address of nobody's. Nothing is sent there."""


class Offered(NamedTuple):
    """A tool, as the guardrails judge it."""

    name: str
    read_only: bool
    method: str | None


def started_at() -> str:
    """Return when this server was started or restarted, in UTC (RFC 3339)."""
    moment = datetime.fromtimestamp(odoo_process.python_since(), timezone.utc)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def payload(cr) -> dict:
    """Return what is sent, with just these members."""
    hostname = socket.gethostname()
    cr.execute("SELECT current_database()")
    database = cr.fetchone()[0]
    return {
        "server_id": f"{database}_{hostname}",
        "hostname": hostname,
        "ip_addresses": ip_addresses(),
        "port": _port(cr),
        "transport": "http/sse",
        "version": VERSION,
        "odoo_version": release.version,
        "database": database,
        "capabilities": _capabilities(cr),
        "started_at": started_at(),
    }


def ip_addresses() -> dict:
    """Return this machine's addresses: ``all``, and the ``primary`` one.

    Primary is the one from which it would call the world.
    """
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
        and not address.address.startswith(("127.", "fe80:"))
        and address.address != "::1"
    ]
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ELSEWHERE)
            primary = probe.getsockname()[0]
    except OSError:  # no way out
        primary = found[0] if found else "127.0.0.1"
    others = sorted(set(found) - {primary})
    return {"primary": primary, "all": [primary, *others]}


def _port(cr) -> int:
    """Return where clients find MCP: the listener's port, or Odoo's own."""
    settings = committed(cr, ("listener_enabled", "listener_port"))
    enabled = settings["listener_enabled"]
    return settings["listener_port"] if enabled else config["http_port"]


def _capabilities(cr) -> list[str]:
    """Return the names of the tools that this server has, in order."""
    cr.execute(
        "SELECT t.name, t.read_only_hint, a.code FROM mcp_tool t "
        "JOIN mcp_toolset s ON s.id = t.toolset_id "
        "JOIN ir_act_server a ON a.id = t.server_action_id "
        'WHERE t.active AND s.active ORDER BY t.name COLLATE "C"'
    )
    rails = guardrails()
    found = []
    for name, read_only, code in cr.fetchall():
        match = DIRECT_CALL.fullmatch(code or "")
        if rails.permits(Offered(name, bool(read_only), match and match[1])):
            found.append(name)
    return found
