"""The kill switch: at once, in every process, for what runs, and until it is undone."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import LEGACY, McpClient
from dev.tests.test_health import ask_at
from dev.tests.test_listener import Door
from dev.tests.test_subscriptions import Heard, get, listen
from dev.tests.waiting import Background, eventually, within

ENDLESS = "while True: pass"
CALLERS = 8


@pytest.fixture(scope="module")
def prefork(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Iterator[Door]:
    """Two workers and the listener on a database of their own."""
    server = start_server(database=make_database("kill_switch"), workers=2)
    yield Door(server)
    server.stop()


@pytest.fixture
def door(prefork: Door) -> Iterator[Door]:
    """Both doors know the key already: what they remember is not to let it in."""
    prefork.process()
    assert {200} == {
        status for url in urls(prefork) for status in statuses(url, prefork)
    }
    yield prefork
    switch(prefork.backend, "resume")


def urls(door: Door) -> list[str]:
    return [door.server.url, door.url]


def switch(backend: Backend, how: str) -> None:
    backend.execute("res.config.settings", f"action_mcp_{how}", [])


def status(url: str, door: Door) -> int:
    with McpClient(url, door.key) as client:
        return client.call(
            "tools/call", {"name": "query_database", "arguments": {"query": "SELECT 1"}}
        ).status


def statuses(url: str, door: Door) -> list[int]:
    """Of many calls at once, so that no worker is left out."""
    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(lambda _turn: status(url, door), range(3 * CALLERS)))


def open_calls(door: Door) -> int:
    query = "SELECT count(*) AS n FROM mcp_audit_log WHERE status = 'open'"
    return door.backend.rows(query)[0]["n"]


def test_every_process_refuses_from_the_first_call_on_and_lets_in_again(
    door: Door,
) -> None:
    for _turn in range(3):
        switch(door.backend, "suspend")
        # in this order: each process's first call since is among them
        assert [statuses(url, door) for url in urls(door)] == [[503] * 3 * CALLERS] * 2
        assert {ask_at(url).json()["status"] for url in urls(door)} == {"suspended"}
        switch(door.backend, "resume")
        assert [statuses(url, door) for url in urls(door)] == [[200] * 3 * CALLERS] * 2


def test_refusal_is_an_error_with_the_remedy(door: Door) -> None:
    switch(door.backend, "suspend")
    for url in urls(door):
        for key in (door.key, "wrong", None):
            with McpClient(url, key) as client:
                answer = client.call("tools/list")
        assert answer.status == 503
        assert answer.error["code"] == -32005
        assert "Settings" in answer.error["message"]


def test_nothing_is_let_in_once_it_is_committed(door: Door) -> None:
    # by SQL nobody is told: what a process remembers stays as it was
    key = "odoo_dev_mcp.suspended"
    with door.backend.cursor() as cursor:
        cursor.execute("DELETE FROM ir_config_parameter WHERE key = %s", [key])
        cursor.execute(
            "INSERT INTO ir_config_parameter (key, value) VALUES (%s, '1')", [key]
        )
    for url in urls(door):
        assert set(statuses(url, door)) == {503}


@pytest.mark.parametrize("background", [False, True], ids=["call", "job"])
@pytest.mark.parametrize("at", [0, 1], ids=["port", "listener"])
def test_what_runs_ends_within_seconds(door: Door, at: int, background: bool) -> None:
    def run() -> object:
        with McpClient(urls(door)[at], door.key) as client:
            return client.tool("odoo_shell", code=ENDLESS, background=background)

    running = Background(run)
    eventually(lambda: open_calls(door) == 1, "the call runs")
    if background:
        running.result()
    began = time.monotonic()
    switch(door.backend, "suspend")
    eventually(lambda: open_calls(door) == 0, "it has ended")
    assert within(5, began)
    entry = door.backend.entries(door.key)[-1]
    assert entry["status"] == "cancelled"
    assert "suspended" in entry["message"]
    if not background:
        assert running.result()["isError"]
    jobs = "SELECT count(*) AS n FROM mcp_job WHERE state IN ('pending', 'running')"
    assert door.backend.rows(jobs) == [{"n": 0}]


def test_open_streams_end(door: Door) -> None:
    with (
        McpClient(door.url, door.key) as client,
        listen(client, toolsListChanged=True) as modern,
        get(door.url, door.key, **{"MCP-Protocol-Version": LEGACY}) as answer,
    ):
        heard = Heard(modern)
        heard.wait("notifications/subscriptions/acknowledged")
        assert answer.status_code == 200
        switch(door.backend, "suspend")
        eventually(heard.ended.is_set, "the stream has ended")
        # it was told so, and not cut
        assert heard.methods()[-1] == "result"
        lines = list(answer.iter_lines())
    assert not [line for line in lines if line.startswith(b"data")]
