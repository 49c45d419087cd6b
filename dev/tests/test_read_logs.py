"""read_logs on the log of a real server, with errors that really happened."""

import requests

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually


def logs(client: McpClient, **arguments: object) -> dict:
    result = client.tool("read_logs", **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def fail(server: OdooServer, keyword: str) -> None:
    """Have Odoo log an error, by a call that it cannot make."""
    arguments = ["res.partner", "read", [[1]], {keyword: 1}]
    params = {
        "service": "object",
        "method": "execute_kw",
        "args": [server.database, 2, "admin", *arguments],
    }
    body = {"jsonrpc": "2.0", "method": "call", "params": params}
    answer = requests.post(f"{server.url}/jsonrpc", json=body, timeout=60)
    assert "error" in answer.json()


def test_real_errors_are_told_once_and_only_what_is_new(
    server: OdooServer, client: McpClient, backend: Backend
) -> None:
    since = logs(client)["next"]
    for _turn in range(3):
        fail(server, "no_such_argument")

    def errors() -> list[dict]:
        found = logs(client, since=since, logger="odoo.http")["records"]
        return found if found and found[0].get("count") == 3 else []

    [row] = eventually(errors, "they are logged")
    assert row["database"] == server.database
    assert row["error"].startswith("TypeError")
    assert "no_such_argument" in row["error"]
    # 19.0 adds what was called
    assert row["request"].startswith("POST /jsonrpc")
    assert row["request"].endswith(" 200")
    assert row["traceback"].endswith(row["error"])
    assert row["place"].startswith("odoo/")
    assert "^^^" not in row["traceback"]
    again = logs(client, since=since)["next"]
    assert logs(client, since=again)["records"] == []
    fail(server, "another_one")

    def new() -> list[dict]:
        return logs(client, since=again, logger="odoo.http")["records"]

    [row] = eventually(new, "it is logged")
    assert "another_one" in row["error"]
    assert "count" not in row


def test_a_tool_of_a_record_that_fails_is_found_by_its_entry(
    client: McpClient, backend: Backend
) -> None:
    backend.tool("fail_in_the_log", "import_me()")
    since = logs(client)["next"]
    assert client.tool("fail_in_the_log")["isError"] is True
    found = eventually(
        lambda: logs(client, since=since, text="audit entry")["records"], "it is logged"
    )
    assert "fail_in_the_log failed" in found[0]["message"]


def test_our_own_calls_are_no_news(client: McpClient) -> None:
    since = logs(client, level="info")["next"]
    for _turn in range(3):
        client.tool("query_database", query="SELECT 1")
    told = str(logs(client, level="info", since=since, limit=100)["records"])
    assert "/mcp/v1" not in told
    assert "odoo_dev_mcp" not in told
