"""database_activity beside real sessions: a lock, a long query, and its end."""

import contextlib
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from psycopg2 import errors

from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import Background, eventually

TABLE = "mcp_activity"


@pytest.fixture(scope="module")
def table(backend: Backend) -> Iterator[None]:
    """A table with rows to lock, indexes that are the same, and dead rows."""
    with backend.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {TABLE} (id int PRIMARY KEY, name text);"
            f"INSERT INTO {TABLE} SELECT n, n::text FROM generate_series(1, 20000) n;"
            f"CREATE INDEX {TABLE}_one ON {TABLE} (name);"
            f"CREATE INDEX {TABLE}_two ON {TABLE} (name);"
        )
    yield
    with backend.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


@pytest.fixture
def session(
    backend: Backend,
) -> Iterator[Callable[..., psycopg2.extensions.connection]]:
    """Make sessions of other programs, which end with the test."""
    conninfo = backend.server.stack.postgres.conninfo
    with contextlib.ExitStack() as stack:

        def make(name: str = "mcp_other", database: str | None = None):
            database = database or backend.server.database
            own = psycopg2.connect(
                f"{conninfo} dbname='{database}' application_name='{name}'"
            )
            stack.callback(own.close)
            stack.callback(own.cancel)  # close waits for what another thread runs
            return own

        yield make


