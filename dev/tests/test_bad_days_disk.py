"""Days on which the disk is full, or a process dies while it writes a file."""

import base64
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.aftermath import LINE, Witness
from dev.tests.test_big_files import small_disk
from dev.tests.waiting import Background, eventually

QUERY = {"query": f"SELECT 1 -- {'x' * 1500}"}
PAGE = 4096
SIZE = 11 * 1024 * 1024
"""Of a file that takes a while to write."""

__all__ = ["small_disk"]


@pytest.fixture(scope="module")
def own(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Iterator[OdooServer]:
    """A server with workers, on a database of these tests."""
    server = start_server(database=make_database("baddays_disk"), workers=2)
    yield server
    server.end()


@pytest.fixture
def witness(own: OdooServer) -> Witness:
    """Who calls, and looks after it."""
    return Witness(own)


def query(witness: Witness) -> None:
    result = witness.call(witness.server.url, "query_database", **QUERY)
    assert not result.get("isError")


def test_audit_file_on_a_full_disk_loses_lines_but_no_part_of_one(
    own: OdooServer, witness: Witness, small_disk: Path
) -> None:
    path = small_disk / "audit.log"
    witness.backend.parameter("audit_file", path)
    query(witness)
    filler = small_disk / "filler"
    with (
        filler.open("wb", buffering=0) as stream,
        contextlib.suppress(OSError),
    ):
        while stream.write(bytes(PAGE)):
            pass
    before = path.read_text()
    for _turn in range(6):
        query(witness)
    full = path.read_text()
    assert full.startswith(before)
    assert all(map(LINE.fullmatch, full.splitlines()))
    assert path.stat().st_size < before.count("\n") * PAGE + 6 * len(str(QUERY))
    assert "the audit file lost a line" in own.log()
    filler.unlink()
    query(witness)
    assert path.read_text().count("\n") == full.count("\n") + 1
    witness.require_peace(file=path)
    witness.backend.parameter("audit_file", False)


def test_audit_file_that_takes_nothing_gives_way_to_the_data_folder(
    own: OdooServer, witness: Witness
) -> None:
    witness.backend.parameter("audit_file", "/dev/full")
    stand_in = own.stack.data / "mcp_audit.log"
    name = f"DB={own.database} "
    before = stand_in.read_text().count(name) if stand_in.exists() else 0
    query(witness)
    # other servers write there, too
    lines = [line for line in stand_in.read_text().splitlines() if name in line]
    assert len(lines) == before + 1
    assert all(map(LINE.fullmatch, lines))
    witness.require_peace()
    witness.backend.parameter("audit_file", False)


def test_worker_that_is_killed_while_it_writes_a_file_leaves_the_one_of_before(
    own: OdooServer, witness: Witness, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text("as before")
    content = base64.b64encode(os.urandom(SIZE)).decode()
    given = {"path": str(path), "content": content, "encoding": "binary"}

    def killed() -> bool:
        """Whether a worker was killed before the file was whole."""
        call = Background(lambda: witness.call(own.url, "write_file", **given))
        while not call.done():
            if writer := _writer(own, tmp_path):
                writer.kill()
                break
        return call.result() is None

    eventually(killed, "a worker is killed in the middle of it")
    assert path.read_text() == "as before"
    witness.require_peace(folder=tmp_path)


def _writer(own: OdooServer, folder: Path) -> psutil.Process | None:
    """The worker that has a file open there to write to."""
    for worker in psutil.Process(own.pid).children():
        descriptors = Path(f"/proc/{worker.pid}/fd")
        with contextlib.suppress(OSError):
            for descriptor in descriptors.iterdir():
                with contextlib.suppress(OSError):
                    target = descriptor.readlink()
                    if target.parent == folder and target.name != folder.name:
                        return worker
    return None
