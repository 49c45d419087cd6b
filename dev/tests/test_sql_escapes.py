"""No statement gets out of query_database: a real victim, and what could be left."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from dev.tests.aftermath import GATE_LOCK
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.sql_escapes import ESCAPES, HARMLESS
from dev.tests.waiting import at_once

VICTIM = [
    {"id": 1, "name": "one"},
    {"id": 2, "name": "two"},
    {"id": 3, "name": "three"},
]
CANARY = "mcp_canary"
TRACE = Path("/tmp/mcp_escaped")

SET_UP = """
CREATE TABLE mcp_victim (id int PRIMARY KEY, name text);
INSERT INTO mcp_victim VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE SEQUENCE mcp_victim_seq;
CREATE FUNCTION mcp_victim_empty() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM mcp_victim; RETURN 1; END';
CREATE PROCEDURE mcp_victim_call(INOUT n int) LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM mcp_victim; COMMIT; END';
"""
TEAR_DOWN = """
DROP PROCEDURE mcp_victim_call; DROP FUNCTION mcp_victim_empty;
DROP SEQUENCE mcp_victim_seq; DROP TABLE mcp_victim;
"""
SESSION = """
# a new transaction: what the call has set for its own has ended
env.cr.rollback()
env.cr.execute('''
    SELECT name, setting FROM pg_settings WHERE name IN (
        'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
        'transaction_read_only', 'default_transaction_read_only', 'role', 'search_path',
        'transaction_isolation', 'default_transaction_isolation', 'work_mem',
        'session_replication_role', 'client_encoding', 'row_security',
        'standard_conforming_strings')
    UNION ALL SELECT 'user', current_user::text
    UNION ALL SELECT 'listens to', string_agg(c, ',') FROM pg_listening_channels() c
    UNION ALL SELECT 'prepared', string_agg(name, ',') FROM pg_prepared_statements
    UNION ALL SELECT 'cursors', string_agg(name, ',') FROM pg_cursors
     ORDER BY 1''')
action = {'settings': env.cr.fetchall()}
"""


@pytest.fixture(scope="module")
def victim(backend: Backend) -> Iterator[None]:
    """A table to hurt, and what could do it."""
    with backend.cursor() as cursor:
        cursor.execute(SET_UP)
    yield
    with backend.cursor() as cursor:
        cursor.execute(TEAR_DOWN)


@pytest.fixture
def canary(backend: Backend, victim: None) -> Iterator[psycopg2.extensions.connection]:
    """A connection to terminate."""
    conninfo = backend.server.stack.postgres.conninfo
    own = psycopg2.connect(
        f"{conninfo} dbname='{backend.server.database}' application_name='{CANARY}'"
    )
    own.autocommit = True
    yield own
    own.close()


def require_unharmed(backend: Backend, canary: psycopg2.extensions.connection) -> None:
    """Fail if a statement had any effect that outlived it."""
    assert backend.rows("SELECT * FROM mcp_victim ORDER BY id") == VICTIM
    sequence = backend.rows("SELECT last_value, is_called FROM mcp_victim_seq")
    assert sequence == [{"last_value": 1, "is_called": False}]
    assert backend.rows("SELECT * FROM pg_prepared_xacts") == []
    held = (
        "SELECT pid, objid FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE locktype = 'advisory' AND datname = current_database() "
        f"AND classid::bigint <> {GATE_LOCK}"
    )
    assert backend.rows(held) == []
    assert not TRACE.exists()
    with canary.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]


@pytest.mark.parametrize("statement", ESCAPES, ids=lambda text: text[:60])
def test_escape_is_refused_and_leaves_no_trace(
    statement: str,
    client: McpClient,
    backend: Backend,
    canary: psycopg2.extensions.connection,
) -> None:
    result = client.tool("query_database", query=statement)
    require_unharmed(backend, canary)
    assert result.get("isError") is True, result


@pytest.mark.parametrize("statement", HARMLESS)
def test_statement_that_only_reads_passes(
    statement: str, client: McpClient, victim: None
) -> None:
    result = client.tool("query_database", query=statement)
    assert not result.get("isError"), result["content"][0]["text"]


@pytest.mark.parametrize(
    "value",
    [
        "'; DELETE FROM mcp_victim; --",
        "\\'; DELETE FROM mcp_victim; --",
        "%s); DELETE FROM mcp_victim; --",
        ["'); DELETE FROM mcp_victim; --"],
        {"'": "'); DELETE FROM mcp_victim; --"},
    ],
)
def test_parameter_stays_a_value(
    value: object,
    client: McpClient,
    backend: Backend,
    canary: psycopg2.extensions.connection,
) -> None:
    query = "SELECT %s AS value"
    result = client.tool("query_database", query=query, params=[value])
    require_unharmed(backend, canary)
    assert not result.get("isError"), result["content"][0]["text"]


def test_no_setting_of_a_refused_statement_stays_with_the_connection(
    client: McpClient,
    key: str,
    backend: Backend,
    canary: psycopg2.extensions.connection,
) -> None:
    backend.tool("tell_session", SESSION)

    def settings() -> object:
        with McpClient(backend.server.url, key) as own:
            result = own.tool("tell_session")
            assert not result.get("isError"), result["content"][0]["text"]
            return result["structuredContent"]["settings"]

    before = settings()
    assert ["transaction_read_only", "off"] in before
    for statement in (*ESCAPES, *HARMLESS):
        client.tool("query_database", query=statement)
    after = at_once([settings] * 8)
    assert after == [before] * 8