def activity(client: McpClient, **arguments: object) -> dict:
    result = client.tool("database_activity", **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def refused(client: McpClient, **arguments: object) -> str:
    result = client.tool("database_activity", **arguments)
    assert result["isError"] is True
    return result["content"][0]["text"]


def execute(connection: psycopg2.extensions.connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def seen(client: McpClient, pid: int) -> dict | None:
    """What is told of a session as soon as it is busy."""
    found = activity(client, what="queries", min_seconds=0).get("queries", [])
    return next((row for row in found if row["pid"] == pid), None)


def test_long_query_is_seen_and_its_cancel_ends_it(client: McpClient, session) -> None:
    own = session()
    pid = own.info.backend_pid
    query = Background(lambda: execute(own, "SELECT pg_sleep(300) -- password=hunter2"))
    row = eventually(lambda: seen(client, pid), "it is seen")
    assert row["application"] == "mcp_other"
    assert (row["state"], row["wait"]) == ("active", "Timeout: PgSleep")
    assert row["query"].startswith("SELECT pg_sleep(300)")
    assert "hunter2" not in row["query"]
    cancelled = activity(client, cancel=pid)["cancelled"]
    assert (cancelled["pid"], cancelled["state"]) == (pid, "active")
    assert "pg_sleep(300)" in cancelled["query"]
    assert isinstance(query.failure(), errors.QueryCanceled)


def test_short_queries_are_left_out(client: McpClient, session) -> None:
    own = session()
    execute(own, "SELECT 1")  # idle in transaction from now on
    assert eventually(lambda: seen(client, own.info.backend_pid), "it is seen")
    rows = activity(client, what="queries", min_seconds=3600).get("queries", [])
    assert own.info.backend_pid not in {row["pid"] for row in rows}


def test_who_waits_for_whom_is_a_tree(client: McpClient, session, table: None) -> None:
    first, second, third = session("first"), session("second"), session("third")
    execute(first, f"UPDATE {TABLE} SET name = 'x' WHERE id = 1")
    execute(second, f"UPDATE {TABLE} SET name = 'y' WHERE id = 2")
    wanted = f"UPDATE {TABLE} SET name = '' WHERE id = "
    waits = [
        Background(lambda: execute(second, f"{wanted}1")),
        Background(lambda: execute(third, f"{wanted}2")),
    ]

    def tree() -> dict | None:
        roots = activity(client, what="locks").get("locks", [])
        [root] = [row for row in roots if row["pid"] == first.info.backend_pid] or [{}]
        blocked = root.get("blocks", [{}])[0]
        return root if blocked.get("blocks") else None

    root = eventually(tree, "both wait")
    assert root["state"] == "idle in transaction"
    [blocked] = root["blocks"]
    assert blocked["pid"] == second.info.backend_pid
    assert TABLE in blocked["waits_for"]
    [last] = blocked["blocks"]
    assert last["pid"] == third.info.backend_pid
    assert last["application"] == "third"
    note = activity(client, cancel=first.info.backend_pid)["cancelled"]["note"]
    assert "idle in transaction" in note
    first.rollback()
    waits[0].result()
    second.rollback()
    waits[1].result()


def test_only_sessions_of_this_database_are_cancelled(
    client: McpClient, session
) -> None:
    other = session("elsewhere", "postgres")
    pid = other.info.backend_pid
    query = Background(lambda: execute(other, "SELECT pg_sleep(2)"))
    assert seen(client, pid) is None
    for wrong in (pid, 1, 2**31 - 1, 2**40):
        assert "queries" in refused(client, cancel=wrong)
    assert query.failure() is None


def test_own_session_is_not_cancelled(client: McpClient, backend: Backend) -> None:
    code = (
        "env.cr.execute('SELECT pg_backend_pid()')\n"
        "pid = env.cr.fetchone()[0]\n"
        "action = env['mcp.toolset.database'].database_activity(cancel=pid)"
    )
    backend.tool("cancel_itself", code)
    result = client.tool("cancel_itself")
    assert result["isError"] is True


def test_queries_of_this_odoo_name_its_process(client: McpClient, server, key) -> None:
    call = Background(lambda: _sleep(server.url, key))

    def own() -> dict | None:
        rows = activity(client, what="queries", min_seconds=0).get("queries", [])
        return next((row for row in rows if "pg_sleep(300)" in row["query"]), None)

    row = eventually(own, "it runs")
    assert f"process {server.pid}" in row["process"]
    activity(client, cancel=row["pid"])
    assert call.result()["isError"] is True


def _sleep(url: str, key: str) -> dict:
    with McpClient(url, key) as own:
        return own.tool("query_database", query="SELECT pg_sleep(300)")


def test_tables_are_told_with_their_models_and_dead_rows(
    client: McpClient, backend: Backend, table: None
) -> None:
    rows = activity(client, what="tables")["tables"]
    assert len(rows) >= 10
    models = {row["table"]: row.get("model") for row in rows}
    assert models["ir_model_fields"] == "ir.model.fields"
    assert rows[0]["size_bytes"] >= rows[9]["size_bytes"]
    with backend.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} SET (autovacuum_enabled = off)")
        cursor.execute(f"DELETE FROM {TABLE} WHERE id > 5000")

    def dead() -> dict | None:
        found = activity(client, what="tables")["tables"]
        return next((row for row in found if row["table"] == TABLE), None)

    assert eventually(dead, "its dead rows are counted")["dead_rows"] >= 15000


def test_indexes_that_are_there_twice_or_for_nothing_are_told(
    client: McpClient, table: None
) -> None:
    found = activity(client, what="indexes")["indexes"]
    [twice] = [row for row in found["duplicate"] if row["table"] == TABLE]
    assert twice["same"] == [f"{TABLE}_one", f"{TABLE}_two"]
    assert f"{TABLE}_one" in {row["index"] for row in found["unused"]}
    assert f"{TABLE}_pkey" not in {row["index"] for row in found["unused"]}


def test_connections_and_what_statements_need_are_told(
    client: McpClient, backend: Backend
) -> None:
    [row] = backend.rows("SELECT current_setting('max_connections')::int AS most")
    most = row["most"]
    found = activity(client)
    connections = found["connections"]
    assert connections["most"] == most
    assert 0 < connections["of_this_database"] <= connections["used"] <= most
    assert 0 < connections["cache_hit_percent"] <= 100
    assert "CREATE EXTENSION pg_stat_statements" in found["note"]
    assert "tables" in found


def test_who_may_only_read_does_not_reach_it(server, backend: Backend) -> None:
    with McpClient(server.url, backend.key("admin", read_only=True)) as reader:
        answer = reader.call(
            "tools/call", {"name": "database_activity", "arguments": {}}
        )
    assert "Unknown tool" in answer.error["message"]


def test_who_waits_in_a_queue_is_told_once(
    client: McpClient, session, table: None
) -> None:
    first = session("queue")
    execute(first, f"UPDATE {TABLE} SET name = 'x' WHERE id = 3")
    queue = [session("queue") for _ in range(14)]
    statement = f"UPDATE {TABLE} SET name = '' WHERE id = 3"
    waits = [Background(lambda own=own: execute(own, statement)) for own in queue]

    def told() -> list[int] | None:
        roots = activity(client, what="locks").get("locks", [])
        pids = [pid for root in roots for pid in _pids(root)]
        return pids if len(pids) > len(queue) else None

    pids = eventually(told, "all wait")
    assert sorted(pids) == sorted(own.info.backend_pid for own in [first, *queue])
    first.rollback()
    for own in queue:
        own.cancel()
    failures = [wait.failure() for wait in waits]
    assert any(failures)


def _pids(row: dict) -> list[int]:
    below = [pid for one in row.get("blocks", ()) for pid in _pids(one)]
    return [row["pid"], *below]


def test_a_table_that_is_being_altered_costs_the_rest_nothing(
    client: McpClient, session, table: None
) -> None:
    own = session("alters")
    execute(own, f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
    other = session("reads")
    wait = Background(lambda: execute(other, f"SELECT FROM {TABLE}"))
    assert eventually(lambda: activity(client, what="locks").get("locks"), "it waits")
    found = activity(client)
    [root] = found["locks"]
    assert root["pid"] == own.info.backend_pid
    assert "tables: not told" in found["note"]
    assert "tables" not in found
    assert found["connections"]
    own.rollback()
    wait.result()
