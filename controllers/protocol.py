"""The protocol core that both doors call: an HTTP request in, a response out.

Knows MCP, not Odoo: what it needs of records it asks the registrar.
"""

import logging
import time
from http import HTTPStatus

from werkzeug.http import parse_accept_header, parse_options_header

from ..models.caller import Credentials
from ..models.exceptions import NotAllowed, NotAuthenticated
from ..models.registrar import Registrar
from . import rpc
from .exchange import HttpRequest, HttpResponse
from .guard import Guard, cors
from .methods import LIVES, METHODS, SERVER_INFO, Context, retry_after
from .revision import (
    VERSION_HEADER,
    assumed,
    check_supported,
    is_modern,
    open_envelope,
)

_logger = logging.getLogger(__name__)

MOST_MESSAGES = 50
"""Messages in one batch."""


class Protocol:
    """Answers requests for one database.

    :param guard: which hosts and origins may use the server
    """

    def __init__(self, registrar: Registrar, guard: Guard) -> None:
        self.registrar = registrar
        self.guard = guard

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; nothing but an answer comes out of here."""
        return self._guarded(request, self._answer)

    def capabilities(self, request: HttpRequest) -> HttpResponse:
        """Tell the names of the caller's tools and resources, as 1.0 did."""
        return self._guarded(request, self._tell_capabilities)

    def _guarded(self, request: HttpRequest, answer) -> HttpResponse:
        try:
            self.guard.check(request)
        except rpc.RpcError as fault:
            return respond(None, fault)
        try:
            response = answer(request)
        except Exception as error:
            response = respond(None, as_fault(error))
        response.headers.update(cors(request))
        return response

    def _tell_capabilities(self, request: HttpRequest) -> HttpResponse:
        tools = self.registrar.offered(credentials(request), "mcp.tool")
        resources = self.registrar.offered(credentials(request), "mcp.resource")
        return HttpResponse(
            HTTPStatus.OK,
            {
                "version": SERVER_INFO["version"],
                "transport": "http/sse",
                "tools": [tool["name"] for tool in tools],
                "resources": [
                    row.get("uri") or row["uriTemplate"] for row in resources
                ],
            },
        )

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(HTTPStatus.NO_CONTENT, headers={"Allow": "POST"})
        check_http(request)
        message = None
        try:
            message = rpc.parse(request.body)
            if isinstance(message, list):
                check_batch(request, message)
            elif not rpc.is_response(message):
                rpc.check_envelope(message)
        except rpc.RpcError as fault:
            # whoever has no key learns nothing but that
            self.registrar.authenticate(credentials(request))
            return respond(rpc.id_of(message), fault)
        if isinstance(message, list):
            return self._answer_batch(request, message)
        return self._answer_message(request, message)

    def _answer_batch(self, request: HttpRequest, messages: list) -> HttpResponse:
        """Answer each request of a batch, in order. JSON-RPC 2.0 section 6."""
        self.registrar.authenticate(credentials(request))
        answers = [self._answer_message(request, message) for message in messages]
        payload = [answer.payload for answer in answers if answer.payload is not None]
        if not payload:
            return HttpResponse(HTTPStatus.ACCEPTED)
        afterwards = tuple(act for answer in answers for act in answer.afterwards)
        return HttpResponse(HTTPStatus.OK, payload, afterwards=afterwards)

    def _answer_message(self, request: HttpRequest, message) -> HttpResponse:
        if not rpc.is_request(message):
            return self._take_note(request, message)
        try:
            envelope = open_envelope(request.headers, message)
            validate(message["method"], envelope.revision, message.get("params"))
        except rpc.RpcError as fault:
            self.registrar.authenticate(credentials(request))
            return self._fail(request, message, fault)
        try:
            return self._answer_request(request, message, envelope)
        except Exception as error:
            return self._fail(request, message, as_fault(error))

    def _fail(self, request: HttpRequest, message, fault) -> HttpResponse:
        modern = is_modern(request.headers, message)
        return respond(message["id"], fault, modern=modern)

    def _take_note(self, request: HttpRequest, message) -> HttpResponse:
        """Acknowledge a notification, or a response to a request of ours.

        Nothing is kept between requests, so there is nothing to do with it.
        """
        self.registrar.authenticate(credentials(request))
        if is_modern(request.headers, message):
            try:
                check_supported(request.headers.get(VERSION_HEADER))
            except rpc.RpcError as fault:
                return respond(None, fault)
        return HttpResponse(HTTPStatus.ACCEPTED)

    def _answer_request(self, request, message, envelope) -> HttpResponse:
        method, params = message["method"], message.get("params")
        context = Context(
            registrar=self.registrar,
            credentials=credentials(request),
            envelope=envelope,
            request_id=message["id"],
            user_agent=request.headers.get("User-Agent", ""),
            budget=time_left(request),
        )
        headers, afterwards = {}, ()
        if method in LIVES:
            value, outcome = LIVES[method](context, params)
            headers, afterwards = retry_after(outcome), outcome.afterwards
        else:
            value = METHODS[method](context, params or {})
        payload = rpc.result(message["id"], _complete(value, method, envelope))
        return HttpResponse(HTTPStatus.OK, payload, headers, afterwards)


