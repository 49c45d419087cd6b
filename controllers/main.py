"""The door on Odoo's own port: HTTP in, HTTP out."""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse
from werkzeug.wsgi import ClosingIterator

from odoo import http
from odoo.http import Dispatcher, Response, request
from odoo.tools import config

from ..models.page_session import is_look
from ..models.registrar import Registrar
from .door import MOST_BYTES, PROXY_HEADERS, make_guard, not_whole, too_large
from .exchange import HttpRequest, HttpResponse
from .health import health
from .metrics import metrics
from .protocol import Protocol
from .rpc import AUTHENTICATION_REQUIRED, FORBIDDEN, RpcError
from .stream import EventStream
from .transport import respond

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
        if isinstance(exc, http.SessionExpiredException):
            expired = RpcError(AUTHENTICATION_REQUIRED, LOG_IN, status=401)
            return to_odoo(respond(None, expired))
        _logger.error("MCP route failed", exc_info=exc)
        code = getattr(exc, "code", None) or 500
        return to_odoo(respond(None, RpcError(-32603, "Internal error", status=code)))


def mcp_route(path: str, auth: str = "none"):
    """Route ``path`` to a method, whatever the HTTP method: the protocol decides."""
    return http.route(
        path,
        type="mcp",
        auth=auth,
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
        """Tell how the server does; without a key, without a write."""
        try:
            asked = read_request(request.httprequest)
            return to_odoo(health(self._environment, asked))
        except RpcError as fault:
            return to_odoo(respond(None, fault))

    @mcp_route("/mcp/v1/metrics")
    def metrics(self, **params):
        """Tell Prometheus what has been done; for a key, or this host."""
        return self._answer(metrics)

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

    @mcp_route("/mcp/v1/session", auth="user")
    def session(self, **params):
        """Answer one MCP request of Odoo's own web client, as who is logged in.

        A browser sends its session with whatever page asks for it, so only a page of
        this very origin is answered.
        """
        if is_look(request.session) or not is_own_page(request.httprequest):
            return to_odoo(respond(None, RpcError(FORBIDDEN, NOT_OURS, status=403)))
        headers = Headers(request.httprequest.headers)
        headers["User-Agent"] = WEB_CLIENT
        return self._answer(Protocol.handle, headers=headers, uid=request.env.uid)

    def _answer(self, how, **known) -> BaseResponse:
        """Answer a request, of which the door may know more than what was sent."""
        try:
            if not request.db:
                raise RpcError(-32603, NO_DATABASE, status=503)
            protocol = Protocol(
                Registrar(request.env.registry), make_guard(request.env)
            )
            close_cursor()
            asked = read_request(request.httprequest)
        except RpcError as fault:
            return to_odoo(respond(None, fault))
        return LateResponse(
            lambda stream: how(protocol, replace(asked, stream=stream, **known))
        )


class LateResponse(BaseResponse):
    """A response that is found out when Odoo has it sent: the call decides by then
    whether it is JSON or a stream, and runs in the thread of the request.

    :param answer: returns the response; it may have sent events before
    """

    def __init__(self, answer: Callable[[EventStream], HttpResponse]) -> None:
        super().__init__()
        self.answer = answer

    def __call__(self, environ, start_response):
        def start(headers: dict[str, str]) -> Callable[[bytes], object]:
            # PEP 3333: the write() that it returns is how a stream is pushed
            return start_response("200 OK", list({**self._own(), **headers}.items()))

        stream = EventStream(start, environ.get("werkzeug.socket"), "odoo")
        response = self.answer(stream)
        if not stream.opened:
            found = to_odoo(response)
            found.headers.extend(self._own())
            return found(environ, start_response)
        if response.payload is not None:
            stream.send(response.payload)
        stream.close()
        return ClosingIterator([], response.afterwards)

    def _own(self) -> dict[str, str]:
        """Return the headers that Odoo has added to this response."""
        about_content = ("content-type", "content-length")
        return {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in about_content
        }


LOG_IN = "Log in to Odoo: the session is over."
NOT_OURS = (
    "A session is for Odoo's own pages: other clients send a key to /mcp/v1. Behind a "
    "proxy Odoo knows its own pages with proxy_mode = True."
)
WEB_CLIENT = "Odoo web client"
"""What the audit log calls it."""

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


def is_own_page(httprequest) -> bool:
    """Tell whether a request comes from a page of Odoo's, or from no page at all.

    Fetch standard, Origin header: a page cannot leave it out of a POST, nor choose it.
    """
    origin = httprequest.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == httprequest.host


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
        query=httprequest.query_string.decode("latin-1"),
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
    if response.content_type is None:
        found.headers.pop("Content-Type", None)
    else:
        found.headers["Content-Type"] = response.content_type
    return found
