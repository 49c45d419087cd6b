"""A client that asks for less than its key allows, at every door."""

import http.client
import json
from collections.abc import Mapping

import pytest

from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, LEGACY, META, MODERN, McpClient, Stream
from dev.tests.processes import processes
from dev.tests.test_cancellation import Caller, cancel, require_no_answer
from dev.tests.test_subscriptions import MODULES, Heard, get, listen, toggle
from dev.tests.waiting import eventually

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
TOOLS_CHANGED = "notifications/tools/list_changed"
READING = ["explain_query", "get_db_schema", "query_database"]
DATABASE = sorted([*READING, "database_activity", "execute_sql"])
TWO = ["job", "read_file"]
READ_FILE = {"name": "read_file", "arguments": {"path": "/etc/hostname"}}


class Narrowed(McpClient):
    """A client whose every request is for some toolsets only."""

    def __init__(self, url: str, key: str, toolsets: str, **options: str) -> None:
        super().__init__(url, key, **options)
        self.toolsets = toolsets

    def headers(
        self, method: str, params: Mapping[str, object], revision: str
    ) -> dict[str, str]:
        sent = super().headers(method, params, revision)
        return {**sent, "X-MCP-Toolsets": self.toolsets}


@pytest.fixture
def own_key(backend: Backend) -> str:
    """A key for this test alone."""
    return backend.key("admin")


def raw(url: str, key: str, query: str, headers: list[tuple[str, str]]) -> list[str]:
    """The tools that a request is offered whose headers may come twice."""
    client = McpClient(url, key)
    params = client.params({}, MODERN)
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
    body = json.dumps(message).encode()
    connection = http.client.HTTPConnection(url.partition("//")[2], timeout=60)
    connection.putrequest("POST", f"{ENDPOINT}{query}")
    sent = client.headers("tools/list", params, MODERN)
    for name, value in [*sent.items(), ("Content-Length", str(len(body))), *headers]:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return [tool["name"] for tool in answer["result"]["tools"]]


@pytest.mark.parametrize(
    ("query", "headers", "left"),
    [
        ("?toolsets=database", [], DATABASE),
        ("?toolsets=%64atabase%2Cjobs", [], sorted([*DATABASE, "job"])),
        ("?db=no&toolsets=database&tools=job&readonly", [], READING),
        ("", [("X-MCP-Toolsets", "database")], DATABASE),
        # a header that is sent twice is one with a comma
        ("", [("x-mcp-tools", "job"), ("X-MCP-Tools", "read_file")], TWO),
        ("", [("X-MCP-Toolsets", "database"), ("X-MCP-Readonly", "")], READING),
        ("", [("X-MCP-Tools", "job"), ("X-MCP-Readonly", "0")], ["job"]),
        ("?toolsets=database", [("X-MCP-Tools", "job,execute_sql")], ["execute_sql"]),
        ("?toolsets=databse", [], []),
        ("?toolsets=", [], []),
        ("?toolsets=database%00", [], []),
        ("?toolsets=database%", [], []),
        ("?toolsets=%ff%fe", [], []),
    ],
)
def test_url_and_headers_leave_the_same_at_each_door(
    query: str,
    headers: list[tuple[str, str]],
    left: list[str],
    either_door: str,
    key: str,
) -> None:
    assert raw(either_door, key, query, headers) == left


def test_call_that_is_narrowed_away_is_refused_at_each_door(
    either_door: str, own_key: str, backend: Backend
) -> None:
    with McpClient(either_door, own_key) as client:
        client.url += "?toolsets=database"
        refused = client.call("tools/call", READ_FILE)
        assert (refused.status, refused.error["code"]) == (400, -32602)
        assert client.tool("query_database", query="SELECT 1 AS n")["content"]
    told = [(row["tool"], row["status"]) for row in backend.entries(own_key)]
    assert told == [("read_file", "refused"), ("query_database", "success")]


def test_task_of_a_tool_that_is_narrowed_away_is_not_found(
    either_door: str, own_key: str
) -> None:
    known = {"extensions": {f"{META}/tasks": {}}}
    meta = {f"{META}/clientCapabilities": known}
    command = {"command": "true", "background": True}
    params = {"name": "execute_command", "arguments": command, "_meta": meta}
    with (
        Narrowed(either_door, own_key, "terminal") as own,
        Narrowed(either_door, own_key, "database") as other,
    ):
        asked = {"taskId": own.call("tools/call", params).result["taskId"]}
        for method in ("tasks/get", "tasks/cancel"):
            refused = other.call(method, {**asked, "_meta": meta})
            assert refused.error["message"] == "Task not found"
        assert own.call("tasks/get", {**asked, "_meta": meta}).result["status"]


def test_narrowed_client_cancels_its_call(
    either_door: str, own_key: str, backend: Backend, mark: str
) -> None:
    caller = Caller(backend, own_key, either_door, LEGACY)
    caller.client = Narrowed(either_door, own_key, "terminal", revision=LEGACY)
    connection = caller.start("execute_command", command=f"sleep {mark} & sleep {mark}")
    eventually(lambda: processes(mark), "it runs")
    cancel(caller.client, "the call")
    require_no_answer(connection)
    eventually(lambda: not processes(mark), "nothing of it runs", seconds=10)
    eventually(lambda: caller.entry("cancelled"), "the audit says it", seconds=20)


def test_stream_does_not_agree_to_what_is_narrowed_away(
    listener_url: str, own_key: str
) -> None:
    for toolsets, agreed in (("database", []), ("modules", [MODULES])):
        headers = {"X-MCP-Toolsets": toolsets}
        wanted = {"notifications": {"resourceSubscriptions": [MODULES]}}
        with (
            McpClient(listener_url, own_key) as client,
            client.stream("subscriptions/listen", wanted, headers=headers) as stream,
        ):
            told = Heard(stream).wait(ACKNOWLEDGED)
        assert told["params"]["notifications"] == {"resourceSubscriptions": agreed}


def test_subscription_to_what_is_narrowed_away_is_refused(
    listener_url: str, own_key: str
) -> None:
    with Narrowed(listener_url, own_key, "database", revision=LEGACY) as client:
        refused = client.call("resources/subscribe", {"uri": MODULES})
        assert refused.error["code"] == -32602


def test_stream_tells_of_the_tools_that_are_left_alone(
    listener_url: str, own_key: str, backend: Backend
) -> None:
    with (
        McpClient(listener_url, own_key) as client,
        listen(client, toolsListChanged=True) as whole,
        get(listener_url, own_key, **{"X-MCP-Toolsets": "database"}) as response,
    ):
        all_tools, some_tools = Heard(whole), Heard(Stream(response))
        all_tools.wait(ACKNOWLEDGED)
        count = 1
        for name in ("write_file", "execute_sql"):
            for _state in toggle(backend, name):
                count += 1
                eventually(
                    lambda n=count: len(all_tools.messages) >= n, "the change is told"
                )
        eventually(lambda: len(some_tools.messages) >= 2, "its own changes are told")
        assert some_tools.methods() == [TOOLS_CHANGED] * 2
        some_tools.stream.hang_up()
