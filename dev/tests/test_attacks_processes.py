"""Commands and code of somebody who means harm: what is left of them, and of Odoo."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from attacks.commands import COMMANDS, LEARNS
from attacks.shell import CODE, TOLD

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.processes import processes
from dev.tests.waiting import PATIENCE, SLOW, eventually

AT_ONCE = 6
SECONDS = 1
"""Until the timeout of what is tried."""

MOST_TAKEN = SLOW * PATIENCE
MOST_TOLD = 700_000
"""Characters of two outputs, each of which JSON may have made six times longer."""
FIRST_TO_GO = "1000"
"""oom_score_adj of what the kernel is to end first. proc(5)."""


@pytest.fixture(scope="module")
def steady(server: OdooServer, key: str) -> Iterator[OdooServer]:
    """The server, which is the same process in the end, and has no more of anything."""
    with McpClient(server.url, key) as client:
        client.tool("execute_command", command="true")
        client.tool("odoo_shell", code="1")
    process = psutil.Process(server.pid)
    descriptors = process.num_fds()
    yield server
    assert server.running()
    children = process.children()
    assert [child.status() for child in children].count(psutil.STATUS_ZOMBIE) == 0
    eventually(lambda: process.num_fds() < descriptors + 20, "no descriptor is left")


def called(server: OdooServer, key: str, tool: str, rows: list[dict]) -> list[dict]:
    """The results of calls with these arguments, some of them at once."""

    def call(arguments: dict) -> dict:
        began = time.monotonic()
        with McpClient(server.url, key) as client:
            result = client.tool(tool, **arguments)
        assert time.monotonic() - began < MOST_TAKEN, arguments
        return result

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(call, rows))


@pytest.fixture
def victim() -> Iterator[psutil.Popen]:
    """A process, in a group of its own, that is nobody's business here."""
    own = psutil.Popen(["sleep", "600"], start_new_session=True)
    yield own
    assert own.poll() is None
    own.kill()
    own.wait()


@pytest.mark.parametrize("kind", list(dict.fromkeys(row.kind for row in COMMANDS)))
def test_command_leaves_no_process_however_it_hides(
    kind: str,
    steady: OdooServer,
    key: str,
    mark: str,
    victim: psutil.Popen,
    tmp_path: Path,
) -> None:
    attacks = [row for row in COMMANDS if row.kind == kind]
    rows = [
        {
            "command": row.text.replace("{mark}", mark).replace(
                "{victim}", str(victim.pid)
            ),
            "timeout": PATIENCE if row.ended else SECONDS,
            "working_directory": str(tmp_path),
        }
        for row in attacks
    ]
    results = called(steady, key, "execute_command", rows)
    odd = []
    for attack, result in zip(attacks, results, strict=True):
        told = result["content"][0]["text"]
        found = result.get("structuredContent") or {}
        escaped = not attack.ended and found.get("timed_out") is not True
        if escaped or len(told) > MOST_TOLD or "internal error" in told:
            odd.append((attack, told[:300]))
    assert not odd, "\n".join(map(str, odd))
    assert eventually(lambda: not processes(mark), "nothing is left")


def test_command_learns_nothing_of_the_server(client: McpClient) -> None:
    for what, command in LEARNS.items():
        result = client.tool("execute_command", command=command, timeout=20)
        assert result["structuredContent"]["stdout"] == "", what


@pytest.mark.parametrize("kind", list(dict.fromkeys(row.kind for row in CODE)))
def test_code_leaves_no_half_no_process_and_no_harm(
    kind: str, steady: OdooServer, key: str, mark: str, backend: Backend
) -> None:
    attacks = [row for row in CODE if row.kind == kind]
    make = "env['res.partner'].create({'name': 'attack %s'}).flush_recordset()\n"
    rows = [
        {
            "code": make % f"{mark} {number}"
            + row.text.replace("{told}", TOLD).replace("{mark}", mark),
            "timeout": SECONDS if row.outcome == "stopped" else PATIENCE,
        }
        for number, row in enumerate(attacks)
    ]
    results = called(steady, key, "odoo_shell", rows)
    odd = []
    for number, (attack, result) in enumerate(zip(attacks, results, strict=True)):
        error = result.get("structuredContent", {"error": "internal"})["error"] or ""
        made = backend.rows(
            "SELECT count(*) AS n FROM res_partner WHERE name = %s",
            f"attack {mark} {number}",
        )[0]["n"]
        outcome = "told"
        if error:
            outcome = "stopped" if error.startswith("Stopped") else "refused"
        if outcome != attack.outcome or made != (outcome == "told"):
            odd.append((attack, made, result["content"][0]["text"][:300]))
    assert not odd, "\n".join(map(str, odd))
    assert eventually(lambda: not processes(mark), "nothing is left")
    running = (
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND (state = 'active' OR xact_start IS NOT NULL)"
    )
    eventually(lambda: not backend.rows(running), "PostgreSQL does nothing for them")
    with McpClient(steady.url, key) as client:
        value = client.tool("odoo_shell", code="len('x')")["structuredContent"]
        assert value["return_value"] == 1
        assert client.tool("query_database", query="SELECT 1 AS n")[
            "structuredContent"
        ]["rows"] == [{"n": 1}]


def test_code_has_no_socket_and_no_pipe_but_its_own(client: McpClient) -> None:
    code = (
        "import os\n"
        "found = {}\n"
        "for fd in os.listdir('/proc/self/fd'):\n"
        "    try:\n"
        "        found[fd] = os.readlink(f'/proc/self/fd/{fd}')\n"
        "    except OSError:\n"
        "        pass\n"
        "sorted(name.partition(':')[0] for name in found.values())"
    )
    found = client.tool("odoo_shell", code=code)["structuredContent"]["return_value"]
    # its own connection; what is printed, what is told, and the leash
    assert found.count("socket") == 1
    assert found.count("pipe") <= 4


def test_what_runs_out_of_memory_is_ended_before_odoo(
    client: McpClient, server: OdooServer
) -> None:
    score = "/proc/self/oom_score_adj"
    own = Path(f"/proc/{server.pid}/oom_score_adj").read_text().strip()
    result = client.tool("execute_command", command=f"cat {score}")
    assert result["structuredContent"]["stdout"].strip() == FIRST_TO_GO
    result = client.tool("odoo_shell", code=f"open({score!r}).read()")
    assert result["structuredContent"]["return_value"].strip() == FIRST_TO_GO
    assert own != FIRST_TO_GO
    assert Path(f"/proc/{server.pid}/oom_score_adj").read_text().strip() == own
