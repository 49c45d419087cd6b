"""The server's own connections to PostgreSQL are kept: nothing of a call stays in them,
and their end is the end of none."""

from collections.abc import Iterator

import pytest

from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually

HIDING = """
CREATE FUNCTION mcp_hidden_path() RETURNS text LANGUAGE plpgsql AS
    $$BEGIN PERFORM set_config('search_path', 'nowhere', false);
      RETURN current_setting('search_path'); END$$;
CREATE FUNCTION mcp_hidden_lock() RETURNS int LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_advisory_lock(4711); RETURN 1; END$$;
CREATE FUNCTION mcp_hidden_listener() RETURNS int LANGUAGE plpgsql AS
    $$BEGIN LISTEN mcp_hidden; RETURN 1; END$$;
"""
SHOWING = """
DROP FUNCTION mcp_hidden_path;
DROP FUNCTION mcp_hidden_lock;
DROP FUNCTION mcp_hidden_listener;
"""


@pytest.fixture(scope="module")
def hiding(backend: Backend) -> Iterator[None]:
    """Functions that act on the session, which no plan of a query shows."""
    with backend.cursor() as cursor:
        cursor.execute(HIDING)
    yield
    with backend.cursor() as cursor:
        cursor.execute(SHOWING)


def test_a_query_that_changes_the_session_changes_nothing_for_the_next(
    backend: Backend, either_door: str, key: str, hiding: None
) -> None:
    with McpClient(either_door, key) as client:
        for name in ("path", "lock", "listener"):
            query = f"SELECT mcp_hidden_{name}() AS told"
            client.tool("query_database", query=query)
            # what the server itself does comes between: it needs its own functions
            query = "SELECT name FROM res_partner WHERE id = 1"
            result = client.tool("query_database", query=query)
            assert result["structuredContent"]["row_count"] == 1, result
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"
    assert backend.rows(held) == [{"count": 0}]


def test_no_transaction_is_left_open_behind_a_query(
    backend: Backend, either_door: str, key: str
) -> None:
    with McpClient(either_door, key) as client:
        for query in ("SELECT 1", "SELECT 1/0", "SELECT nonsense", "SHOW work_mem"):
            client.tool("query_database", query=query)
    idle = (
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
        "AND state LIKE 'idle in transaction%%'"
    )
    eventually(lambda: backend.rows(idle) == [], "a transaction stays open")


def test_a_call_comes_through_when_postgresql_has_ended_all_connections(
    backend: Backend, either_door: str, key: str
) -> None:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND state = 'idle' "
        # the listener lives as long as its lock
        "AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
    )
    with McpClient(either_door, key) as client:
        client.tool("query_database", query="SELECT 1 AS before")
        assert backend.rows(end)
        before = len(backend.entries(key))
        result = client.tool("query_database", query="SELECT 1 AS after")
    assert result["structuredContent"]["rows"] == [{"after": 1}], result
    entries = backend.entries(key)
    assert len(entries) == before + 1
    assert entries[-1]["status"] == "success"


def test_a_key_that_is_suspended_behind_odoo_is_refused_at_once(
    backend: Backend, either_door: str
) -> None:
    own = backend.key("admin")
    with McpClient(either_door, own) as client:
        client.tool("query_database", query="SELECT 1")
        with backend.cursor() as cursor:
            cursor.execute(
                "UPDATE mcp_api_key SET suspended = true WHERE id = %s",
                [backend.key_id(own)],
            )
        asked = {"name": "query_database", "arguments": {"query": "SELECT 1"}}
        answer = client.call("tools/call", asked)
    assert answer.status == 401
    assert "suspended" in answer.error["message"]
