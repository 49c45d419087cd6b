"""What a client hears of its request before the answer: progress and log messages."""

import os
import threading
from collections.abc import Iterator

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import LEGACY, META, MODERN, McpClient, received, unmarked
from dev.tests.waiting import eventually

STEPS = """
for done in (1, 2, 3):
    mcp.progress(done, 3, 'step %s' % done)
mcp.log('debug', 'a detail')
mcp.log('warning', {'what': 'a warning'}, 'steps')
action = {'done': 3}
"""
LINES = "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.3; done"


@pytest.fixture(scope="module")
def steps(backend: Backend) -> str:
    """A tool that is a record, and tells how it goes."""
    backend.tool("tell_steps", STEPS)
    return "tell_steps"


@pytest.fixture(params=[LEGACY, MODERN])
def caller(
    request: pytest.FixtureRequest, either_door: str, key: str
) -> Iterator[McpClient]:
    """A client of each kind at each door."""
    with McpClient(either_door, key, revision=request.param) as own:
        yield own


def call(tool: str, **arguments: object) -> dict:
    return {"name": tool, "arguments": arguments}


def progress(messages: list[dict]) -> list[tuple]:
    """Token, progress, total and message of the notifications of progress."""
    found = [m["params"] for m in messages if m.get("method", "").endswith("progress")]
    names = ("progressToken", "progress", "total", "message")
    return [tuple(params.get(name) for name in names) for params in found]


def test_progress_comes_with_the_token_of_the_request_and_the_result_last(
    caller: McpClient, steps: str
) -> None:
    meta = {"progressToken": "a token"}
    with caller.stream("tools/call", call(steps), meta=meta) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        assert stream.response.headers["Cache-Control"] == "no-store"
        messages = list(stream.messages())
    assert progress(messages) == [
        ("a token", 1, 3, "step 1"),
        ("a token", 2, 3, "step 2"),
        ("a token", 3, 3, "step 3"),
    ]
    assert unmarked(messages[-1]["result"]["structuredContent"]) == {"done": 3}
    assert all("id" not in message for message in messages[:-1])


def test_request_that_asks_for_nothing_is_answered_with_json(
    either_door: str, key: str, steps: str
) -> None:
    client = McpClient(either_door, key)
    with client, client.stream("tools/call", call(steps)) as stream:
        assert stream.response.headers["Content-Type"] == "application/json"
        assert unmarked(stream.response.json()["result"]["structuredContent"]) == {
            "done": 3
        }


def test_client_that_takes_no_stream_gets_json(client: McpClient, steps: str) -> None:
    meta = {"progressToken": 7}
    headers = {"Accept": "application/json"}
    with client.stream("tools/call", call(steps), meta=meta, headers=headers) as answer:
        assert not answer.is_stream
        assert unmarked(answer.response.json()["result"]["structuredContent"]) == {
            "done": 3
        }


def test_log_messages_come_from_the_level_on_that_the_request_names(
    client: McpClient, steps: str
) -> None:
    told = {}
    for level in ("debug", "warning"):
        meta = {f"{META}/logLevel": level}
        with client.stream("tools/call", call(steps), meta=meta) as stream:
            *notices, _result = stream.messages()
        told[level] = [notice["params"] for notice in notices]
    warning = {"level": "warning", "data": {"what": "a warning"}, "logger": "steps"}
    assert told["warning"] == [warning]
    assert told["debug"] == [{"level": "debug", "data": "a detail"}, warning]
    with client.stream(
        "tools/call", call(steps), meta={f"{META}/logLevel": "error"}
    ) as answer:
        assert not answer.is_stream


def test_level_that_does_not_exist_is_refused(client: McpClient, steps: str) -> None:
    params = {**call(steps), "_meta": {f"{META}/logLevel": "loud"}}
    assert client.call("tools/call", params).error["code"] == -32602


def test_legacy_client_sets_the_level_for_its_key(
    server: OdooServer, backend: Backend, steps: str
) -> None:
    with McpClient(server.url, backend.key("admin"), revision=LEGACY) as client:
        for level, wanted in (("debug", 2), ("warning", 1)):
            assert client.call("logging/setLevel", {"level": level}).result == {}
            with client.stream("tools/call", call(steps)) as stream:
                assert len(list(stream.messages())) == wanted + 1
        assert client.call("logging/setLevel", {"level": "emergency"}).result == {}
        with client.stream("tools/call", call(steps)) as answer:
            assert not answer.is_stream


def test_lines_of_a_command_are_told_while_it_runs(caller: McpClient) -> None:
    params = call("execute_command", command=LINES)
    with caller.stream("tools/call", params, meta={"progressToken": 1}) as stream:
        messages = list(stream.messages())
    told = progress(messages)
    assert len(told) >= 2
    assert [row[1] for row in told] == sorted({row[1] for row in told})
    for _token, lines, _total, message in told:
        assert message == f"line {lines}"
    result = messages[-1]["result"]["structuredContent"]
    assert result["stdout"].count("\n") == 6


def test_what_code_prints_is_told_while_it_runs(client: McpClient) -> None:
    code = "import time\nfor i in range(6):\n    print('turn', i); time.sleep(0.3)\n7"
    params = call("odoo_shell", code=code)
    with client.stream("tools/call", params, meta={"progressToken": 1}) as stream:
        messages = list(stream.messages())
    assert progress(messages)[0][3].startswith("turn ")
    assert messages[-1]["result"]["structuredContent"]["return_value"] == 7


