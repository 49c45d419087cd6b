"""What is looked at before the key: who the request pretends to talk to, and whether
anybody is let in at all.

A web page can make a browser send requests to servers on the user's own machine, and
by DNS rebinding make them look as if they went to the page's own site. So a request
must name a host that is known to be this server, and a browser's one an origin that
may use it.
https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
"""

import functools
import ipaddress
import re
from collections.abc import Collection

from ..models.exceptions import Suspended
from .exchange import HttpRequest
from .rpc import FORBIDDEN, RpcError

CORS_HEADERS = (
    "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, "
    "Mcp-Method, Mcp-Name, Last-Event-ID, X-MCP-Toolsets, X-MCP-Tools, "
    "X-MCP-Readonly, *"
)
"""The star is for Mcp-Param-…; it stands for all but Authorization. Fetch standard,
CORS-preflight fetch."""

AUTHORITY = r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]*)?"
HOST = re.compile(AUTHORITY, re.I)
"""RFC 9110 section 7.2: host and port, and neither a user before nor a path behind it,
which somebody else may take for the host."""

ORIGIN = re.compile(f"https?://({AUTHORITY})", re.I)
"""RFC 6454 section 7."""

EXPOSED_HEADERS = "WWW-Authenticate, Retry-After, Mcp-Session-Id"


class Guard:
    """Knows the hosts and origins that may use this server.

    :param hosts: host names beside loopback names and IP addresses, without port
    :param origins: origins beside those of the hosts, e.g. ``https://chat.example.com``
    :param suspended: an administrator has suspended all access
    """

    def __init__(
        self, hosts: Collection[str], origins: Collection[str], suspended: bool = False
    ) -> None:
        self.hosts = {host.lower() for host in hosts}
        self.origins = {origin.lower().rstrip("/") for origin in origins}
        self.suspended = suspended

    def check(self, request: HttpRequest) -> None:
        """Refuse a request for another host, or from an origin that is not known.

        :raise RpcError: HTTP 403, with the setting that would let it in
        """
        host = request.headers.get("Host", "")
        if not self._is_ours(_hostname(host)):
            raise RpcError(
                FORBIDDEN,
                f"Host {host[:100]!r} is not known here. An administrator can add it "
                "to the system parameter odoo_dev_mcp.allowed_hosts.",
                status=403,
            )
        # RFC 9110 section 5.3: what is sent twice is one value with a comma
        origin = ", ".join(request.headers.getlist("Origin"))
        if "Origin" in request.headers and not self._may_use(origin, host):
            raise RpcError(
                FORBIDDEN,
                f"Origin {origin[:100]!r} may not use this server. An administrator "
                "can add it to the system parameter odoo_dev_mcp.allowed_origins.",
                status=403,
            )

    def check_open(self, request: HttpRequest) -> None:
        """Refuse whoever calls while all access is suspended.

        A browser's page that asks whether it may call is told so: else it could not
        read why it is refused.

        :raise Suspended: HTTP 503
        """
        if self.suspended and request.method != "OPTIONS":
            raise Suspended

    def _is_ours(self, name: str | None) -> bool:
        """Tell whether a host name is this server's.

        An IP address needs no list: rebinding takes a name.
        """
        return bool(name) and (
            name in self.hosts or _is_loopback_name(name) or _is_address(name)
        )

    def _may_use(self, origin: str, host: str) -> bool:
        """Tell whether a page of ``origin`` may use this server.

        Its own pages, loopback's where the server is on loopback too, and those
        that the administrator has named.
        """
        if origin.lower().rstrip("/") in self.origins:
            return True
        found = ORIGIN.fullmatch(origin)
        if not found:
            return False
        if found[1].lower() == host.lower():
            return True
        return _is_loopback_name(_hostname(found[1])) and _is_loopback_name(
            _hostname(host)
        )


def cors(request: HttpRequest) -> dict[str, str]:
    """Return the headers that let a browser's page read the answer.

    Wants a request that :meth:`Guard.check` has let through.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": CORS_HEADERS,
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        "Vary": "Origin",
    }


def _hostname(authority: str) -> str | None:
    """Return the host of ``host:port``; None: it is not of that form."""
    found = HOST.fullmatch(authority)
    return found and found[1].strip("[]").lower()


@functools.lru_cache(32)
def _is_loopback_name(name: str | None) -> bool:
    if name is None:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
