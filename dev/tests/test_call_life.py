"""A call is written down before it runs, runs at most once, and ends whole or not."""

from collections.abc import Callable, Iterator

import psutil
import pytest
import requests

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import Background, eventually

CLOSE_LOST = "action = env['mcp.audit.log']._close_lost()"
SLEEPING = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event = 'PgSleep'"
)
LOCKED = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
TIMEOUT = 3


@pytest.fixture
def short_timeout(backend: Backend) -> Iterator[int]:
    """Seconds that a query may take, for as long as the test."""
    backend.parameter("query_timeout", TIMEOUT)
    yield TIMEOUT
    backend.parameter("query_timeout", False)


def in_background(server: OdooServer, key: str, tool: str, **arguments: object):
    """A call from a client of its own, under way."""

    def call() -> dict:
        with McpClient(server.url, key) as client:
            return client.tool(tool, **arguments)

    return Background(call)


def sleep(server: OdooServer, key: str, seconds: int) -> Background:
    query = f"SELECT pg_sleep({seconds})::text"
    return in_background(server, key, "query_database", query=query)


def statuses(backend: Backend, key: str) -> list[str]:
    return [entry["status"] for entry in backend.entries(key)]


def partners(backend: Backend, name: str) -> int:
    query = "SELECT count(*) AS n FROM res_partner WHERE name = %s"
    return backend.rows(query, name)[0]["n"]


def test_calls_of_a_killed_server_are_written_down_told_lost_and_undone(
    make_server: Callable[..., OdooServer], backend: Backend, short_timeout: int
) -> None:
    own, key = make_server(), backend.key("admin")
    backend.tool(
        "write_slowly",
        "env['res.partner'].create({'name': 'half written'})\n"
        "env.cr.execute('SELECT pg_sleep(60)')",
        timeout=short_timeout,
    )
    calls = [sleep(own, key, 60), in_background(own, key, "write_slowly")]
    eventually(lambda: len(backend.rows(SLEEPING)) == 2, "both run")
    own.kill()
    assert statuses(backend, key) == ["open", "open"]
    for call in calls:
        assert isinstance(call.failure(), requests.ConnectionError)
    backend.run(CLOSE_LOST)
    assert statuses(backend, key) == ["lost", "lost"]
    eventually(
        lambda: not backend.rows(SLEEPING),
        "PostgreSQL ends what the killed server ran at its timeout",
        seconds=short_timeout + 2,
    )
    assert partners(backend, "half written") == 0


def test_call_of_a_killed_worker_is_told_lost_and_the_others_go_on(
    prefork_server: OdooServer, backend: Backend, short_timeout: int
) -> None:
    key = backend.key("admin")
    call = sleep(prefork_server, key, 60)
    eventually(lambda: backend.rows(SLEEPING), "the query runs")
    [entry] = backend.entries(key)
    worker = psutil.Process(int(entry["process"].split()[1]))
    assert worker.ppid() == prefork_server.pid
    worker.kill()
    assert call.failure() is not None
    backend.run(CLOSE_LOST)
    assert statuses(backend, key) == ["lost"]
    with McpClient(prefork_server.url, key) as client:
        assert not client.tool("query_database", query="SELECT 1").get("isError")
    eventually(lambda: not backend.rows(SLEEPING), "its query ends")


def test_call_that_still_runs_is_not_told_lost(
    server: OdooServer, second_server: OdooServer, backend: Backend
) -> None:
    key = backend.key("admin")
    call = sleep(second_server, key, 2)
    eventually(lambda: statuses(backend, key) == ["open"], "the call has begun")
    assert backend.server is not second_server
    backend.run(CLOSE_LOST)
    assert statuses(backend, key) == ["open"]
    assert not call.result().get("isError")
    assert statuses(backend, key) == ["success"]


