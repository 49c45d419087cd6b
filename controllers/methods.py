"""The methods of MCP, as functions from parameters to a result."""

import base64
import json
from dataclasses import dataclass, field

from odoo import release

from ..models.caller import Call, Credentials, Outcome
from ..models.exceptions import (
    InvalidArguments,
    UnknownPrompt,
    UnknownResource,
    UnknownTool,
)
from ..models.live_call import Client
from ..models.registrar import Registrar
from ..version import VERSION
from . import tasks
from .blocks import as_told
from .lists import list_prompts, list_resources, list_templates, list_tools
from .revision import Envelope
from .rpc import RpcError

SERVER_INFO = {
    "name": "odoo_dev_mcp",
    "title": "Odoo Dev MCP Server",
    "version": VERSION,
}
INSTRUCTIONS = (
    f"A running Odoo {release.series}. To look: query_database reads its PostgreSQL "
    "database, get_db_schema tells the tables (a model's name works too), list_modules "
    "and get_module_info what is installed and where its source is, read_file and "
    "service_status(action='logs') files and logs. To try: odoo_shell runs Python with "
    "env, with dry_run=true nothing is kept. To change a module: write_file, then "
    "install_module or upgrade_module; when that says restart_needed, "
    "service_status(action='restart'). A model's table is its name with _ for . "
    "(res.partner: res_partner); translated fields are jsonb by language. Every call "
    "is in the audit log in Odoo: MCP Server > Audit Log."
)
CAPABILITIES = {
    "tools": {},
    "resources": {},
    "prompts": {},
    "completions": {},
    "logging": {},
}
"""No listChanged, no subscribe: a client would hold a worker's connection open. The
listener adds them."""

MOST_PROPOSALS = 100
"""Revision 2025-11-25, server/utilities/completion."""

RESOURCE_NOT_FOUND = -32002


@dataclass(frozen=True)
class Context:
    """What a method may need beside its parameters."""

    registrar: Registrar
    credentials: Credentials
    envelope: Envelope
    request_id: object
    user_agent: str = ""
    budget: float | None = None
    waiting: Client | None = None
    capabilities: dict = field(default_factory=lambda: CAPABILITIES)


def initialize(context: Context, params: dict) -> dict:
    """Agree on a revision: the client's if it is known, else the newest with sessions.

    No session id is given: nothing is kept between requests.
    """
    from mcp_types.version import (
        HANDSHAKE_PROTOCOL_VERSIONS,
        LATEST_HANDSHAKE_VERSION,
    )

    context.registrar.authenticate(context.credentials)
    asked = params["protocolVersion"]
    known = asked in HANDSHAKE_PROTOCOL_VERSIONS
    return {
        "protocolVersion": asked if known else LATEST_HANDSHAKE_VERSION,
        "capabilities": context.capabilities,
        "serverInfo": SERVER_INFO,
        "instructions": INSTRUCTIONS,
    }


def discover(context: Context, params: dict) -> dict:
    """Tell what this server is; 2026-07-28's ``initialize``."""
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS

    context.registrar.authenticate(context.credentials)
    return {
        "supportedVersions": list(MODERN_PROTOCOL_VERSIONS),
        "capabilities": {**context.capabilities, "extensions": {tasks.EXTENSION: {}}},
        "instructions": INSTRUCTIONS,
    }


def set_level(context: Context, params: dict) -> dict:
    """Keep from which level on the clients of this key want log messages.

    There is no session that could keep it; from 2026-07-28 on each request says it.
    """
    context.registrar.set_log_level(context.credentials, params["level"])
    return {}


def ping(context: Context, params: dict) -> dict:
    """Answer that the server is there, and the key good."""
    context.registrar.authenticate(context.credentials)
    return {}


def call_tool(context: Context, params: dict) -> tuple[dict, Outcome]:
    """Run a tool and return its result, with the outcome that it came from."""
    from mcp_types.jsonrpc import INVALID_PARAMS

    call = _call(context, params["name"], params.get("arguments") or {})
    try:
        outcome = context.registrar.call_tool(context.credentials, call)
    except UnknownTool as refusal:
        raise RpcError(INVALID_PARAMS, str(refusal)) from refusal
    if outcome.job and tasks.are_known(context.envelope.capabilities):
        keep_days = context.registrar.setting("job_retention")
        task = tasks.describe(outcome.job, keep_days)
        return {"resultType": "task", **task}, outcome
    return tool_result(outcome), outcome


