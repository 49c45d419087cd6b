"""The lists of MCP, a page at a time."""

import base64
import contextlib

from .rpc import RpcError

PAGE = 50
"""Rows on one page of a list."""


def list_tools(context, params: dict) -> dict:
    """Return a page of the caller's tools, in order of name."""
    return _page(context, params, "mcp.tool", "tools", "name")


def list_resources(context, params: dict) -> dict:
    """Return a page of the caller's resources, in order of URI."""
    return _page(context, params, "mcp.resource", "resources", "uri")


def list_templates(context, params: dict) -> dict:
    """Return a page of the caller's resource templates, in order of URI."""
    return _page(context, params, "mcp.resource", "resourceTemplates", "uriTemplate")


def list_prompts(context, params: dict) -> dict:
    """Return a page of the caller's prompts, in order of name."""
    return _page(context, params, "mcp.prompt", "prompts", "name")


def _page(context, params: dict, model: str, key: str, name: str) -> dict:
    """Return a page of what the caller may use of ``model``.

    The cursor is the last name of the page before, so that a tool that comes or goes
    between two pages makes none of the others appear twice or never.
    """
    after = _decode_cursor(params.get("cursor"))
    offered = context.registrar.offered(context.credentials, model)
    rest = [row for row in offered if name in row and row[name] > after]
    page = {key: rest[:PAGE]}
    if len(rest) > PAGE:
        page["nextCursor"] = _encode_cursor(rest[PAGE - 1][name])
    return page


def _encode_cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decode_cursor(cursor: str | None) -> str:
    from mcp_types.jsonrpc import INVALID_PARAMS

    name = ""
    with contextlib.suppress(ValueError):
        name = base64.b64decode(cursor or "", altchars=b"-_", validate=True).decode()
    if _encode_cursor(name) != (cursor or ""):
        raise RpcError(
            INVALID_PARAMS, "Invalid cursor: send nextCursor of the page before."
        )
    return name