def test_line_that_comes_in_pieces_is_told_as_it_is(client: McpClient) -> None:
    code = (
        "import sys, time\n"
        "for part in ['one', ' ', 'line', '\\n', 'and', ' ', 'next'] * 3:\n"
        "    sys.stdout.write(part); time.sleep(0.1)"
    )
    params = call("odoo_shell", code=code)
    with client.stream("tools/call", params, meta={"progressToken": 1}) as stream:
        told = [message for *_rest, message in progress(list(stream.messages()))]
    whole = "one line\nand next" * 3
    assert told
    assert all(line in whole for line in told)
    assert not any("oneline" in line or "andnext" in line for line in told)


def test_statements_of_a_script_are_told(client: McpClient) -> None:
    script = "SELECT pg_sleep(0.7); SELECT pg_sleep(0.7); SELECT 1"
    params = call("execute_sql", statement=script)
    with client.stream("tools/call", params, meta={"progressToken": 1}) as stream:
        messages = list(stream.messages())
    # a slow machine tells of the first one, too
    assert progress(messages)[-2:] == [
        (1, 1, 3, "statement 2 of 3"),
        (1, 2, 3, "statement 3 of 3"),
    ]


def test_rows_of_a_slow_query_are_told(client: McpClient) -> None:
    query = "SELECT n, pg_sleep(0.003) FROM generate_series(1, 900) n"
    params = call("query_database", query=query)
    with client.stream("tools/call", params, meta={"progressToken": 1}) as stream:
        messages = list(stream.messages())
    assert progress(messages)[0][3].endswith(" rows")
    assert messages[-1]["result"]["structuredContent"]["row_count"] == 900


def test_error_after_progress_ends_the_stream_as_a_result(
    client: McpClient, backend: Backend
) -> None:
    code = "mcp.progress(1)\nraise UserError('no more of it')"
    backend.tool("fail_late", code)
    with client.stream(
        "tools/call", call("fail_late"), meta={"progressToken": 1}
    ) as stream:
        *_notices, last = stream.messages()
    assert last["result"]["isError"] is True
    assert last["result"]["content"][0]["text"] == "no more of it"


def test_silent_call_is_kept_alive_by_comments(either_door: str, key: str) -> None:
    params = call("execute_command", command="sleep 17; echo done")
    client = McpClient(either_door, key)
    with client, client.stream("tools/call", params) as stream:
        assert stream.is_stream
        assert next(stream.comments()) == b": still there"
        [last] = stream.messages()
    assert last["result"]["structuredContent"]["stdout"] == "done\n"


def test_connection_of_the_listener_is_kept_after_a_stream(
    listener_url: str, key: str, steps: str
) -> None:
    with McpClient(listener_url, key) as client:
        params = {**call(steps), "_meta": {"progressToken": 1}}
        for _turn in range(3):
            answer = client.call("tools/call", params)
            assert answer.response.text.count("\ndata: ") == 4
        [pool] = client.session.adapters[
            "http://"
        ].poolmanager.pools._container.values()
        assert pool.num_connections == 1


def test_stream_over_http_1_0_ends_with_the_connection(
    listener_url: str, key: str, steps: str
) -> None:
    params = {**call(steps), "_meta": {"progressToken": 1}}
    with McpClient(listener_url, key) as client:
        answer = received(client.send("tools/call", params, version="HTTP/1.0"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body.count(b"data: ") == 4


def test_legacy_client_that_goes_away_loses_nothing_of_its_work(
    either_door: str, key: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Before 2026-07-28 a lost connection is no wish to cancel."""
    path = tmp_path_factory.mktemp("work") / "done"
    command = f"for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.3; done; echo ok >{path}"
    params = call("execute_command", command=command)
    client = McpClient(either_door, key, revision=LEGACY)
    meta = {"progressToken": 1}
    with client, client.stream("tools/call", params, meta=meta) as stream:
        next(stream.messages())
    eventually(path.exists, "the command has ended by itself")


def test_client_that_goes_away_is_nothing_to_warn_of(
    listener_url: str, key: str, server: OdooServer
) -> None:
    before = len(server.log())
    params = call("execute_command", command=LINES)
    params["_meta"] = {"progressToken": 1}
    client = McpClient(listener_url, key, revision=LEGACY)
    with client, client.send("tools/call", params) as connection:
        assert connection.recv(1)
        opened = descriptor_of(connection.getsockname()[1])
        target = os.readlink(opened)
    eventually(lambda: target_of(opened) != target, "the listener has closed its end")
    assert "a connection of" not in server.log()[before:]


def descriptor_of(peer: int) -> str:
    """The file in /proc that is the server's end of a connection, by our port."""
    rows = psutil.net_connections("tcp4")
    [found] = [row for row in rows if row.raddr and row.raddr.port == peer and row.pid]
    return f"/proc/{found.pid}/fd/{found.fd}"


def target_of(descriptor: str) -> str | None:
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return None


def test_many_streams_at_once_each_hear_their_own(
    either_door: str, key: str, steps: str
) -> None:
    heard: dict[int, list] = {}

    def listen(number: int) -> None:
        with (
            McpClient(either_door, key) as client,
            client.stream(
                "tools/call", call(steps), meta={"progressToken": number}
            ) as stream,
        ):
            heard[number] = progress(list(stream.messages()))

    threads = [threading.Thread(target=listen, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {number: {row[0] for row in rows} for number, rows in heard.items()} == {
        number: {number} for number in range(12)
    }