def tool_result(outcome: Outcome) -> dict:
    """Return what a tool call answers."""
    result = {"content": [{"type": "text", "text": outcome.text}]}
    if outcome.structured is not None:
        result["structuredContent"] = outcome.structured
    if outcome.is_error:
        result["isError"] = True
    return result


def cancel(context: Context) -> None:
    """Stop the request with this id, if it is the caller's and still runs."""
    context.registrar.cancel(context.credentials, _call(context, "", {}))


def read_resource(context: Context, params: dict) -> tuple[dict, Outcome]:
    """Read a resource and return its contents, with the outcome they came from."""
    from mcp_types.jsonrpc import INTERNAL_ERROR

    uri = params["uri"]
    call = _call(context, "resources/read", {"uri": uri})
    try:
        outcome = context.registrar.read_resource(context.credentials, call)
    except UnknownResource as refusal:
        raise _not_found(context, uri, refusal) from refusal
    if outcome.is_error:
        raise RpcError(
            INTERNAL_ERROR, outcome.text, headers=retry_after(outcome), status=200
        )
    content = {"uri": uri, "mimeType": outcome.mime_type}
    if outcome.blob is not None:
        content["blob"] = base64.b64encode(outcome.blob).decode()
    else:
        content["text"] = outcome.text
    return {"contents": [content]}, outcome


def get_prompt(context: Context, params: dict) -> tuple[dict, Outcome]:
    """Put a prompt together and return it, with the outcome that it came from."""
    from mcp_types.jsonrpc import INTERNAL_ERROR, INVALID_PARAMS

    wanted = {"name": params["name"], "arguments": params.get("arguments") or {}}
    call = _call(context, "prompts/get", wanted)
    try:
        outcome = context.registrar.get_prompt(context.credentials, call)
    except (UnknownPrompt, InvalidArguments) as refusal:
        raise RpcError(INVALID_PARAMS, str(refusal)) from refusal
    if outcome.is_error:
        raise RpcError(
            INTERNAL_ERROR, outcome.text, headers=retry_after(outcome), status=200
        )
    revision = context.envelope.revision
    messages = [
        {**message, "content": as_told(message["content"], revision)}
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


def retry_after(outcome: Outcome) -> dict[str, str]:
    """Return the header that tells when a limit allows the next call."""
    seconds = outcome.retry_after
    return {"Retry-After": str(seconds)} if seconds else {}


def _call(context: Context, name: str, arguments: dict) -> Call:
    client = context.envelope.client
    named = f"{client.get('name', '')} {client.get('version', '')}".strip()
    return Call(
        name=name,
        arguments=arguments,
        request_id=json.dumps(context.request_id),
        client=named or context.user_agent,
        revision=context.envelope.revision,
        budget=context.budget,
        waiting=context.waiting,
    )


def complete(context: Context, params: dict) -> dict:
    """Return proposals for a variable of a template or an argument of a prompt."""
    from mcp_types.jsonrpc import INVALID_PARAMS

    reference = params["ref"]
    typed = {name: params["argument"][name] for name in ("name", "value")}
    credentials, budget = context.credentials, context.budget
    try:
        if reference["type"] == "ref/prompt":
            # revision 2025-06-18: what has been filled in already
            typed["context"] = (params.get("context") or {}).get("arguments") or {}
            complete = context.registrar.complete_prompt
            values = complete(credentials, reference["name"], typed, budget)
        else:
            complete = context.registrar.complete
            values = complete(credentials, reference["uri"], typed, budget)
    except (UnknownResource, UnknownPrompt, InvalidArguments) as refusal:
        raise RpcError(INVALID_PARAMS, str(refusal)) from refusal
    shown = values[:MOST_PROPOSALS]
    more = len(values) > len(shown)
    return {"completion": {"values": shown, "total": len(values), "hasMore": more}}


METHODS = {
    "initialize": initialize,
    "server/discover": discover,
    "ping": ping,
    "logging/setLevel": set_level,
    "tools/list": list_tools,
    "resources/list": list_resources,
    "resources/templates/list": list_templates,
    "completion/complete": complete,
    "prompts/list": list_prompts,
}

LIVES = {
    "tools/call": call_tool,
    "resources/read": read_resource,
    "prompts/get": get_prompt,
}
"""The methods that are a call: audited, limited, and answered with its outcome."""
