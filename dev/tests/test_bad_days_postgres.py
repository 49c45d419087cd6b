"""Days on which PostgreSQL dies, is full, or takes no more connections, in the middle
of calls. It is one of these tests' own: the others go on with theirs."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest

from dev import database as databases
from dev import postgres
from dev.odoo_server import OdooServer
from dev.postgres import Cluster
from dev.stack import Stack
from dev.tests.aftermath import Witness
from dev.tests.processes import processes
from dev.tests.test_big_files import small_disk
from dev.tests.test_call_life import SLEEPING, Background
from dev.tests.test_listener import Door
from dev.tests.waiting import at_once, eventually

CONNECTIONS = 40
"""That this PostgreSQL takes, three of them for its superuser only."""

MIX = [
    ("query_database", {"query": "SELECT pg_sleep(0.01)::text"}),
    ("list_modules", {"limit": 1}),
    ("execute_sql", {"statement": "UPDATE res_partner SET ref = 'x' WHERE id = 1"}),
    ("odoo_shell", {"code": "env['res.partner'].search_count([])"}),
]

READING = ("query_database", "list_modules")
"""Of these the audit does not wait for the disk: PostgreSQL may forget the last."""

__all__ = ["small_disk"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that these tests may end."""
    root = tmp_path_factory.mktemp("postgres")
    # what a process loses that is killed is not what a machine loses: no need to wait
    options = ("fsync=off", f"max_connections={CONNECTIONS}")
    found = postgres.own_cluster(root, *options)
    found.ensure()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def door(stack: Stack, pristine: str, cluster: Cluster) -> Iterator[Door]:
    """A server with workers and a listener, on that PostgreSQL."""
    own = replace(stack, postgres=cluster.ensure())
    name = databases.temporary_name(own, "baddays_pg")
    _move(stack, pristine, own, name, cluster)
    server = OdooServer(own, name, workers=2, options={"db_maxconn": 8})
    try:
        with server:
            found = Door(server)
            found.process()
            yield found
            server.end()
    finally:
        shutil.rmtree(own.data / "filestore" / name, ignore_errors=True)


def _move(stack: Stack, source: str, own: Stack, name: str, cluster: Cluster) -> None:
    """Copy a database from one PostgreSQL into another."""
    own.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')
    dump = [cluster.program("pg_dump"), "--no-owner", *_address(stack, source)]
    load = [cluster.program("psql"), "--quiet", "--no-psqlrc", *_address(own, name)]
    with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
        done = subprocess.run(
            load, stdin=dumping.stdout, stdout=subprocess.DEVNULL, check=False
        )
    assert (dumping.returncode, done.returncode) == (0, 0)
    files = stack.data / "filestore"
    shutil.copytree(files / source, files / name, copy_function=os.link)


def _address(stack: Stack, name: str) -> list[str]:
    found = stack.postgres
    address = ["--host", found.host, "--port", str(found.port)]
    return [*address, "--username", found.user, "--dbname", name]


@pytest.fixture
def witness(door: Door) -> Witness:
    """Who calls at both doors and looks after it."""
    return Witness(door.server, door.server.url, door.url)


def sleepers(door: Door) -> list[dict]:
    return door.backend.rows(SLEEPING)


def sleeping_calls(door: Door, witness: Witness) -> list[Background]:
    """Calls at both doors that wait in PostgreSQL."""
    query = ("query_database", {"query": "SELECT pg_sleep(60)::text"})
    write = ("execute_sql", {"statement": "SELECT pg_sleep(60)"})
    calls = [(door.server.url, *query), (door.url, *query), (door.url, *write)]
    found = [
        Background(
            lambda url=url, tool=tool, given=given: witness.call(url, tool, **given)
        )
        for url, tool, given in calls
    ]
    eventually(lambda: len(sleepers(door)) == len(calls), "they run")
    return found


