"""The code tools at each door: what they tell, and what must not stop a server."""

import time
from collections.abc import Iterator

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient, unmarked
from dev.tests.waiting import Background, eventually, within

FOR_EVER = r"(\w+)+~~"
"""Exponential in the length of the words, of which source code has long ones."""


@pytest.fixture
def caller(either_door: str, key: str) -> Iterator[McpClient]:
    with McpClient(either_door, key) as own:
        yield own


@pytest.fixture
def short_patience(backend: Backend) -> Iterator[int]:
    """Seconds that a search may take."""
    backend.parameter("command_timeout", 4)
    yield 4
    backend.parameter("command_timeout", 30)


def told(client: McpClient, name: str, /, **arguments: object) -> dict:
    result = client.tool(name, **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return unmarked(result["structuredContent"])


def test_each_door_tells_of_models_routes_and_source(caller: McpClient) -> None:
    chain = told(caller, "inspect_model", model="res.partner", name="write")["chain"]
    assert chain[-1]["module"] == "odoo"
    [route] = told(caller, "find_definition", name="/web/login")["found"]
    assert route["chain"][-1]["module"] == "web"
    found = told(
        caller, "search_code", pattern="def _compute_display_name", module="base"
    )
    assert found["matches"] > 0
    assert "stale" not in told(caller, "inspect_model", model="mcp.tool")


def test_a_pattern_that_takes_for_ever_holds_nobody_up_and_leaves_no_process(
    server: OdooServer, key: str, short_patience: int
) -> None:
    before = {process.pid for process in psutil.Process(server.pid).children(True)}
    began = time.monotonic()
    with McpClient(server.url, key) as one, McpClient(server.url, key) as other:
        search = Background(
            lambda: one.tool("search_code", pattern=FOR_EVER, regex=True, module="base")
        )
        answered = 0
        while not search.done():
            asked = time.monotonic()
            told(other, "query_database", query="SELECT 1")
            assert within(short_patience / 2, asked)
            answered += 1
        result = search.result()
    assert result["isError"]
    assert f"{short_patience} s" in result["content"][0]["text"]
    assert within(3 * short_patience, began)
    assert answered > 10
    eventually(
        lambda: {p.pid for p in psutil.Process(server.pid).children(True)} <= before,
        "the search has ended",
    )
