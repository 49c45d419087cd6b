"""What is too much or takes too long is cut, and the server stays small and awake."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually

MILLION = "FROM generate_series(1, 1000000) n"
MEBIBYTE = 1024 * 1024
MOST_GROWTH = 20 * MEBIBYTE
MOST_BYTES = 1_000_000
ROWS = 1000
TIMEOUT = 1
BUSY = (
    "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND state <> 'idle' AND query ILIKE %s"
)


def memory(server: OdooServer, field: str) -> int:
    """Bytes of the server process, by the name in its /proc status."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {field}")


def peak_growth(server: OdooServer, client: McpClient, query: str) -> tuple[int, dict]:
    """Bytes by which the process grew at most during a query, and the result."""
    for _warm_up in range(2):
        client.tool("query_database", query="SELECT n FROM generate_series(1, 1000) n")
    before = memory(server, "VmRSS")
    # makes the kernel forget the peak (proc(5), clear_refs)
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    result = client.tool("query_database", query=query, limit=10_000)
    return memory(server, "VmHWM") - before, result


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT n {MILLION}",
        f"SELECT n, repeat('x', 1000) AS wide {MILLION}",
        f"SELECT n, repeat('x', 10000) AS wide {MILLION}",
        f"SELECT n, repeat('x', 200000) AS wide {MILLION}",
    ],
    ids=["numbers", "1 kB rows", "10 kB rows", "200 kB rows"],
)
def test_million_rows_are_cut_and_cost_no_memory(
    query: str, server: OdooServer, client: McpClient
) -> None:
    growth, result = peak_growth(server, client, query)
    content = result["structuredContent"]
    assert content["truncated"] is True
    assert 1 <= content["row_count"] == len(content["rows"]) <= ROWS
    assert [row["n"] for row in content["rows"]] == list(
        range(1, content["row_count"] + 1)
    )
    assert growth < MOST_GROWTH, f"{growth / MEBIBYTE:.1f} MiB"


@pytest.mark.parametrize("width", [500, 5_000, 50_000])
def test_answer_stays_near_the_byte_cap_whatever_the_width_of_a_row(
    width: int, client: McpClient
) -> None:
    query = f"SELECT repeat('x', {width}) AS wide {MILLION}"
    result = client.tool("query_database", query=query, limit=10_000)
    content = result["structuredContent"]
    assert content["truncated"] is True
    text = result["content"][0]["text"]
    assert len(text) < MOST_BYTES + width + 1000
    if width * ROWS > MOST_BYTES:
        assert len(text) > MOST_BYTES - 2 * width


def test_one_row_over_the_byte_cap_is_told_and_not_sent_whole(
    client: McpClient,
) -> None:
    query = "SELECT repeat(n::text, 5000000) AS wide FROM generate_series(1, 2) n"
    arguments = {"query": query}
    answer = client.call(
        "tools/call", {"name": "query_database", "arguments": arguments}
    )
    assert len(answer.response.content) < 4 * MOST_BYTES
    assert "internal error" not in answer.response.text


def test_long_literal_in_a_plan_costs_no_more_than_some_copies_of_it(
    server: OdooServer, client: McpClient
) -> None:
    size = 10_000_000
    query = (
        f"SELECT length(t) AS n FROM (SELECT repeat('x', {size}) AS t OFFSET 0) AS own"
    )
    growth, result = peak_growth(server, client, query)
    assert result["structuredContent"]["rows"] == [{"n": size}]
    assert growth < 12 * size, f"{growth / MEBIBYTE:.1f} MiB"


@pytest.fixture
def short_timeout(backend: Backend) -> Iterator[None]:
    """Queries may take a second, for as long as the test."""
    backend.parameter("query_timeout", TIMEOUT)
    yield
    backend.parameter("query_timeout", False)


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT pg_sleep(60)::text",
        "SELECT count(*) FROM generate_series(1, 100000000000) n",
        "SELECT a.n FROM generate_series(1, 100000) a(n), generate_series(1, 100000) b "
        "WHERE a.n + b < 0",
    ],
    ids=["sleeping", "counting", "joining"],
)
def test_query_that_takes_too_long_is_stopped(
    query: str, client: McpClient, backend: Backend
) -> None:
    began = time.monotonic()
    result = client.tool("query_database", query=query)
    assert time.monotonic() - began < 5 * TIMEOUT
    assert result["isError"] is True
    assert "57014" in result["content"][0]["text"]
    assert backend.rows(BUSY, "%mcp_result%") == []
    assert not client.tool("query_database", query="SELECT 1").get("isError")


@pytest.mark.usefixtures("short_timeout")
def test_query_that_waits_for_a_lock_is_stopped(
    client: McpClient, backend: Backend
) -> None:
    with backend.cursor() as cursor:
        cursor.execute("CREATE TABLE mcp_test_locked AS SELECT 1 AS n")
    with backend.cursor() as cursor:
        cursor.execute("LOCK TABLE mcp_test_locked")
        result = client.tool("query_database", query="SELECT * FROM mcp_test_locked")
        cursor.execute("DROP TABLE mcp_test_locked")
    assert result["isError"] is True
    assert not client.tool("query_database", query="SELECT 1").get("isError")


def test_timeout_of_the_tool_record_ends_its_code_too(
    client: McpClient, backend: Backend
) -> None:
    backend.tool("dawdle", "env.cr.execute('SELECT pg_sleep(60)')", timeout=TIMEOUT)
    began = time.monotonic()
    assert client.tool("dawdle")["isError"] is True
    assert time.monotonic() - began < 5 * TIMEOUT
    eventually(
        lambda: not backend.rows(BUSY, "%pg_sleep(60)%"), "nothing is left", seconds=1
    )
