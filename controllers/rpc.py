"""JSON-RPC 2.0 as MCP uses it: messages in, responses and errors out.

https://www.jsonrpc.org/specification
"""

import json
import math
from typing import Any

AUTHENTICATION_REQUIRED = -32003
FORBIDDEN = -32004
SUSPENDED = -32005
"""Ours, in the range that MCP leaves to implementations (-32000..-32019)."""

MOST_LEVELS = 100
"""Arrays and objects within each other. Python itself ends at some hundreds, in the
midst of a call."""


class RpcError(Exception):
    """An error response.

    :param status: HTTP status that it is sent with; None: as the revision has it
    """

    def __init__(
        self,
        code: int,
        message: str,
        data: Any = None,
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        self.status = status
        self.headers = headers or {}


def missing_capability(
    required: dict, message: str = "Missing required client capability"
) -> RpcError:
    """Return the error of a request that needs more than its client has declared.

    Revision 2026-07-28, basic: MissingRequiredClientCapabilityError.

    :param required: as MCP's ClientCapabilities
    """
    from mcp_types.jsonrpc import MISSING_REQUIRED_CLIENT_CAPABILITY

    data = {"requiredCapabilities": required}
    return RpcError(MISSING_REQUIRED_CLIENT_CAPABILITY, message, data)


def result(request_id, value: dict) -> dict:
    """Return the response of a request that succeeded."""
    return {"jsonrpc": "2.0", "id": request_id, "result": value}


def error(request_id, fault: RpcError) -> dict:
    """Return the response of a request that failed; the id is None if unknown."""
    row = {"code": fault.code, "message": fault.message}
    if fault.data is not None:
        row["data"] = fault.data
    return {"jsonrpc": "2.0", "id": request_id, "error": row}


def parse(body: bytes) -> Any:
    """Return what a body says, if all who read it read the same.

    RFC 8259: section 8.1, it is UTF-8 and has no byte order mark; section 4, of a name
    that is twice in an object each reader takes another value, so that a proxy may let
    pass what is not what it has read.

    :raise RpcError: it is no JSON, or none that can be answered
    """
    from mcp_types.jsonrpc import PARSE_ERROR

    try:
        value = _DECODER.decode(body.decode())
        if body.count(b"[") + body.count(b"{") > MOST_LEVELS:
            _check_levels(value, MOST_LEVELS)
        if b"\\u" in body:
            _check_surrogates(value)
        return value
    except UnicodeDecodeError as fault:
        reason = "the body is no UTF-8"
        raise RpcError(PARSE_ERROR, f"Parse error: {reason}", status=400) from fault
    except UnicodeError as fault:
        reason = "a lone surrogate (\\ud800 to \\udfff) is no text"
        raise RpcError(PARSE_ERROR, f"Parse error: {reason}", status=400) from fault
    except (ValueError, RecursionError) as fault:
        raise RpcError(
            PARSE_ERROR, f"Parse error: the body is no JSON: {fault}", status=400
        ) from fault


def _no_constant(name: str):
    raise ValueError(f"{name} is not in JSON")


def _finite(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise ValueError(f"{text[:20]} is beyond all numbers")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is twice in one object")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite
)


def _check_levels(value, left: int) -> None:
    """Refuse what is nested so deep that the work on it would not come to an end."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    if not left:
        raise ValueError(f"it is nested more than {MOST_LEVELS} levels deep")
    for item in value:
        _check_levels(item, left - 1)


def _check_surrogates(value) -> None:
    json.dumps(value, ensure_ascii=False).encode()


def is_request(message) -> bool:
    """Tell a request from what wants no answer: it has an id, and a method."""
    return isinstance(message, dict) and "id" in message and "method" in message


def is_response(message) -> bool:
    """Tell an answer of the client to a request of ours."""
    return (
        isinstance(message, dict)
        and "method" not in message
        and ("result" in message or "error" in message)
    )


def check_envelope(message) -> None:
    """Make sure that ``message`` is a request or a notification.

    :raise RpcError: it is neither; what is wrong with it
    """
    from mcp_types.jsonrpc import INVALID_REQUEST

    fault = None
    if not isinstance(message, dict):
        fault = "a message is a JSON object"
    elif message.get("jsonrpc") != "2.0":
        fault = '"jsonrpc" must be "2.0"'
    elif not isinstance(message.get("method"), str):
        fault = '"method" must be a string'
    elif "id" in message and not _is_id(message["id"]):
        fault = '"id" must be a string or an integer'
    elif not isinstance(message.get("params", {}), dict):
        fault = '"params" must be an object'
    if fault:
        raise RpcError(INVALID_REQUEST, f"Invalid request: {fault}", status=400)


def _is_id(value) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def id_of(message):
    """Return the id of a message, or None where it has none that can be used."""
    found = message.get("id") if isinstance(message, dict) else None
    return found if _is_id(found) else None