def test_backend_that_is_killed_ends_every_session_and_no_server(
    door: Door, witness: Witness
) -> None:
    """kill -9 of one makes PostgreSQL end them all, and recover."""
    calls = sleeping_calls(door, witness)
    with witness.storm(*witness.doors, mix=MIX, clients=4):
        psutil.Process(sleepers(door)[0]["pid"]).kill()
        for call in calls:
            call.result()
        eventually(lambda: _recovered(door), "it has recovered")
    witness.require_peace(forgotten=READING)


def test_postgresql_that_is_killed_and_started_again(
    door: Door, witness: Witness, cluster: Cluster, mark: str
) -> None:
    command = {"command": f"echo begun; sleep {mark}", "background": True}
    witness.call(door.server.url, "execute_command", **command)
    eventually(lambda: processes(mark), "a job runs")
    calls = sleeping_calls(door, witness)
    with witness.storm(*witness.doors, mix=MIX, clients=4):
        _kill(cluster)
        for call in calls:
            call.result()
        cluster.ensure()
        eventually(lambda: _recovered(door), "it has recovered")
    witness.lost("execute_command")
    witness.require_peace(mark, forgotten=READING)


def _kill(cluster: Cluster) -> None:
    """kill -9 the postmaster; its children end by themselves."""
    postmaster = psutil.Process(cluster.pid)
    children = postmaster.children()
    postmaster.send_signal(signal.SIGKILL)
    psutil.wait_procs([postmaster, *children], 20)


def _recovered(door: Door) -> bool:
    try:
        return bool(door.backend.rows("SELECT 1"))
    except psycopg2.OperationalError:
        return False


def test_calls_are_refused_honestly_while_postgresql_takes_no_connection(
    door: Door, witness: Witness
) -> None:
    query = {"query": "SELECT 1 AS n"}
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                stack.enter_context(_session(door))
        at_once(
            [
                lambda url=url: witness.call(url, "query_database", **query)
                for url in (*witness.doors, door.url) * 4
            ]
        )
    told = " ".join(witness.unanswered.values())
    assert "takes no more connections. Nothing was done" in told
    assert "too many clients" not in told
    witness.require_peace()


@contextlib.contextmanager
def _session(door: Door) -> Iterator[None]:
    conninfo = door.server.stack.postgres.conninfo
    with contextlib.closing(
        psycopg2.connect(f"{conninfo} dbname='{door.server.database}'")
    ):
        yield


def test_more_calls_at_once_than_a_process_may_have_connections_all_get_their_turn(
    door: Door, witness: Witness
) -> None:
    query = {"query": "SELECT pg_sleep(0.2)::text AS n"}
    at_once(
        [
            lambda url=url: witness.call(url, "query_database", **query)
            for url in witness.doors * 12
        ]
    )
    assert (witness.unanswered, witness.failures()) == ({}, [])
    witness.require_peace()


def test_job_whose_output_finds_no_room_is_stopped_and_says_why(
    door: Door, witness: Witness, small_disk: Path, mark: str
) -> None:
    shutil.chown(small_disk, postgres.SYSTEM_ACCOUNT)
    own = door.server.stack
    superuser = replace(own, postgres=replace(own.postgres, user=postgres.SUPERUSER))
    superuser.sql(
        door.server.database,
        f"CREATE TABLESPACE mcp_tiny LOCATION '{small_disk}'",
        "ALTER TABLE mcp_job_output SET TABLESPACE mcp_tiny",
    )
    try:
        flood = f"head -c 20000000 /dev/urandom | base64; sleep {mark}"
        result = witness.call(
            door.url, "execute_command", command=flood, background=True
        )
        job = result["structuredContent"]["job_id"]

        def told() -> dict:
            found = witness.call(door.url, "job", action="read", job_id=job)
            return found["structuredContent"]

        eventually(lambda: told()["jobs"][0]["state"] == "lost", "it is stopped")
        assert "No space left on device" in str(told()["result"])
        witness.lost("execute_command")
        witness.require_peace(mark)
    finally:
        superuser.sql(
            door.server.database,
            "ALTER TABLE mcp_job_output SET TABLESPACE pg_default",
            "DROP TABLESPACE mcp_tiny",
        )
