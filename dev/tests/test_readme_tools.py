"""The tool table of the README: every tool is there, and each example is one."""

import json
import re

import jsonschema
import pytest

from dev import paths
from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient

ROW = re.compile(r"^\| `(\w+)` \| .* \| `({.*})` \| (\d+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def rows() -> dict[str, dict]:
    """The arguments of each tool's example."""
    found = ROW.findall((paths.REPOSITORY / "README.md").read_text())
    return {name: json.loads(arguments) for name, arguments, _limit in found}


@pytest.fixture(scope="module")
def client(backend: Backend, server: OdooServer) -> McpClient:
    return McpClient(server.url, backend.key("admin"))


@pytest.fixture(scope="module")
def tools(client: McpClient, backend: Backend) -> dict[str, dict]:
    """The tools of the addon as the server lists them, by name."""
    query = "SELECT name FROM ir_model_data WHERE module = %s AND model = 'mcp.tool'"
    own = {row["name"] for row in backend.rows(query, paths.ADDON)}
    listed = client.call("tools/list").result["tools"]
    return {tool["name"]: tool for tool in listed if f"mcp_tool_{tool['name']}" in own}


def test_readme_has_an_example_of_each_tool(
    rows: dict[str, dict], tools: dict[str, dict]
) -> None:
    assert sorted(rows) == sorted(tools)


def test_examples_fit_the_schemas(
    rows: dict[str, dict], tools: dict[str, dict]
) -> None:
    for name, arguments in rows.items():
        jsonschema.validate(arguments, tools[name]["inputSchema"])


def test_examples_that_change_nothing_work_as_they_are(
    rows: dict[str, dict], tools: dict[str, dict], client: McpClient
) -> None:
    for name, arguments in rows.items():
        if tools[name]["annotations"]["readOnlyHint"]:
            result = client.tool(name, **arguments)
            assert not result.get("isError"), (name, result["content"][0]["text"])
