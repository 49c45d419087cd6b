"""Days on which processes die, registries are reloaded and the addon itself is
upgraded, all in the middle of calls; each ends with a look at what is left."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev import paths
from dev.odoo_instance import OdooInstance
from dev.odoo_server import OdooServer
from dev.tests.aftermath import Witness
from dev.tests.processes import job_processes, processes
from dev.tests.test_killed import CODE, COMMAND
from dev.tests.test_listener import Door
from dev.tests.waiting import Background, eventually

RELOAD = {
    "18.0": "SELECT nextval('base_registry_signaling')",
    "19.0": "INSERT INTO orm_signaling_registry DEFAULT VALUES",
}
"""By which Odoo's processes tell each other that the registry is another."""
RELOADS = 4


@pytest.fixture(scope="module")
def door(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Iterator[Door]:
    """A server with workers and a listener, on a database of these tests."""
    server = start_server(database=make_database("baddays"), workers=2)
    found = Door(server)
    found.process()
    yield found
    server.end()


@pytest.fixture
def audit_file(door: Door, tmp_path: Path) -> Path:
    """The audit file of a test."""
    path = tmp_path / "audit.log"
    door.backend.parameter("audit_file", path)
    return path


@pytest.fixture
def witness(door: Door) -> Witness:
    """Who calls at both doors and looks after it."""
    return Witness(door.server, door.server.url, door.url)


@pytest.fixture
def mix(tmp_path: Path) -> list[tuple[str, dict]]:
    """What clients do all the time."""
    update = "UPDATE res_partner SET ref = 'x' WHERE id = 1"
    return [
        ("query_database", {"query": "SELECT pg_sleep(0.01)::text"}),
        ("execute_sql", {"statement": update, "dry_run": True}),
        ("write_file", {"path": str(tmp_path / "file"), "content": "x" * 200_000}),
        ("list_modules", {"limit": 1}),
        ("execute_command", {"command": "echo done"}),
        ("odoo_shell", {"code": "env.user.login"}),
    ]


def workers(server: OdooServer) -> list[psutil.Process]:
    """The processes below the master."""
    return psutil.Process(server.pid).children()


def hanging(witness: Witness, url: str, mark: str) -> list[Background]:
    """Calls that would take long, under way: their processes run."""
    calls = [
        ("execute_command", {"command": COMMAND.format(mark=mark)}),
        ("odoo_shell", {"code": CODE.format(mark=mark)}),
    ]
    found = [
        Background(lambda tool=tool, given=given: witness.call(url, tool, **given))
        for tool, given in calls
    ]
    eventually(lambda: len(processes(mark)) > 5, "they run")
    return found


def test_workers_that_are_killed_one_after_the_other(
    door: Door,
    witness: Witness,
    mix: list,
    mark: str,
    tmp_path: Path,
    audit_file: Path,
) -> None:
    long = hanging(witness, door.server.url, mark)
    with witness.storm(door.server.url, mix=mix, clients=4):
        for worker in workers(door.server):
            worker.send_signal(signal.SIGKILL)
            eventually(lambda: len(workers(door.server)) >= 4, "there is another")
        for call in long:
            call.result()
    assert witness.unanswered
    witness.require_peace(mark, folder=tmp_path, file=audit_file)


def test_listener_that_is_killed(
    door: Door,
    witness: Witness,
    mix: list,
    mark: str,
    tmp_path: Path,
    audit_file: Path,
) -> None:
    long = hanging(witness, door.url, mark)
    with witness.storm(door.server.url, door.url, mix=mix, clients=4):
        door.process().kill()
        for call in long:
            call.result()
    assert witness.unanswered
    witness.require_peace(mark, folder=tmp_path, file=audit_file)


def test_process_of_a_job_that_is_killed_with_its_transaction_open(
    door: Door, witness: Witness, mark: str
) -> None:
    code = CODE.format(mark=mark)
    for url in witness.doors:
        result = witness.call(url, "odoo_shell", code=code, background=True)
        job = result["structuredContent"]["job_id"]
        [process] = eventually(
            lambda: job_processes(door.backend, witness.key), "it runs"
        )
        eventually(lambda: len(processes(mark)) > 1, "its work runs")
        process.kill()

        def state(url: str = url, job: int = job) -> str:
            told = witness.call(url, "job", action="read", job_id=job)
            return told["structuredContent"]["jobs"][0]["state"]

        eventually(lambda: state() == "lost", "it is told as lost")
        witness.lost("odoo_shell")
    witness.require_peace(mark)


def test_one_of_two_servers_that_is_killed(
    door: Door,
    witness: Witness,
    make_server: Callable[..., OdooServer],
    mix: list,
    mark: str,
    tmp_path: Path,
    audit_file: Path,
) -> None:
    other = make_server(database=door.server.database)
    long = hanging(witness, other.url, mark)
    with witness.storm(door.server.url, other.url, mix=mix, clients=4):
        other.kill()
        for call in long:
            call.result()
    witness.require_peace(mark, folder=tmp_path, file=audit_file)


def test_registry_that_is_reloaded_again_and_again_fails_no_call(
    door: Door, witness: Witness, mix: list, tmp_path: Path, audit_file: Path
) -> None:
    with witness.storm(door.server.url, door.url, mix=mix):
        for _turn in range(RELOADS):
            answers = len(witness.answered)
            with door.backend.cursor() as cursor:
                cursor.execute(RELOAD[door.server.series])
            eventually(
                lambda before=answers: len(witness.answered) > before + 30,
                "calls are answered after it",
            )
    assert (witness.unanswered, witness.failures()) == ({}, [])
    witness.require_peace(folder=tmp_path, file=audit_file)


@pytest.mark.parametrize("how", ["another process", "a call"])
def test_addon_that_is_upgraded_while_it_serves(
    how: str, door: Door, witness: Witness, mix: list, tmp_path: Path, audit_file: Path
) -> None:
    def upgrade() -> None:
        if how == "a call":
            given = {"module_name": paths.ADDON}
            result = witness.call(door.url, "upgrade_module", **given)
            assert result["structuredContent"]["success"], result
        else:
            own = OdooInstance(door.server.stack, door.server.database)
            own.run_once("-u", paths.ADDON)

    with door.backend.cursor() as cursor:
        # there is something to change in the busiest of tables
        cursor.execute("DROP INDEX mcp_audit_log_open_idx")
        # a process of scheduled actions that reads the registry anew amid an upgrade
        # begins one, too: Odoo's own
        cursor.execute("UPDATE ir_cron SET active = false")

    with witness.storm(door.server.url, door.url, mix=mix):
        upgrade()
    assert (witness.unanswered, witness.failures()) == ({}, [])
    witness.require_peace(folder=tmp_path, file=audit_file)