def time_left(request: HttpRequest) -> float | None:
    """Return the seconds until the door must have answered, at least one.

    The messages of a batch share them.
    """
    if request.deadline is None:
        return None
    return max(1.0, request.deadline - time.monotonic())


def _complete(value: dict, method: str, envelope) -> dict:
    """Return a result as the revision wants it.

    From 2026-07-28 on each says its type and who answers, and lists how long they
    keep: not at all, for a tool that is switched off is gone at once.
    """
    from mcp_types.methods import CACHEABLE_METHODS

    if not envelope.modern:
        return value
    value = {"resultType": "complete", **value}
    value["_meta"] = {"io.modelcontextprotocol/serverInfo": SERVER_INFO}
    if method in CACHEABLE_METHODS:
        value |= {"ttlMs": 0, "cacheScope": "private"}
    return value


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
    kind, _options = parse_options_header(request.headers.get("Content-Type", ""))
    if kind.lower() != "application/json":
        raise rpc.RpcError(
            INVALID_REQUEST, "Send 'Content-Type: application/json'.", status=415
        )
    accept = [kind for kind, _quality in _accepted(request)]
    if accept and not {"application/json", "application/*", "*/*"} & set(accept):
        raise rpc.RpcError(
            INVALID_REQUEST,
            "Send 'Accept: application/json, text/event-stream'.",
            status=406,
        )


def _accepted(request: HttpRequest) -> list[tuple[str, float]]:
    return list(parse_accept_header(request.headers.get("Accept", "")))


def check_batch(request: HttpRequest, messages: list) -> None:
    """Refuse a batch where none is allowed, and one that is none.

    2025-03-26 alone has them; 2025-06-18 took them back.
    """
    from mcp_types.jsonrpc import INVALID_REQUEST

    fault = None
    if assumed(request.headers) != "2025-03-26":
        fault = "batches are for revision 2025-03-26 only: send one message"
    elif not 0 < len(messages) <= MOST_MESSAGES:
        fault = f"a batch has 1 to {MOST_MESSAGES} messages"
    if fault:
        raise rpc.RpcError(INVALID_REQUEST, f"Invalid request: {fault}", status=400)
    for message in messages:
        if not rpc.is_response(message):
            rpc.check_envelope(message)


def validate(method: str, revision: str, params: dict | None) -> None:
    """Check method and parameters against the revision's own schema.

    :raise RpcError: -32601 or -32602, naming the parameter
    """
    from mcp_types.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND
    from mcp_types.methods import validate_client_request
    from pydantic import ValidationError

    if method not in METHODS and method not in LIVES:
        raise rpc.RpcError(METHOD_NOT_FOUND, f"Method not found: {method[:100]}")
    try:
        validate_client_request(method, revision, params)
    except KeyError as fault:
        raise rpc.RpcError(
            METHOD_NOT_FOUND, f"Method not found in {revision}: {method}"
        ) from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise rpc.RpcError(
            INVALID_PARAMS, f"Invalid params: {where}: {first['msg']}"
        ) from fault


def credentials(request: HttpRequest) -> Credentials:
    """Return what the request says of its sender. RFC 6750 section 2.1."""
    header = request.headers.get("Authorization")
    scheme, _, key = (header or "").partition(" ")
    if header is not None and scheme.lower() != "bearer":
        key = ""
    return Credentials(
        key=None if header is None else key.strip(),
        address=request.address,
        forwarded=request.forwarded,
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
