"""MCP over HTTP: what a request must be like, who sends it, how a fault is answered.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
"""

import functools
import logging
import time
from http import HTTPStatus

import psycopg2
from psycopg2.pool import PoolError
from werkzeug.http import parse_accept_header, parse_options_header

from ..models.caller import Credentials
from ..models.exceptions import NotAllowed, NotAuthenticated, Suspended
from . import rpc
from .exchange import HttpRequest, HttpResponse
from .narrowing import narrowings
from .revision import VERSION_HEADER

_logger = logging.getLogger(__name__)

NO_DATABASE = (psycopg2.OperationalError, psycopg2.InterfaceError, PoolError)
"""What is raised when PostgreSQL is restarted, or has no connection left: before a call
is let in, for of one that runs the audit tells the end."""

RETRY_SECONDS = 2

REMEMBERED = 32
"""Headers of that many kinds of clients are parsed once, and not with each request."""


def check_http(request: HttpRequest) -> None:
    """Refuse what is no JSON by POST.

    :raise RpcError: 405, 406 or 415
    """
    from mcp_types.jsonrpc import INVALID_REQUEST

    if request.method != "POST":
        raise rpc.RpcError(
            INVALID_REQUEST,
            "MCP is spoken by POST; there is no stream to open here.",
            status=405,
            headers={"Allow": "POST, OPTIONS"},
        )
    if _media_type(request.headers.get("Content-Type", "")) != "application/json":
        raise rpc.RpcError(
            INVALID_REQUEST, "Send 'Content-Type: application/json'.", status=415
        )
    accept = _accepted(request.headers.get("Accept", ""))
    if accept and not accept & {"application/json", "application/*", "*/*"}:
        raise rpc.RpcError(
            INVALID_REQUEST,
            "Send 'Accept: application/json, text/event-stream'.",
            status=406,
        )


@functools.lru_cache(REMEMBERED)
def _media_type(content_type: str) -> str:
    kind, _options = parse_options_header(content_type)
    return kind.lower()


@functools.lru_cache(REMEMBERED)
def _accepted(accept: str) -> frozenset[str]:
    found = parse_accept_header(accept)
    return frozenset(kind for kind, quality in found if quality > 0)


def may_stay(request: HttpRequest) -> bool:
    """Tell whether this is a GET for a stream, at a door that has them.

    Revision 2026-07-28 knows no GET any more.
    """
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

    if request.method != "GET" or request.hub is None:
        return False
    revision = request.headers.get(VERSION_HEADER)
    legacy = revision is None or revision in HANDSHAKE_PROTOCOL_VERSIONS
    return legacy and takes_stream(request)


def takes_stream(request: HttpRequest) -> bool:
    """Tell whether the client takes a stream of events for an answer."""
    return "text/event-stream" in _accepted(request.headers.get("Accept", ""))


def time_left(request: HttpRequest) -> float | None:
    """Return the seconds until the door must have answered, at least one.

    The messages of a batch share them.
    """
    if request.deadline is None:
        return None
    return max(1.0, request.deadline - time.monotonic())


def credentials(request: HttpRequest) -> Credentials:
    """Return what the request says of its sender. RFC 6750 section 2.1.

    A key is taken from the header alone: a URL ends in logs and histories.
    """
    # sent twice it is no key: whoever looked at it before may have taken the other one
    header = ", ".join(request.headers.getlist("Authorization"))
    if "Authorization" not in request.headers:
        header = None
    scheme, _, key = (header or "").partition(" ")
    if header is not None and scheme.lower() != "bearer":
        key = ""
    return Credentials(
        key=None if header is None else key.strip(),
        address=request.address,
        forwarded=request.forwarded,
        narrowings=narrowings(request),
        uid=request.uid,
    )


def as_fault(error: Exception) -> rpc.RpcError:
    """Return the error that a client is told when ``error`` ended its request.

    What we did not foresee is for the log alone.
    """
    from mcp_types.jsonrpc import INTERNAL_ERROR

    if isinstance(error, rpc.RpcError):
        return error
    if isinstance(error, NotAuthenticated):
        return rpc.RpcError(
            rpc.AUTHENTICATION_REQUIRED,
            str(error),
            status=HTTPStatus.UNAUTHORIZED,
            # RFC 6750 section 3
            headers={"WWW-Authenticate": 'Bearer realm="odoo", error="invalid_token"'},
        )
    if isinstance(error, NotAllowed):
        return rpc.RpcError(rpc.FORBIDDEN, str(error), status=HTTPStatus.FORBIDDEN)
    if isinstance(error, Suspended):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return rpc.RpcError(rpc.SUSPENDED, str(error), status=status)
    if isinstance(error, NO_DATABASE):
        _logger.warning("MCP request refused: %s", error)
        return rpc.RpcError(
            INTERNAL_ERROR,
            "The database does not answer, or takes no more connections. Nothing was "
            "done: try again in a moment.",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    _logger.error("MCP request failed", exc_info=error)
    return rpc.RpcError(INTERNAL_ERROR, "Internal error", status=500)


def respond(request_id, fault: rpc.RpcError, *, modern: bool = False) -> HttpResponse:
    """Return an error response.

    From 2026-07-28 on an error has an HTTP status of its own; before, the status is
    about the transport, and an error of a method is a successful exchange.
    """
    from mcp_types.jsonrpc import INTERNAL_ERROR, METHOD_NOT_FOUND

    status = fault.status
    if status is None:
        codes = {METHOD_NOT_FOUND: 404, INTERNAL_ERROR: 200}
        status = codes.get(fault.code, 400) if modern else 200
    return HttpResponse(status, rpc.error(request_id, fault), fault.headers)
