"""What both doors do alike, whatever brings the bytes to them."""

from .guard import Guard
from .rpc import RpcError

MOST_BYTES = 16 * 1024 * 1024
"""The largest body that is taken."""

PROXY_HEADERS = frozenset(
    {
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Real-Ip",
    }
)
"""One of them is enough to tell that a proxy passed the request on."""


def make_guard(env) -> Guard:
    """Return the guard of this database, from what this process remembers."""
    return Guard(*env["ir.config_parameter"]._mcp_known())


def too_large() -> RpcError:
    """Return the error for a body over :data:`MOST_BYTES`. RFC 9110 section 15.5.14."""
    megabytes = MOST_BYTES // (1024 * 1024)
    return RpcError(
        -32600, f"Request too large: at most {megabytes} MiB, in one body.", status=413
    )


def not_whole() -> RpcError:
    """Return the error for a body that ends early, or whose chunks are none."""
    return RpcError(-32700, "Parse error: the body did not arrive whole.", status=400)
