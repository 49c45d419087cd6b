"""Nothing of MCP is loaded before somebody speaks it."""

from collections.abc import Callable

import psutil

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient

LAZY = ("mcp_types", "pydantic", "pydantic_core", "jsonschema", "rpds")

# Compiled modules show in the memory map of a process from outside.
COMPILED = ("pydantic_core", "rpds")


def compiled(server: OdooServer) -> set[str]:
    maps = psutil.Process(server.pid).memory_maps()
    return {name for name in COMPILED if any(name in row.path for row in maps)}


def test_running_server_loads_pydantic_and_jsonschema_at_the_first_mcp_request(
    make_server: Callable[..., OdooServer], key: str
) -> None:
    own = make_server()
    Backend(own).execute("res.users", "search_count", [])
    assert compiled(own) == set()
    with McpClient(own.url, key) as client:
        result = client.tool("query_database", query="SELECT 1 AS n")
    assert result["structuredContent"]["rows"] == [{"n": 1}]
    assert "pydantic_core" in compiled(own)


def test_loaded_registry_has_imported_nothing_of_mcp(backend: Backend) -> None:
    loaded = backend.shell(
        "import sys\n"
        f"answer({{'lazy': [name for name in {LAZY!r} if name in sys.modules],\n"
        "        'tools': env['mcp.tool'].search_count([])})"
    )
    assert loaded["lazy"] == []
    assert loaded["tools"] >= 4
