"""Whether messages are what their revision knows, by its own schema."""

from . import rpc, subscriptions, tasks
from .calls import LIVES
from .exchange import HttpRequest
from .methods import METHODS
from .revision import assumed

MOST_MESSAGES = 50
"""Messages in one batch."""


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


def validate(message: dict, revision: str, *, stays: bool) -> None:
    """Check method and parameters against the revision's own schema.

    :param stays: the door keeps streams open
    :raise RpcError: -32601 or -32602, naming the parameter
    """
    from mcp_types.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND
    from mcp_types.methods import validate_client_request
    from pydantic import ValidationError

    method, params = message["method"], message.get("params")
    if method in tasks.METHODS:
        tasks.check(revision, params)
        return
    # a subscription is the key's, whichever door it came through: the listener tells
    known = {*METHODS, *LIVES, *subscriptions.METHODS}
    if stays:
        known.add(subscriptions.LISTEN)
    if method not in known:
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
