"""Calls that are stopped while they run: nothing of them stays."""

import socket
from collections.abc import Callable, Iterator

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import LEGACY, MODERN, McpClient, received
from dev.tests.processes import processes
from dev.tests.waiting import eventually


@pytest.fixture
def own_key(backend: Backend) -> str:
    """A key whose audit entries are this test's alone."""
    return backend.key("admin")


class Caller:
    """A client that starts calls and stops them, as its revision has it."""

    def __init__(self, backend: Backend, key: str, url: str, revision: str) -> None:
        self.backend = backend
        self.key = key
        self.client = McpClient(url, key, revision=revision)

    def entry(self, status: str) -> dict | None:
        """The entry of the latest call, once it has this status."""
        entries = self.backend.entries(self.key)[-1:]
        return next((row for row in entries if row["status"] == status), None)

    def start(self, tool: str, **arguments: object) -> socket.socket:
        """Start a call, and return its connection once it has been let in."""
        params = {"name": tool, "arguments": arguments}
        connection = self.client.send("tools/call", params, request_id="the call")
        eventually(lambda: self.entry("open"), "the call was let in")
        return connection

    def stop(self, connection: socket.socket) -> None:
        """Stop a call, and see that its client is told no more than it may be."""
        if self.client.revision == MODERN:
            connection.close()
        else:
            cancel(self.client, "the call")
            require_no_answer(connection)
        eventually(lambda: self.entry("cancelled"), "the audit says it", seconds=20)


def require_no_answer(connection: socket.socket) -> None:
    """Fail if a call that was stopped is answered but by HTTP's needs.

    A stream, which it is after 15 s of silence, ends without a response.
    """
    answer = received(connection)
    if b"text/event-stream" in answer:
        assert b"data:" not in answer
    else:
        assert b"was cancelled" in answer


def cancel(client: McpClient, request_id: object, **headers: str) -> None:
    """Send ``notifications/cancelled``, as it is over HTTP before 2026-07-28."""
    params = {"requestId": request_id, "reason": "the user has had enough"}
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
    sent = client.headers(note["method"], {}, LEGACY) | headers
    answer = client.post(note, headers=sent)
    assert (answer.status, answer.body) == (202, None)


@pytest.fixture(params=[LEGACY, MODERN])
def caller(
    request: pytest.FixtureRequest, backend: Backend, own_key: str, either_door: str
) -> Iterator[Caller]:
    """A client of each kind at each door."""
    found = Caller(backend, own_key, either_door, request.param)
    yield found
    found.client.session.close()


def sleeping(backend: Backend) -> list[dict]:
    """The backends that sleep because a statement told them to."""
    return backend.rows(
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
        "AND datname = current_database()"
    )


def test_command_is_killed_with_all_that_it_has_started(
    caller: Caller, mark: str
) -> None:
    command = f"sleep {mark} & setsid sleep {mark} & sleep {mark}"
    connection = caller.start("execute_command", command=command)
    eventually(lambda: len(processes(mark)) > 3, "it runs")
    caller.stop(connection)
    eventually(lambda: not processes(mark), "nothing of it runs", seconds=10)


def test_query_ends_in_postgresql(caller: Caller, backend: Backend) -> None:
    connection = caller.start("query_database", query="SELECT pg_sleep(100)")
    eventually(lambda: sleeping(backend), "PostgreSQL runs it")
    caller.stop(connection)
    assert sleeping(backend) == []


def test_what_sql_has_written_is_rolled_back(caller: Caller, backend: Backend) -> None:
    name = f"half of {caller.client.url} {caller.client.revision}"
    script = f"INSERT INTO res_partner (name) VALUES ('{name}'); SELECT pg_sleep(100)"
    connection = caller.start("execute_sql", statement=script)
    eventually(lambda: sleeping(backend), "it has written")
    caller.stop(connection)
    assert backend.rows("SELECT 1 FROM res_partner WHERE name = %s", name) == []


def test_code_ends_in_the_middle_and_leaves_nothing(
    caller: Caller, backend: Backend, mark: str
) -> None:
    name = f"code of {caller.client.url} {caller.client.revision}"
    code = (
        f"env['res.partner'].create({{'name': {name!r}}}); env.flush_all()\n"
        f"import subprocess; subprocess.run(['sleep', '{mark}'])"
    )
    connection = caller.start("odoo_shell", code=code)
    eventually(lambda: processes(mark), "it runs")
    caller.stop(connection)
    assert processes(mark) == []
    assert backend.rows("SELECT 1 FROM res_partner WHERE name = %s", name) == []


