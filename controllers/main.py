"""The door on Odoo's own port: HTTP in, HTTP out."""

import contextlib
import logging
import time

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from odoo import http
from odoo.http import Dispatcher, Response, request
from odoo.tools import config

from ..models.registrar import Registrar
from .door import (
    MOST_BYTES,
    PROXY_HEADERS,
    health,
    make_guard,
    not_whole,
    too_large,
)
from .exchange import HttpRequest, HttpResponse
from .protocol import Protocol, respond
from .rpc import RpcError

_logger = logging.getLogger(__name__)


class McpDispatcher(Dispatcher):
    """Hands a request to its route as it came, and its answer out as it is.

    Odoo's own dispatchers parse the body, ask for CSRF tokens, or answer errors with
    a page; here even an error that is Odoo's is JSON.
    """

    routing_type = "mcp"

    @classmethod
    def is_compatible_with(cls, request) -> bool:
        return True

    def dispatch(self, endpoint, args):
        self.request.params = args
        return endpoint(**args)

    def handle_error(self, exc: Exception):
        _logger.error("MCP route failed", exc_info=exc)
        code = getattr(exc, "code", None) or 500
        return to_odoo(respond(None, RpcError(-32603, "Internal error", status=code)))


def mcp_route(path: str):
    """Route ``path`` to a method, whatever the HTTP method: the protocol decides."""
    return http.route(
        path,
        type="mcp",
        auth="none",
        readonly=False,
        save_session=False,
        # more than is taken: a client that is still sending does not get to an answer
        max_content_length=4 * MOST_BYTES,
    )


class McpController(http.Controller):
    @mcp_route("/mcp/v1")
    def mcp(self, **params):
        """Answer one MCP request."""
        return self._answer(Protocol.handle)

    @mcp_route("/mcp/v1/health")
    def health(self, **params):
        """Tell whether the database answers; without a key, without a write."""
        return to_odoo(health(self._environment))

    @staticmethod
    @contextlib.contextmanager
    def _environment():
        if not request.db:
            raise LookupError(NO_DATABASE)
        try:
            yield request.env
        finally:
            close_cursor()

    @mcp_route("/mcp/v1/capabilities")
    def capabilities(self, **params):
        """Tell the names of the caller's tools and resources, as 1.0 did."""
        return self._answer(Protocol.capabilities)

    def _answer(self, how) -> Response:
        try:
            if not request.db:
                raise RpcError(-32603, NO_DATABASE, status=503)
            protocol = Protocol(
                Registrar(request.env.registry), make_guard(request.env)
            )
            close_cursor()
            return to_odoo(how(protocol, read_request(request.httprequest)))
        except RpcError as fault:
            return to_odoo(respond(None, fault))


NO_DATABASE = (
    "No database: name one with db_name or dbfilter in the server's configuration."
)


def close_cursor() -> None:
    """Give Odoo's transaction back before a call has its own.

    Odoo retries a request whose transaction fails; with none left there is nothing
    to retry, and a tool runs at most once.
    """
    if request.db:
        with contextlib.suppress(Exception):
            request.env.cr.close()


def read_request(httprequest) -> HttpRequest:
    """Return the request as the protocol wants it.

    :raise RpcError: 413, the body is too large; 400, it is not whole
    """
    try:
        body = httprequest.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise too_large() from error
    except (BadRequest, OSError) as error:
        raise not_whole() from error
    if len(body) > MOST_BYTES:
        raise too_large()
    # past limit_time_real Odoo ends the worker, or reloads the whole server
    limit = config["limit_time_real"]
    return HttpRequest(
        method=httprequest.method,
        headers=httprequest.headers,
        body=body,
        address=httprequest.remote_addr,
        forwarded=bool(PROXY_HEADERS.intersection(httprequest.headers.keys())),
        deadline=time.monotonic() + max(1, limit - 10) if limit > 0 else None,
    )


def to_odoo(response: HttpResponse) -> Response:
    """Return the response as Odoo sends it."""
    found = Response(
        response.body(),
        status=response.status,
        headers={"Cache-Control": "no-store", **response.headers},
    )
    for act in response.afterwards:
        found.call_on_close(act)
    if response.payload is None:
        found.headers.pop("Content-Type", None)
    else:
        found.headers["Content-Type"] = "application/json"
    return found
