"""explain_query as a client sees it: no escape, and indexes that are imagined."""

from collections.abc import Iterator

import psycopg2
import pytest

from dev.postgres import SUPERUSER
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.sql_escapes import ESCAPES
from dev.tests.test_sql_escapes import (  # noqa: F401
    canary,
    require_unharmed,
    victim,
)


@pytest.mark.parametrize("analyze", [False, True])
def test_no_escape_leaves_a_trace(
    analyze: bool,
    client: McpClient,
    backend: Backend,
    canary: psycopg2.extensions.connection,  # noqa: F811
) -> None:
    for statement in ESCAPES:
        result = client.tool("explain_query", query=statement, analyze=analyze)
        text = result["content"][0]["text"]
        assert "internal error" not in text, (statement, text)
        # EXPLAIN takes a DECLARE, and only selects
        may_pass = not analyze or statement.startswith("DECLARE")
        assert result.get("isError") or may_pass, (statement, text)
        require_unharmed(backend, canary)


@pytest.fixture
def hypopg(backend: Backend) -> Iterator[None]:
    """The extension, where PostgreSQL has it and lets its superuser in."""
    postgres = backend.server.stack.postgres
    try:
        own = psycopg2.connect(
            f"host='{postgres.host}' port={postgres.port} user={SUPERUSER} "
            f"dbname='{backend.server.database}'"
        )
    except psycopg2.OperationalError:
        pytest.skip("no superuser of this PostgreSQL can be had")
    own.autocommit = True
    with own.cursor() as cursor:
        try:
            cursor.execute("CREATE EXTENSION hypopg")
        except psycopg2.Error:
            pytest.skip("this PostgreSQL has no hypopg")
        yield
        cursor.execute("DROP EXTENSION hypopg")
    own.close()


def test_imagined_index_is_used_in_the_plan_and_gone_after_it(
    client: McpClient, backend: Backend, hypopg: None
) -> None:
    with backend.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE mcp_imagined AS SELECT n AS id, md5(n::text) AS name "
            "FROM generate_series(1, 50000) n; ANALYZE mcp_imagined"
        )
    query = "SELECT id FROM mcp_imagined WHERE name = 'x'"
    try:
        for indexes, used in (
            (["mcp_imagined(name)"], ["mcp_imagined(name)"]),
            (
                ["mcp_imagined(id)", "mcp_imagined(name, id)"],
                ["mcp_imagined(name, id)"],
            ),
            (["mcp_imagined(id)"], []),
        ):
            result = client.tool("explain_query", query=query, indexes=indexes)
            found = result["structuredContent"]["hypothetical"]
            assert found["used"] == used
            assert (found["cost_after"] < found["cost_before"]) == bool(used)
        for indexes, word in (
            (["mcp_imagine(name)"], "mcp_imagined"),
            (["mcp_imagined(nam)"], "name"),
            (["res.partner(emial)"], "email"),
            (["mcp_imagined(name) WHERE true"], "table(column"),
        ):
            result = client.tool("explain_query", query=query, indexes=indexes)
            assert result["isError"] is True
            assert word in result["content"][0]["text"]
        result = client.tool("explain_query", query=query)
        assert "Seq Scan" in result["structuredContent"]["plan"]
        acts = "SELECT * FROM hypopg_create_index('CREATE INDEX ON mcp_imagined (id)')"
        assert client.tool("query_database", query=acts)["isError"] is True
    finally:
        with backend.cursor() as cursor:
            cursor.execute("DROP TABLE mcp_imagined")
