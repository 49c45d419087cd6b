"""What each MCP client wants to read to connect here, as its documentation has it.

README.md says the same: who changes one changes the other.
"""

import ipaddress
import json
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

NAME = "odoo"
"""Of the server, as the client shows it."""

ENDPOINT = "/mcp/v1"

BASE_URL = re.compile(r"https?://[\w.:\[\]-]+(/[\w./~-]*)?", re.ASCII)
"""Needs no quotes in a shell, JSON or TOML."""


class Client(NamedTuple):
    """A client that can be connected.

    :param name: as its maker writes it
    :param place: where the snippet goes, translated when it is shown
    :param snippet: called with URL and key
    """

    name: str
    place: str
    snippet: Callable[[str, str], str]


def endpoint(base: str | bool) -> str | None:
    """Return the URL of MCP below ``base``, e.g. ``web.base.url``.

    >>> endpoint("https://odoo.example.com/")
    'https://odoo.example.com/mcp/v1'
    >>> endpoint("odoo.example.com") is None
    True

    :return: None: no client could call there
    """
    base = (base or "").strip().rstrip("/")
    if not BASE_URL.fullmatch(base):
        return None
    try:
        parts = urlsplit(base)
        usable = parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        return None
    return base + ENDPOINT if usable else None


def is_loopback(url: str) -> bool:
    """Tell whether ``url`` is good on the server's own machine alone.

    >>> is_loopback("http://localhost:8069/mcp/v1"), is_loopback("http://[::1]:8768")
    (True, True)
    >>> is_loopback("http://192.0.2.7:8069/mcp/v1")
    False
    """
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _json(content: dict) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _claude_code(url: str, key: str) -> str:
    return (
        f"claude mcp add --transport http {NAME} {url} "
        f'--header "Authorization: Bearer {key}"'
    )


def _claude_desktop(url: str, key: str) -> str:
    """The blank of the header stands in a variable: Windows would lose it.

    mcp-remote takes http elsewhere than at loopback only when told so.
    """
    plain = url.startswith("http:") and not is_loopback(url)
    args = ["mcp-remote", url, *(["--allow-http"] if plain else [])]
    server = {
        "command": "npx",
        "args": [*args, "--header", "Authorization:${AUTH_HEADER}"],
        "env": {"AUTH_HEADER": f"Bearer {key}"},
    }
    return _json({"mcpServers": {NAME: server}})


def _cursor(url: str, key: str) -> str:
    return _json({"mcpServers": {NAME: {"url": url, "headers": _headers(key)}}})


def _vscode(url: str, key: str) -> str:
    server = {"type": "http", "url": url, "headers": _headers(key)}
    return _json({"servers": {NAME: server}})


def _codex(url: str, key: str) -> str:
    return (
        f"[mcp_servers.{NAME}]\n"
        f'url = "{url}"\n'
        f'http_headers = {{ "Authorization" = "Bearer {key}" }}'
    )


def _gemini(url: str, key: str) -> str:
    return _json({"mcpServers": {NAME: {"httpUrl": url, "headers": _headers(key)}}})


def _windsurf(url: str, key: str) -> str:
    return _json({"mcpServers": {NAME: {"serverUrl": url, "headers": _headers(key)}}})


def _generic(url: str, key: str) -> str:
    server = {"type": "http", "url": url, "headers": _headers(key)}
    return _json({"mcpServers": {NAME: server}})


CLIENTS = {
    "claude_code": Client("Claude Code", _lt("Run this in a terminal:"), _claude_code),
    "claude_desktop": Client(
        "Claude Desktop",
        _lt(
            "Put this into claude_desktop_config.json (Settings > Developer > Edit "
            "Config), and start Claude Desktop again. It needs Node.js:"
        ),
        _claude_desktop,
    ),
    "cursor": Client(
        "Cursor",
        _lt("Put this into ~/.cursor/mcp.json, or .cursor/mcp.json of a project:"),
        _cursor,
    ),
    "vscode": Client(
        "VS Code", _lt("Put this into .vscode/mcp.json of a project:"), _vscode
    ),
    "codex": Client("Codex CLI", _lt("Add this to ~/.codex/config.toml:"), _codex),
    "gemini": Client(
        "Gemini CLI", _lt("Put this into ~/.gemini/settings.json:"), _gemini
    ),
    "windsurf": Client(
        "Windsurf",
        _lt("Put this into ~/.codeium/windsurf/mcp_config.json:"),
        _windsurf,
    ),
    "generic": Client(
        "Another Client",
        _lt(
            "Most clients take this, in a file such as .mcp.json; others ask for URL "
            "and header one by one:"
        ),
        _generic,
    ),
}

NAMES = [(code, client.name) for code, client in CLIENTS.items()]
