"""The methods of MCP, as functions from parameters to a result."""

from odoo import release

from ..models.exceptions import InvalidArguments, UnknownPrompt, UnknownResource
from ..version import VERSION
from . import tasks
from .context import Context
from .lists import list_prompts, list_resources, list_templates, list_tools
from .revision import SESSION_HEADER, session_id
from .rpc import RpcError

SERVER_INFO = {
    "name": "odoo_dev_mcp",
    "title": "Odoo Dev MCP Server",
    "version": VERSION,
}
INSTRUCTIONS = (
    f"A running Odoo {release.series}, whose registry knows more than its files.\n"
    "To look: inspect_model tells a model, field or method as it is (which modules "
    "and lines define and extend it, overrides in order, access), inspect_view a "
    "view as it is combined and who set what; find_definition and search_code find "
    "source, read_file reads it; query_database reads PostgreSQL, get_db_schema "
    "tells the tables (a model's name works too); read_logs tells errors, and with "
    "since=next of its last answer what is new.\n"
    "Records, under your user's own rights: search_records, write_records (dry_run "
    "tells what would change), check_access says why not. odoo_shell runs Python "
    "with env; with dry_run nothing is kept.\n"
    "To change a module: scaffold_module begins one; edit_file or write_file, "
    "inspect_view(candidate=…) for a view, lint_module, run_tests (a copy of the "
    "database, the files on disk), then install_module or upgrade_module. Python on "
    "disk is not what runs until then; when the answer says restart_needed: "
    "service_status(action='restart').\n"
    "What takes long goes on as a job: job(action='wait'). Some of these may be "
    "switched off: tools/list has those that are yours. How to write for this Odoo: "
    "the resource odoo://guidelines. Secrets show as ***MASKED***: do not write that "
    "back. Every call is in the audit log in Odoo: MCP Server > Audit Log."
)
MOST_PROPOSALS = 100
"""Revision 2025-11-25, server/utilities/completion."""


def initialize(context: Context, params: dict) -> dict:
    """Agree on a revision: the client's if it is known, else the newest with sessions.

    Nothing is kept between requests: what the client can be asked is in its session id.
    """
    from mcp_types.version import (
        HANDSHAKE_PROTOCOL_VERSIONS,
        LATEST_HANDSHAKE_VERSION,
    )

    context.registrar.authenticate(context.credentials)
    if session := session_id(params["capabilities"]):
        context.headers[SESSION_HEADER] = session
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
