"""kill -9 in the middle of a call: nothing is lost, and nothing is left behind."""

import signal
from collections.abc import Callable

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient, received
from dev.tests.processes import processes
from dev.tests.test_listener import Door
from dev.tests.waiting import eventually

CLOSE_LOST = "action = env['mcp.audit.log']._close_lost()"
COMMAND = "sleep {mark} & setsid sleep {mark} & sleep {mark}"
CODE = (
    "import subprocess\n"
    "env['res.partner'].create({{'name': '{mark}'}}); env.flush_all()\n"
    "subprocess.Popen(['setsid', 'sleep', '{mark}'])\n"
    "subprocess.run(['sleep', '{mark}'])"
)
WRITE = (
    "INSERT INTO res_partner (name) VALUES ('{mark}'); "
    "SELECT pg_sleep(100) /* {mark} */"
)
SLEEPING = (
    "SELECT 1 FROM pg_stat_activity "
    "WHERE wait_event = 'PgSleep' AND datname = current_database()"
)
CALLS = {
    "execute_command": lambda mark: {"command": COMMAND.format(mark=mark)},
    "odoo_shell": lambda mark: {"code": CODE.format(mark=mark)},
    "execute_sql": lambda mark: {"statement": WRITE.format(mark=mark)},
}


def running(backend: Backend, mark: str) -> bool:
    """Whether the call is at work: its processes, or its statement."""
    if len(processes(mark)) > 1:
        return True
    return bool(backend.rows(SLEEPING))


def require_nothing_left(backend: Backend, mark: str) -> None:
    eventually(lambda: not processes(mark), "no process is left", seconds=20)
    eventually(lambda: not backend.rows(SLEEPING), "no query is left", seconds=20)
    assert backend.rows("SELECT 1 FROM res_partner WHERE name = %s", mark) == []
    held = (
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE datname = current_database() AND relation = 'res_partner'::regclass "
        "AND mode = 'RowExclusiveLock'"
    )
    eventually(lambda: not backend.rows(held), "no lock is left", seconds=20)


@pytest.mark.parametrize("tool", CALLS)
def test_worker_that_is_killed_leaves_nothing_of_its_call(
    tool: str,
    prefork_server: OdooServer,
    backend: Backend,
    mark: str,
) -> None:
    key = backend.key("admin")
    params = {
        "name": tool,
        "arguments": CALLS[tool](mark),
        "_meta": {"progressToken": 1},
    }
    with McpClient(prefork_server.url, key) as client:
        connection = client.send("tools/call", params)
        eventually(lambda: running(backend, mark), "it runs")
        worker = _worker_of(backend, key)
        worker.send_signal(signal.SIGKILL)
        received(connection)
        require_nothing_left(backend, mark)
        backend.run(CLOSE_LOST)
        assert backend.entries(key)[-1]["status"] == "lost"
        result = client.tool("query_database", query="SELECT 1 AS n")
        assert result["structuredContent"]["rows"] == [{"n": 1}]


def _worker_of(backend: Backend, key: str) -> psutil.Process:
    [entry] = [row for row in backend.entries(key) if row["status"] == "open"]
    return psutil.Process(int(entry["process"].split()[-2]))


@pytest.mark.parametrize("workers", [0, 2])
def test_listener_that_is_killed_loses_no_job_and_leaves_nothing_of_its_calls(
    workers: int,
    make_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    mark: str,
) -> None:
    server = make_server(database=make_database(f"killed{workers}"), workers=workers)
    door = Door(server)
    with door.client() as client:
        background = {"command": "sleep 9; echo whole", "background": True}
        job = client.tool("execute_command", **background)["structuredContent"]
        listen = {"notifications": {"toolsListChanged": True}}
        stream = client.send("subscriptions/listen", listen)
        calls = [
            client.send("tools/call", {"name": tool, "arguments": CALLS[tool](mark)})
            for tool in CALLS
        ]
        eventually(lambda: len(processes(mark)) > 5, "they run")
        eventually(lambda: door.backend.rows(SLEEPING), "the statement runs, too")
        door.process().kill()
        for connection in (stream, *calls):
            received(connection)
    require_nothing_left(door.backend, mark)
    with door.client() as again:
        waiting = {"action": "wait", "job_id": job["job_id"]}
        found = again.tool("job", **waiting)["structuredContent"]
    assert (found["jobs"][0]["state"], found["output"]) == ("done", "whole\n")
    door.backend.run(CLOSE_LOST)
    entries = door.backend.entries(door.key)
    ends = {(row["tool"], row["status"]) for row in entries if row["tool"] in CALLS}
    lost = {(tool, "lost") for tool in CALLS}
    assert ends == lost | {("execute_command", "success")}
