"""Days on which the clock is set back: what was written before lies in the future."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.odoo_server import OdooServer
from dev.tests.aftermath import CLOSE_LOST, LISTENER_LOCK, Witness
from dev.tests.backend import Backend
from dev.tests.test_call_life import SLEEPING
from dev.tests.test_listener import Door
from dev.tests.waiting import Background, eventually

HOUR = 3600
AN_HOUR_LATER = (
    "UPDATE mcp_rate_limit_counter SET window_end = window_end + interval '1 hour'",
    "INSERT INTO ir_config_parameter (key, value) "
    "SELECT 'odoo_dev_mcp.listener_started_' || ((objid::bigint << 32) >> 32), "
    f"      (extract(epoch FROM now()) + {HOUR})::text "
    "  FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    " WHERE locktype = 'advisory' AND datname = current_database() "
    f"  AND classid::bigint = {LISTENER_LOCK}",
)
"""What PostgreSQL has of before, seen by a clock that is an hour behind it."""


@pytest.fixture(scope="module")
def door(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Iterator[Door]:
    """A server with a listener, on a database of these tests."""
    server = start_server(database=make_database("baddays_clock"))
    yield Door(server)
    server.end()


@pytest.fixture
def witness(door: Door) -> Witness:
    """Who calls at both doors and looks after it."""
    return Witness(door.server, door.server.url, door.url)


@pytest.fixture
def set_back(door: Door, tmp_path: Path) -> Iterator[OdooServer]:
    """A server whose kernel tells an earlier start of the machine, as it does when the
    clock was set back: proc(5), ``btime``."""
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("another /proc/stat for one process wants root")
    told = Path("/proc/stat").read_text().split("\n")
    changed = [
        f"btime {int(line.split()[1]) - HOUR}" if line.startswith("btime ") else line
        for line in told
    ]
    stat = tmp_path / "stat"
    stat.write_text("\n".join(changed))
    mount = f'mount --bind {stat} /proc/stat && exec "$@"'
    server = OdooServer(door.server.stack, door.server.database)
    server.prefix = ("unshare", "--mount", "sh", "-c", mount, "sh")
    with server:
        yield server
        server.end()


def test_running_call_of_another_server_is_not_told_lost(
    door: Door, witness: Witness, set_back: OdooServer
) -> None:
    def call() -> None:
        query = {"query": "SELECT pg_sleep(6)::text AS n"}
        result = witness.call(door.server.url, "query_database", **query)
        assert result
        assert not result.get("isError")

    background = Background(call)
    eventually(lambda: door.backend.rows(SLEEPING), "it runs")
    Backend(set_back).run(CLOSE_LOST)
    [entry] = door.backend.entries(witness.key)
    assert entry["status"] == "open"
    background.result()
    witness.require_peace()


def test_limit_lets_calls_in_and_the_listener_comes_back(
    door: Door, witness: Witness
) -> None:
    door.process()
    witness.call(door.url, "query_database", query="SELECT 1")
    named = [("tool_ids.name", "=", "query_database")]
    rules = door.backend.execute("mcp.rate.limit", "search", named)
    door.backend.execute("mcp.rate.limit", "write", rules, {"calls": 1})
    refused = witness.call(door.server.url, "query_database", query="SELECT 2")
    assert "Rate limit" in refused["content"][0]["text"]
    with door.backend.cursor() as cursor:
        for statement in AN_HOUR_LATER:
            cursor.execute(statement)
    let_in = witness.call(door.server.url, "query_database", query="SELECT 3")
    assert not let_in.get("isError")
    door.backend.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
    # whoever was told to start it in that future never did
    door.process().kill()
    witness.require_peace()
