"""The methods of MCP, as functions from parameters to a result."""

import base64
import json
from dataclasses import dataclass

from odoo import release

from ..models.caller import Credentials, ToolCall, ToolOutcome
from ..models.exceptions import UnknownTool
from ..models.registrar import Registrar
from .revision import Envelope
from .rpc import RpcError

VERSION = "1.0.0"
SERVER_INFO = {
    "name": "odoo_dev_mcp",
    "title": "Odoo Dev MCP Server",
    "version": VERSION,
}
INSTRUCTIONS = (
    f"A running Odoo {release.series}. query_database reads its PostgreSQL database; "
    "get_db_schema tells the tables, and takes a model's name as well; list_modules "
    "and get_module_info tell what is installed and where its source is. A model's "
    "table is its name with _ for . (res.partner: res_partner); translated fields are "
    "jsonb by language. What a call did is in the audit log in Odoo: MCP Server > "
    "Audit Log."
)
CAPABILITIES = {"tools": {}, "resources": {}, "prompts": {}}
"""No listChanged, no subscribe: a client would hold a worker's connection open."""

PAGE = 50
"""Tools on one page of tools/list."""


@dataclass(frozen=True)
class Context:
    """What a method may need beside its parameters."""

    registrar: Registrar
    credentials: Credentials
    envelope: Envelope
    request_id: object
    user_agent: str = ""
    budget: float | None = None


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
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER_INFO,
        "instructions": INSTRUCTIONS,
    }


def discover(context: Context, params: dict) -> dict:
    """Tell what this server is; 2026-07-28's ``initialize``."""
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS

    context.registrar.authenticate(context.credentials)
    return {
        "supportedVersions": list(MODERN_PROTOCOL_VERSIONS),
        "capabilities": CAPABILITIES,
        "instructions": INSTRUCTIONS,
    }


def ping(context: Context, params: dict) -> dict:
    """Answer that the server is there, and the key good."""
    context.registrar.authenticate(context.credentials)
    return {}


def list_tools(context: Context, params: dict) -> dict:
    """Return a page of the caller's tools, in order of name.

    The cursor is the last name of the page before, so that a tool that comes or goes
    between two pages makes none of the others appear twice or never.
    """
    after = _decode_cursor(params.get("cursor"))
    tools = context.registrar.list_tools(context.credentials)
    rest = [tool for tool in tools if tool["name"] > after]
    page = {"tools": rest[:PAGE]}
    if len(rest) > PAGE:
        page["nextCursor"] = _encode_cursor(rest[PAGE - 1]["name"])
    return page


def _encode_cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decode_cursor(cursor: str | None) -> str:
    from mcp_types.jsonrpc import INVALID_PARAMS

    try:
        return base64.b64decode(cursor or "", altchars=b"-_", validate=True).decode()
    except ValueError as fault:
        raise RpcError(
            INVALID_PARAMS, "Invalid cursor: send nextCursor of the page before."
        ) from fault


def call_tool(context: Context, params: dict) -> tuple[dict, ToolOutcome]:
    """Run a tool and return its result, with the outcome that it came from."""
    from mcp_types.jsonrpc import INVALID_PARAMS

    client = context.envelope.client
    named = f"{client.get('name', '')} {client.get('version', '')}".strip()
    call = ToolCall(
        name=params["name"],
        arguments=params.get("arguments") or {},
        request_id=json.dumps(context.request_id),
        client=named or context.user_agent,
        revision=context.envelope.revision,
        budget=context.budget,
    )
    try:
        outcome = context.registrar.call_tool(context.credentials, call)
    except UnknownTool as refusal:
        raise RpcError(INVALID_PARAMS, str(refusal)) from refusal
    result = {"content": [{"type": "text", "text": outcome.text}]}
    if outcome.structured is not None:
        result["structuredContent"] = outcome.structured
    if outcome.is_error:
        result["isError"] = True
    return result, outcome


def empty_list(key: str):
    """Return a method that lists nothing under ``key``."""

    def method(context: Context, params: dict) -> dict:
        context.registrar.authenticate(context.credentials)
        return {key: []}

    return method


METHODS = {
    "initialize": initialize,
    "server/discover": discover,
    "ping": ping,
    "tools/list": list_tools,
    "resources/list": empty_list("resources"),
    "resources/templates/list": empty_list("resourceTemplates"),
    "prompts/list": empty_list("prompts"),
}
