"""The protocol core that both doors call: an HTTP request in, a response out.

Knows MCP, not Odoo: what it needs of records it asks the registrar.
"""

from dataclasses import replace
from http import HTTPStatus

from ..models.registrar import Registrar
from . import rpc, subscriptions, tasks
from .calls import LIVES, cancel, retry_after
from .context import CAPABILITIES, Context
from .exchange import HttpRequest, HttpResponse
from .guard import Guard, cors
from .methods import METHODS, SERVER_INFO
from .notices import StreamClient
from .revision import (
    VERSION_HEADER,
    Envelope,
    assumed,
    check_supported,
    is_modern,
    open_envelope,
)
from .transport import (
    as_fault,
    check_http,
    credentials,
    may_stay,
    respond,
    takes_stream,
    time_left,
)
from .validation import check_batch, validate

MOST_UNREAD = 64 * 1024
"""Bytes of a body that is read before the key is looked at, which for a call is done
together with all else. To read JSON takes up to thirty times its size in memory."""


class Protocol:
    """Answers requests for one database.

    :param guard: which hosts and origins may use the server
    """

    def __init__(self, registrar: Registrar, guard: Guard) -> None:
        self.registrar = registrar
        self.guard = guard

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; nothing but an answer comes out of here."""
        return self.guarded(request, self._answer)

    def capabilities(self, request: HttpRequest) -> HttpResponse:
        """Tell the names of the caller's tools and resources, as 1.0 did."""
        return self.guarded(request, self._tell_capabilities)

    def guarded(self, request: HttpRequest, answer) -> HttpResponse:
        """Return what ``answer`` makes of a request that may be made here."""
        try:
            self.guard.check(request)
        except rpc.RpcError as fault:
            return respond(None, fault)
        if request.stream:
            request.stream.headers.update(cors(request))
        try:
            self.guard.check_open(request)
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
        if may_stay(request):
            return self._stay(request)
        check_http(request)
        if len(request.body) > MOST_UNREAD:
            self.registrar.authenticate(credentials(request))
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

    def _stay(self, request: HttpRequest) -> HttpResponse:
        """Open the stream of a GET, as it was before 2026-07-28."""
        stream = subscriptions.stay(self.registrar, credentials(request))
        request.hub.prepare(self.registrar, stream)
        return HttpResponse(HTTPStatus.OK, stays=stream)

    def _answer_batch(self, request: HttpRequest, messages: list) -> HttpResponse:
        """Answer each request of a batch, in order. JSON-RPC 2.0 section 6."""
        self.registrar.authenticate(credentials(request))
        # its answers come together
        request = replace(request, stream=None)
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
            stays = request.hub is not None
            validate(message, envelope.revision, stays=stays)
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
        """Take a notification, or the response to a request of ours.

        Of notifications only the wish to cancel a request means anything here; from
        2026-07-28 on a client closes the connection instead, and is asked nothing.
        """
        self.registrar.authenticate(credentials(request))
        if is_modern(request.headers, message):
            try:
                check_supported(request.headers.get(VERSION_HEADER))
            except rpc.RpcError as fault:
                return respond(None, fault)
        elif rpc.is_response(message):
            kind = "error" if "error" in message else "result"
            answer = {kind: message[kind] or {}}
            self.registrar.answer(credentials(request), message.get("id"), answer)
        elif message.get("method") == "notifications/cancelled":
            envelope = Envelope(assumed(request.headers), modern=False)
            params = message.get("params") or {}
            cancel(self._context(request, params.get("requestId"), envelope))
        return HttpResponse(HTTPStatus.ACCEPTED)

    def _answer_request(self, request, message, envelope) -> HttpResponse:
        method, params = message["method"], message.get("params") or {}
        context = self._context(request, message["id"], envelope, params)
        headers, afterwards = context.headers, ()
        if method == subscriptions.LISTEN:
            stream = subscriptions.listen(context, params)
            request.hub.prepare(self.registrar, stream)
            return HttpResponse(HTTPStatus.OK, stays=stream)
        if method in LIVES:
            value, outcome = LIVES[method](context, params)
            headers, afterwards = retry_after(outcome), outcome.afterwards
            if outcome.status == "cancelled" and _is_stream(request):
                # revision 2025-11-25, basic/utilities/cancellation: no response
                return HttpResponse(HTTPStatus.OK)
        else:
            methods = METHODS | tasks.METHODS | subscriptions.METHODS
            value = methods[method](context, params)
        payload = rpc.result(message["id"], _complete(value, method, envelope))
        return HttpResponse(HTTPStatus.OK, payload, headers, afterwards)

    def _context(
        self, request: HttpRequest, request_id, envelope: Envelope, params=None
    ) -> Context:
        return Context(
            registrar=self.registrar,
            credentials=credentials(request),
            envelope=envelope,
            request_id=request_id,
            user_agent=request.headers.get("User-Agent", ""),
            budget=time_left(request),
            waiting=_waiting(request, envelope, params or {}),
            capabilities=CAPABILITIES
            if request.hub is None
            else CAPABILITIES | subscriptions.CAPABILITIES,
        )


def _is_stream(request: HttpRequest) -> bool:
    return request.stream is not None and request.stream.opened


def _waiting(request: HttpRequest, envelope: Envelope, params: dict):
    """Return who hears how a call goes.

    Before 2026-07-28 the level of log messages is the key's, see ``set_level``; until
    somebody sets one it is ours to choose.
    """
    from mcp_types import LOG_LEVEL_META_KEY

    if request.stream is None:
        return None
    meta = params.get("_meta") or {}
    return StreamClient(
        request.stream,
        listens=takes_stream(request),
        token=meta.get("progressToken"),
        level=meta.get(LOG_LEVEL_META_KEY) if envelope.modern else "info",
        modern=envelope.modern,
    )


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
    if method in CACHEABLE_METHODS and value["resultType"] == "complete":
        value |= {"ttlMs": 0, "cacheScope": "private"}
    return value
