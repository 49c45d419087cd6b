"""A read-only key that tries to write: by each tool, in each way to call it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks.privileges import READING, WRITING

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import META, McpClient
from dev.tests.real_clients import Door

SET_UP = """
CREATE TABLE mcp_victim (id int PRIMARY KEY, name text);
INSERT INTO mcp_victim VALUES (1, 'one');
CREATE SEQUENCE mcp_victim_seq;
CREATE FUNCTION mcp_victim_empty() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM mcp_victim; RETURN 1; END';
"""
TEAR_DOWN = """
DROP FUNCTION mcp_victim_empty; DROP SEQUENCE mcp_victim_seq; DROP TABLE mcp_victim;
"""
WRITE = "env.cr.execute('DELETE FROM mcp_victim')\naction = 'written'"
LATER = f"env.cr.commit()\n{WRITE}"
ORM = "action = env['res.partner'].sudo().create({'name': 'made by a reader'}).id"
STATE = """
SELECT (SELECT array_agg(v::text) FROM mcp_victim v) AS rows,
       (SELECT is_called FROM mcp_victim_seq) AS called,
       (SELECT count(*) FROM res_partner WHERE name = 'made by a reader') AS partners,
       (SELECT count(*) FROM ir_module_module WHERE state LIKE 'to %%') AS modules,
       (SELECT count(*) FROM mcp_job) AS jobs,
       (SELECT array_agg(t::text ORDER BY id) FROM mcp_tool t) AS tools,
       (SELECT array_agg(k::text ORDER BY id) FROM mcp_api_key k) AS keys
"""
TASK = {f"{META}/clientCapabilities": {"extensions": {f"{META}/tasks": {}}}}


@pytest.fixture(scope="module")
def reader(server: OdooServer, backend: Backend) -> Iterator[str]:
    """A read-only key, and tools of code that write, and say so or not."""
    with backend.cursor() as cursor:
        cursor.execute(SET_UP)
    backend.tool("made_by_code", WRITE)
    backend.tool("reads_by_code", WRITE, read_only_hint=True)
    backend.tool("reads_later", LATER, read_only_hint=True)
    backend.tool("reads_by_orm", ORM, read_only_hint=True)
    yield backend.key("admin", read_only=True)
    with backend.cursor() as cursor:
        cursor.execute(TEAR_DOWN)


@pytest.fixture
def unchanged(backend: Backend, reader: str, tmp_path: Path) -> Iterator[Path]:
    """Nothing is changed by the test, and no file made at this path."""
    file = tmp_path / "written"
    before = backend.rows(STATE)
    yield file
    assert backend.rows(STATE) == before
    assert not file.exists()


def spelled(arguments: dict, file: Path) -> dict:
    return {
        name: value.replace("{file}", str(file)) if isinstance(value, str) else value
        for name, value in arguments.items()
    }


def test_tool_that_writes_is_not_there_for_a_reader(
    door: Door, reader: str, unchanged: Path
) -> None:
    with McpClient(door.address, reader) as client:
        offered = client.call("tools/list").result["tools"]
        assert not {tool["name"] for tool in offered} & set(WRITING)
        for name, given in WRITING.items():
            arguments = spelled(given, unchanged)
            params = {"name": name, "arguments": arguments}
            for more in (
                {},
                {"_meta": TASK},
                {"arguments": {**arguments, "dry_run": True}},
                {"arguments": {**arguments, "background": True}},
            ):
                refused = client.call("tools/call", {**params, **more})
                assert refused.error["code"] == -32602, (name, more)
            for old in ("2024-11-05", "2025-03-26", "2025-11-25"):
                refused = client.call("tools/call", params, revision=old)
                assert refused.error["code"] == -32602, (name, old)


def test_batch_of_a_reader_writes_nothing(
    door: Door, reader: str, unchanged: Path
) -> None:
    with McpClient(door.address, reader) as client:
        batch = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "tools/call",
                "params": {"name": name, "arguments": spelled(given, unchanged)},
            }
            for number, (name, given) in enumerate(WRITING.items())
        ]
        headers = client.headers("tools/call", {}, "2025-03-26")
        answers = client.post(batch, headers=headers).body
    assert [answer["error"]["code"] for answer in answers] == [-32602] * len(batch)


def test_tool_that_reads_writes_nothing_for_a_reader(
    door: Door, reader: str, unchanged: Path
) -> None:
    with McpClient(door.address, reader) as client:
        for name, calls in READING.items():
            for given in calls:
                params = {"name": name, "arguments": spelled(given, unchanged)}
                answer = client.call("tools/call", params)
                assert answer.status in (200, 400), params
                told = str(answer.body)
                assert "internal error" not in told.lower() or "by_code" in name, told


@pytest.mark.parametrize("name", ["reads_by_code", "reads_later", "reads_by_orm"])
def test_code_that_says_it_only_reads_cannot_write(
    name: str, door: Door, reader: str, unchanged: Path
) -> None:
    with McpClient(door.address, reader) as client:
        result = client.tool(name)
    assert result["isError"] is True, result


def test_resources_prompts_and_tasks_of_a_reader_change_nothing(
    door: Door, reader: str, unchanged: Path
) -> None:
    with McpClient(door.address, reader) as client:
        for uri in (
            "odoo://config",
            "odoo://modules",
            "odoo://system",
            f"odoo://files/{unchanged}",
            "odoo://schema/mcp_victim; DELETE FROM mcp_victim",
            "odoo://schema/x' OR '1'='1",
            "odoo://jobs/1",
            "odoo://logs/odoo",
        ):
            client.call("resources/read", {"uri": uri})
            reference = {"type": "ref/resource", "uri": uri}
            argument = {"name": "table", "value": "x'; DELETE FROM mcp_victim; --"}
            params = {"ref": reference, "argument": argument}
            client.call("completion/complete", params)
        for prompt in client.call("prompts/list").result["prompts"]:
            names = [row["name"] for row in prompt.get("arguments", ())]
            arguments = dict.fromkeys(names, "x'; DELETE FROM mcp_victim; --")
            params = {"name": prompt["name"], "arguments": arguments}
            client.call("prompts/get", params)
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            client.call(method, {"taskId": "1", "_meta": TASK})
