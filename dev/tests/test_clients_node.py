"""Node's clients as people install them, each in an environment of its own."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import requests

from dev import node_env
from dev.node_env import NodeEnv
from dev.tests import real_clients
from dev.tests.backend import Backend
from dev.tests.client import LEGACY
from dev.tests.node_clients import Bridge, Claude, Done, inspect
from dev.tests.real_clients import (
    ASKED,
    CHANGING,
    DRIVERS,
    REVISIONS,
    ROWS,
    WRONG_KEY,
    Door,
)
from dev.tests.waiting import at_once

UNKNOWN_KEY = "This key is not known here."
UNAUTHORIZED = "the server requires authorization (HTTP 401)"

# Driver, mode, and what it says of an unknown key. The SDK's 1.x has no modes.
TYPESCRIPT = [
    ("typescript_1.mjs", "legacy", UNKNOWN_KEY),
    ("typescript_2.mjs", "auto", UNAUTHORIZED),
    ("typescript_2.mjs", "legacy", UNKNOWN_KEY),
]

# Statuses of the Inspector.
AUTH_REQUIRED = 3
TOOL_ERROR = 5
LIST = ("--method", "tools/list")
READ = ("--method", "resources/read", "--uri", ASKED["resource"])

# Where any JSON value may stand, and the schema says so by saying nothing.
ANY_VALUE = {
    "inputSchema.properties.args.items",
    "inputSchema.properties.domain.items",
    "inputSchema.properties.params.items",
    "outputSchema.properties.result",
    "outputSchema.properties.return_value",
    "outputSchema.properties.value",
}


@pytest.fixture(scope="module")
def typescript(door: Door, key: str, asked: Backend) -> dict[str, Any]:
    """What each driver tells of its sessions."""
    env = node_env.environment("typescript")
    packages = {"MCP_PACKAGES": str(env.root)}
    variables = env.variables({**real_clients.facts(door, key, asked), **packages})
    # one after the other: each changes a tool and looks at what has come of it
    return {
        driver: real_clients.sessions([env.node, DRIVERS / driver], variables)
        for driver in ("typescript_1.mjs", "typescript_2.mjs")
    }


@pytest.fixture(scope="module")
def inspector() -> NodeEnv:
    return node_env.environment("inspector")


@pytest.fixture(scope="module")
def mcp_remote() -> NodeEnv:
    return node_env.environment("mcp-remote")


@pytest.fixture
def claude(tmp_path: Path) -> Claude:
    return Claude(node_env.environment("claude-code"), tmp_path)


@pytest.mark.parametrize(
    ("driver", "mode", "unknown_key"), TYPESCRIPT, ids=["1", "2-auto", "2-legacy"]
)
def test_typescript_sdk_gets_all_that_it_asks_for(
    driver: str, mode: str, unknown_key: str, door: Door, typescript: dict[str, Any]
) -> None:
    told = typescript[driver][mode]
    real_clients.require(told, REVISIONS[mode])
    assert unknown_key in told["wrong_key"]
    before, *changed = told["titles"]
    assert changed == ([before + "!"] if door.tells_changes else [])


def call(arguments: dict) -> list[str]:
    named = ["--method", "tools/call", "--tool-name", "query_database"]
    return [*named, "--tool-args-json", json.dumps(arguments)]


def told(done: Done) -> dict:
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("era", ["modern", "legacy", "auto"])
def test_inspector_reads_rows_and_a_resource_and_finds_the_schemas_portable(
    era: str, door: Door, key: str, inspector: NodeEnv, asked: Backend
) -> None:
    listed, called, read = at_once(
        [
            lambda options=options: told(inspect(inspector, door, key, era, *options))
            for options in ((*LIST, "--strict"), call(ASKED["query"]), READ)
        ]
    )
    names = {tool["name"] for tool in listed["result"]["tools"]}
    assert {"query_database", CHANGING} <= names
    findings = [row for tool in listed["schemaFindings"] for row in tool["findings"]]
    assert {row["severity"] for row in findings} == {"warning"}
    assert {f"{row['schema']}.{row['path']}" for row in findings} == ANY_VALUE
    assert called["result"]["structuredContent"]["rows"] == ROWS
    # which came with 2026-07-28
    assert ("resultType" in called["result"]) == (era != "legacy")
    [content] = read["result"]["contents"]
    assert json.loads(content["text"])["odoo_version"]


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_inspector_tells_what_is_wrong_with_a_call_and_with_a_key(
    era: str, door: Door, key: str, inspector: NodeEnv
) -> None:
    failed, refused = at_once(
        [
            lambda: inspect(inspector, door, key, era, *call(ASKED["wrong"])),
            lambda: inspect(inspector, door, WRONG_KEY, era, *LIST),
        ]
    )
    assert failed.returncode == TOOL_ERROR
    result = json.loads(failed.stdout)["result"]
    assert result["isError"] is True
    assert "42601" in result["content"][0]["text"]
    assert refused.returncode == AUTH_REQUIRED
    assert json.loads(refused.stderr)["error"]["code"] == "auth_required"


def test_stdio_client_behind_mcp_remote_gets_all_that_it_asks_for(
    door: Door, key: str, mcp_remote: NodeEnv, asked: Backend, tmp_path: Path
) -> None:
    opening = {
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    with Bridge(mcp_remote, door, key, tmp_path) as bridge:
        answer = bridge.request("initialize", **opening)
        assert answer["result"]["protocolVersion"] == LEGACY
        bridge.send("notifications/initialized")
        tools = bridge.request("tools/list")["result"]["tools"]
        assert "query_database" in {tool["name"] for tool in tools}
        rows = bridge.call("query_database", ASKED["query"])
        assert rows["structuredContent"]["rows"] == ROWS
        refused = bridge.call("query_database", ASKED["wrong"])
        assert refused["isError"] is True
        assert "42601" in refused["content"][0]["text"]
        assert bridge.call("execute_command", ASKED["command"])["structuredContent"]
        assert bridge.has_told("notifications/progress")
        read = bridge.request("resources/read", uri=ASKED["resource"])
        assert json.loads(read["result"]["contents"][0]["text"])["odoo_version"]
        unknown = bridge.request("tools/call", name="no_such_tool", arguments={})
        assert unknown["error"]["code"] == -32602
        if door.tells_changes:
            change = real_clients.change(asked)
            requests.post(change["url"], json=change["body"], timeout=60)
            bridge.wait("notifications/tools/list_changed")


def test_mcp_remote_with_an_unknown_key_ends(
    door: Door, mcp_remote: NodeEnv, tmp_path: Path
) -> None:
    with Bridge(mcp_remote, door, WRONG_KEY, tmp_path) as bridge:
        assert list(bridge.messages()) == []
        assert bridge.process.wait() == 1


def test_claude_connects_by_the_command_of_the_readme(
    door: Door, key: str, claude: Claude
) -> None:
    command = real_clients.snippet("Claude Code", door, key)
    program, *arguments = shlex.split(command)
    assert program == "claude"
    added = claude.run(*arguments)
    assert added.returncode == 0, added.stderr
    assert claude.health("odoo").endswith("✔ Connected")


def test_claude_connects_by_the_project_file_of_the_readme(
    door: Door, key: str, claude: Claude
) -> None:
    content = real_clients.snippet("Claude Code, shared with a project", door, key)
    (claude.project / ".mcp.json").write_text(content)
    # it asks its user else
    agreed = json.dumps({"enableAllProjectMcpServers": True})
    (claude.home / "settings.json").write_text(agreed)
    assert claude.health("odoo").endswith("✔ Connected")


def test_claude_says_that_the_key_is_not_known(door: Door, claude: Claude) -> None:
    command = real_clients.snippet("Claude Code", door, WRONG_KEY)
    claude.run(*shlex.split(command)[1:])
    health = claude.health("odoo")
    assert "✘ Failed to connect" in health
    assert UNKNOWN_KEY in health
