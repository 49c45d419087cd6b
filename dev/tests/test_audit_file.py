"""The audit file has one whole line for each call, and none that a caller forged."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import at_once

CLIENTS = 8
CALLS = 10
LINE = re.compile(
    r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\] DB=\S+ USER=\d+ TOOL=\S+ ARGS=\"(.*)\""
    r"( ROWS=\d+)?( STATUS=\w+)? DURATION=\d+ms"
)
DECEPTIONS = {
    "newline": "x\n[2026-01-01T00:00:00Z] DB=forged USER=2 TOOL=y DURATION=1ms",
    "carriage return": "x\r[2026-01-01T00:00:00Z] DB=forged",
    "line separator": "x\u2028[2026-01-01T00:00:00Z]\u2029DB=forged\x85",
    "vertical": "x\x0b\x0c\x1c\x1d\x1eDB=forged",
    "ANSI": "\x1b[2K\x1b[1A\x1b]0;title\x07\x9b31m",
    "right to left": "\u202egnissap\u2066\u200f\u061c",
    "quote": 'x" STATUS=success DURATION=0ms \\" \\',
    "delete": "x\x7f\x08\x08\x08",
    "surrogates": "\U0001f600 \u00e9",
}


@pytest.fixture
def audit_file(backend: Backend, tmp_path: Path) -> Iterator[Path]:
    """The file, for as long as the test."""
    path = tmp_path / "audit.log"
    backend.parameter("audit_file", path)
    yield path
    backend.parameter("audit_file", False)


def test_lines_of_eight_clients_are_whole_and_one_for_each_call(
    either_server: OdooServer, backend: Backend, audit_file: Path
) -> None:
    key = backend.key("admin")

    def call(number: int) -> None:
        with McpClient(either_server.url, key) as client:
            for turn in range(CALLS):
                query = f"SELECT {number} AS client, {turn} AS turn -- {'x' * 1500}"
                client.tool("query_database", query=query)

    at_once([lambda number=number: call(number) for number in range(CLIENTS)])
    lines = audit_file.read_text("ascii").split("\n")
    assert lines.pop() == ""
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    told = sorted(
        re.findall(r"SELECT (\d+) AS client, (\d+) AS turn", "\n".join(lines))
    )
    assert told == [
        (str(who), str(turn)) for who in range(CLIENTS) for turn in range(CALLS)
    ]


@pytest.mark.parametrize("value", DECEPTIONS.values(), ids=DECEPTIONS)
def test_argument_cannot_forge_a_line_or_deceive_a_terminal(
    value: str, client: McpClient, audit_file: Path
) -> None:
    client.tool("query_database", query="SELECT %s AS value", params=[value])
    client.tool("query_database", **{"query": "SELECT 1", value: "unknown"})
    written = audit_file.read_bytes()
    assert written.count(b"\n") == 2
    assert all(byte == 10 or 32 <= byte < 127 for byte in written)
    for line in written.decode().splitlines():
        assert LINE.fullmatch(line), line


@pytest.mark.parametrize("value", DECEPTIONS.values(), ids=DECEPTIONS)
def test_name_of_an_unknown_tool_cannot_forge_a_line(
    value: str, client: McpClient, audit_file: Path
) -> None:
    headers = {"Mcp-Name": None, "MCP-Protocol-Version": "2025-06-18"}
    params = {"name": value, "arguments": {}}
    answer = client.call("tools/call", params, revision="2025-06-18", headers=headers)
    assert answer.error["code"] == -32602
    written = audit_file.read_bytes()
    assert written.count(b"\n") == 1
    assert all(byte == 10 or 32 <= byte < 127 for byte in written)


def test_file_that_is_moved_away_by_rotation_is_begun_anew(
    client: McpClient, audit_file: Path
) -> None:
    client.tool("query_database", query="SELECT 1")
    audit_file.rename(audit_file.with_suffix(".1"))
    client.tool("query_database", query="SELECT 2")
    assert audit_file.read_text().count("\n") == 1
    assert "SELECT 2" in audit_file.read_text()


def test_file_that_cannot_be_written_gives_way_to_the_data_folder_with_one_warning(
    server: OdooServer,
    client: McpClient,
    backend: Backend,
    stack: Stack,
    tmp_path: Path,
) -> None:
    path = tmp_path / "no such folder" / "audit.log"
    backend.parameter("audit_file", path)
    try:
        for turn in range(5):
            query = f"SELECT 'fallback {server.port} {turn}' AS n"
            assert not client.tool("query_database", query=query).get("isError")
    finally:
        backend.parameter("audit_file", False)
    told = [line for line in server.log().splitlines() if str(path) in line]
    assert len(told) == 1
    assert " WARNING " in told[0]
    written = (stack.data / "mcp_audit.log").read_text("ascii")
    assert written.count(f"fallback {server.port} ") == 5
