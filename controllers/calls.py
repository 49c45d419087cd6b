"""The methods that are a call: audited, limited, and answered with its outcome."""

import base64
import json

from ..models.boundary import between_marks, marked
from ..models.caller import Call, Outcome
from ..models.exceptions import (
    InvalidArguments,
    InvalidState,
    UnknownPrompt,
    UnknownResource,
    UnknownTool,
)
from . import tasks
from .content import fitting
from .context import Context
from .parameter_headers import check_parameters
from .rpc import RpcError, missing_capability

RESOURCE_NOT_FOUND = -32002

PARSED = ("text/csv", "text/tab-separated-values", "text/xml")
"""Texts that lines before and after would break."""

UNKNOWN = (InvalidArguments, InvalidState, UnknownPrompt, UnknownTool)
"""Refusals of what the parameters of a request name."""


def call_tool(context: Context, params: dict) -> tuple[dict, Outcome]:
    """Run a tool and return its result, with the outcome that it came from."""
    call = make_call(context, params["name"], params.get("arguments") or {}, params)
    outcome = _carry_out(context, context.registrar.call_tool, call)
    if outcome.questions:
        return _ask(outcome), outcome
    if outcome.job and tasks.are_known(context.envelope.capabilities):
        keep_days = context.registrar.setting("job_retention")
        task = tasks.describe(outcome.job, keep_days)
        return {"resultType": "task", **task}, outcome
    return tool_result(outcome, context.envelope.revision), outcome


def tool_result(outcome: Outcome, revision: str) -> dict:
    """Return what a tool call answers."""
    outcome = marked(outcome)
    content = outcome.content or ({"type": "text", "text": outcome.text},)
    result = {"content": [fitting(block, revision) for block in content]}
    if outcome.structured is not None:
        result["structuredContent"] = outcome.structured
    if outcome.is_error:
        result["isError"] = True
    return result


def read_resource(context: Context, params: dict) -> tuple[dict, Outcome]:
    """Read a resource and return its contents, with the outcome they came from."""
    uri = params["uri"]
    call = make_call(context, "resources/read", {"uri": uri}, params)
    try:
        outcome = _carry_out(context, context.registrar.read_resource, call)
    except UnknownResource as refusal:
        raise _not_found(context, uri, refusal) from refusal
    if outcome.questions:
        return _ask(outcome), outcome
    check(outcome)
    content = {"uri": uri}
    if outcome.mime_type:
        content["mimeType"] = outcome.mime_type
    if outcome.blob is not None:
        content["blob"] = base64.b64encode(outcome.blob).decode()
    else:
        content["text"] = _resource_text(outcome)
    return {"contents": [content]}, outcome


def _resource_text(outcome: Outcome) -> str:
    """Return the text of a resource, in the marks that its form can hold.

    What programs parse stays what it is.
    """
    if outcome.structured is not None:
        return marked(outcome).text
    kind = outcome.mime_type or "text/plain"
    if outcome.mark and kind.startswith("text/") and kind not in PARSED:
        return between_marks(outcome.mark, outcome.text)
    return outcome.text


def get_prompt(context: Context, params: dict) -> tuple[dict, Outcome]:
    """Put a prompt together and return it, with the outcome that it came from."""
    wanted = {"name": params["name"], "arguments": params.get("arguments") or {}}
    call = make_call(context, "prompts/get", wanted, params)
    outcome = _carry_out(context, context.registrar.get_prompt, call)
    if outcome.questions:
        return _ask(outcome), outcome
    check(outcome)
    messages = [
        {**message, "content": fitting(message["content"], context.envelope.revision)}
        for message in outcome.structured["messages"]
    ]
    return {**outcome.structured, "messages": messages}, outcome


def _not_found(context: Context, uri: str, refusal: UnknownResource) -> RpcError:
    """Return the error of a resource that is not there.

    Revision 2026-07-28, server/resources: Invalid params; before, a code of its own.
    """
    from mcp_types.jsonrpc import INVALID_PARAMS

    code = INVALID_PARAMS if context.envelope.modern else RESOURCE_NOT_FOUND
    return RpcError(code, str(refusal), {"uri": uri})


def _carry_out(context: Context, how, call: Call) -> Outcome:
    """Make a call.

    :param how: method of the registrar
    :raise RpcError: -32602, what it is of is not known, or its state is not ours;
        -32021, it would have had to ask what the client cannot answer
    """
    from mcp_types.jsonrpc import INVALID_PARAMS

    try:
        outcome = how(context.credentials, call)
    except UNKNOWN as refusal:
        raise RpcError(INVALID_PARAMS, str(refusal)) from refusal
    if outcome.missing and context.envelope.modern:
        raise missing_capability({outcome.missing: {}}, outcome.text)
    return outcome


def _ask(outcome: Outcome) -> dict:
    """Return the result of a call that is to be made again with answers.

    Revision 2026-07-28, basic/patterns/mrtr.
    """
    return {
        "resultType": "input_required",
        "inputRequests": outcome.questions,
        "requestState": outcome.state,
    }


def check(outcome: Outcome) -> None:
    """Make sure that a call has not failed that has no result to say so in.

    :raise RpcError: -32603
    """
    from mcp_types.jsonrpc import INTERNAL_ERROR

    if outcome.is_error:
        raise RpcError(
            INTERNAL_ERROR, outcome.text, headers=retry_after(outcome), status=200
        )


def retry_after(outcome: Outcome) -> dict[str, str]:
    """Return the header that tells when a limit allows the next call."""
    seconds = outcome.retry_after
    return {"Retry-After": str(seconds)} if seconds else {}


def make_call(
    context: Context, name: str, arguments: dict, params: dict | None = None
) -> Call:
    """Return a call as the registrar takes it.

    :param params: of the request, with the answers to what was asked before
    """
    client = context.envelope.client
    named = f"{client.get('name', '')} {client.get('version', '')}".strip()
    params = params or {}
    return Call(
        name=name,
        arguments=arguments,
        request_id=json.dumps(context.request_id),
        client=named or context.user_agent,
        revision=context.envelope.revision,
        budget=context.budget,
        waiting=context.waiting,
        capabilities=context.envelope.capabilities,
        rounds=context.envelope.modern,
        answers=params.get("inputResponses") or {},
        state=params.get("requestState"),
        examine=_examine(context, arguments),
    )


def _examine(context: Context, arguments: dict):
    """Return what compares the headers of a call with the tool's parameters."""
    headers = context.envelope.headers
    if headers is None:
        return None
    return lambda tool: check_parameters(headers, tool["inputSchema"], arguments)


def cancel(context: Context) -> None:
    """Stop the request with this id, if it is the caller's and still runs."""
    context.registrar.cancel(context.credentials, make_call(context, "", {}))


LIVES = {
    "tools/call": call_tool,
    "resources/read": read_resource,
    "prompts/get": get_prompt,
}