def test_code_of_a_record_is_stopped_and_rolled_back(
    caller: Caller, backend: Backend, slow_tool: str
) -> None:
    connection = caller.start(slow_tool)
    eventually(lambda: sleeping(backend), "it has written")
    caller.stop(connection)
    assert backend.rows("SELECT 1 FROM res_partner WHERE name = 'by a record'") == []


@pytest.fixture(scope="module")
def slow_tool(backend: Backend) -> str:
    """A tool that is a record, writes, and takes long."""
    code = (
        "env['res.partner'].create({'name': 'by a record'}).flush_recordset()\n"
        "env.cr.execute('SELECT pg_sleep(100)')"
    )
    backend.tool("write_and_wait", code)
    return "write_and_wait"


def test_wish_that_arrives_at_another_server_is_obeyed(
    server: OdooServer,
    second_server: OdooServer,
    backend: Backend,
    own_key: str,
    mark: str,
) -> None:
    caller = Caller(backend, own_key, server.url, LEGACY)
    connection = caller.start("execute_command", command=f"sleep {mark}")
    with McpClient(second_server.url, own_key, revision=LEGACY) as other:
        cancel(other, "the call")
    assert b"was cancelled" in received(connection)
    eventually(lambda: not processes(mark), "nothing of it runs", seconds=10)


@pytest.mark.parametrize("who", ["another user", "another key", "another client"])
def test_request_of_somebody_else_is_not_stopped_and_nobody_is_told(
    who: str, server: OdooServer, backend: Backend, own_key: str, mark: str
) -> None:
    caller = Caller(backend, own_key, server.url, LEGACY)
    connection = caller.start("execute_command", command=f"sleep {mark} & sleep 3")
    group = "odoo_dev_mcp.odoo_dev_mcp_group_developer"
    headers = {}
    if who == "another user":
        login = "canceller"
        backend.user(login, group)
        key = backend.key(login)
    elif who == "another key":
        key = backend.key("admin")
    else:
        key, headers = own_key, {"User-Agent": "another client"}
    with McpClient(server.url, key, revision=LEGACY) as other:
        cancel(other, "the call", **headers)
        cancel(other, "no such call", **headers)
        cancel(other, {"no": "id"}, **headers)
    query = "SELECT cancel_requested FROM mcp_audit_log WHERE id = %s"
    assert backend.rows(query, caller.entry("open")["id"]) == [
        {"cancel_requested": None}
    ]
    cancel(caller.client, "the call")
    assert b"was cancelled" in received(connection)


def test_wish_that_could_mean_two_calls_stops_neither(
    server: OdooServer, backend: Backend, own_key: str
) -> None:
    callers = [Caller(backend, own_key, server.url, LEGACY) for _turn in range(2)]
    connections = [
        caller.start("execute_command", command="sleep 8; echo whole")
        for caller in callers
    ]
    cancel(callers[0].client, "the call")
    for connection in connections:
        assert b"whole" in received(connection)


def test_late_wish_is_ignored(server: OdooServer, own_key: str) -> None:
    with McpClient(server.url, own_key, revision=LEGACY) as client:
        received(client.send("tools/call", {"name": "list_modules"}, request_id=3))
        cancel(client, 3)
        assert client.tool("list_modules")["structuredContent"]["modules"]


def test_installation_that_is_stopped_leaves_no_module_half_marked(
    make_database: Callable[[str], str],
    make_server: Callable[..., OdooServer],
) -> None:
    own = make_server(database=make_database("cancelled"), workers=2)
    backend = Backend(own)
    caller = Caller(backend, backend.key("admin"), own.url, LEGACY)
    with McpClient(own.url, caller.key) as client:
        names = client.tool("list_modules", state="uninstalled", limit=500)
    wanted = {row["name"] for row in names["structuredContent"]["modules"]}
    [name] = [name for name in ("crm", "project", "survey") if name in wanted][:1]
    connection = caller.start("install_module", module_name=name)
    query = "SELECT 1 FROM ir_module_module WHERE state = 'to install'"
    eventually(lambda: backend.rows(query), "it has begun")
    cancel(caller.client, "the call")
    require_no_answer(connection)
    assert backend.rows(query) == []
    with McpClient(own.url, caller.key) as client:
        assert client.tool("list_modules", limit=1)["structuredContent"]["modules"]