@pytest.fixture
def contended(backend: Backend) -> Iterator[str]:
    """A tool that counts its runs for ever, then updates a row others update too."""
    with backend.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE mcp_test_runs")
        cursor.execute("CREATE TABLE mcp_test_contended AS SELECT 0 AS n")
    tool = backend.tool(
        "contend",
        "env.cr.execute(\"SELECT nextval('mcp_test_runs')\")\n"
        "env.cr.execute('UPDATE mcp_test_contended SET n = n + 100')",
    )
    yield "contend"
    backend.execute("mcp.tool", "unlink", [tool])
    with backend.cursor() as cursor:
        cursor.execute("DROP TABLE mcp_test_contended")
        cursor.execute("DROP SEQUENCE mcp_test_runs")


def test_tool_that_loses_to_a_concurrent_update_has_run_once_and_says_so(
    either_server: OdooServer, backend: Backend, contended: str
) -> None:
    key = backend.key("admin")
    with backend.cursor() as cursor:
        cursor.execute("UPDATE mcp_test_contended SET n = n + 1")
        call = in_background(either_server, key, contended)
        eventually(lambda: backend.rows(LOCKED), "the tool waits for the row")
    result = call.result()
    assert result["isError"] is True
    assert "40001" in result["content"][0]["text"]
    runs = backend.rows("SELECT last_value, is_called FROM mcp_test_runs")
    assert runs == [{"last_value": 1, "is_called": True}]
    assert backend.rows("SELECT n FROM mcp_test_contended") == [{"n": 1}]
    [entry] = backend.entries(key)
    assert (entry["status"], entry["error_class"]) == ("error", "SerializationFailure")


def test_what_a_tool_wrote_is_there_for_others_when_it_has_answered(
    client: McpClient, backend: Backend
) -> None:
    backend.tool("write", "env['res.partner'].create({'name': 'written'})")
    assert not client.tool("write").get("isError")
    assert partners(backend, "written") == 1


@pytest.mark.parametrize(
    ("failure", "told", "kind"),
    [
        ("raise UserError('not today')", "not today", "UserError"),
        ("env['res.partner'].browse(1).no_such_method()", "audit entry", "ValueError"),
        ("env.cr.execute('SELECT nothing')", "audit entry", "ValueError"),
    ],
    ids=["user error", "programming error", "SQL error"],
)
def test_tool_that_fails_leaves_nothing_but_its_audit_entry(
    failure: str,
    told: str,
    kind: str,
    server: OdooServer,
    backend: Backend,
    request: pytest.FixtureRequest,
) -> None:
    name = f"fail_{request.node.callspec.id.replace(' ', '_')}"
    key = backend.key("admin")
    code = f"env['res.partner'].create({{'name': {name!r}}})\n{failure}"
    backend.tool(name, code)
    with McpClient(server.url, key) as client:
        result = client.tool(name)
    assert result["isError"] is True
    assert told in result["content"][0]["text"]
    assert partners(backend, name) == 0
    [entry] = backend.entries(key)
    assert (entry["status"], entry["error_class"]) == ("error", kind)


@pytest.mark.parametrize(
    "write",
    [
        "env['res.partner'].create({'name': 'sneaked in'})",
        "env.cr.execute(\"INSERT INTO res_partner (name) VALUES ('sneaked in')\")",
        "env.cr.execute('SET TRANSACTION READ WRITE')\n"
        "env['res.partner'].create({'name': 'sneaked in'})",
        "env['ir.config_parameter'].sudo().set_param('sneaked in', 'yes')",
    ],
    ids=["ORM", "SQL", "SET TRANSACTION", "sudo"],
)
def test_tool_that_says_it_only_reads_cannot_write(
    write: str, client: McpClient, backend: Backend, request: pytest.FixtureRequest
) -> None:
    name = f"pretend_{request.node.callspec.id.replace(' ', '_')}"
    backend.tool(name, write, read_only_hint=True)
    assert client.tool(name)["isError"] is True
    assert partners(backend, "sneaked in") == 0
    query = "SELECT 1 FROM ir_config_parameter WHERE key = 'sneaked in'"
    assert backend.rows(query) == []
