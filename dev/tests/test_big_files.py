"""Files that are large, disks that are full, and folders that are swapped meanwhile."""

import base64
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.test_big_results import MEBIBYTE, memory
from dev.tests.waiting import within

GIGABYTE = 1024**3
SPACE = 1024 * 1024


def test_lines_of_five_gigabytes_are_read_without_reading_it_all(
    server: OdooServer, client: McpClient, tmp_path: Path
) -> None:
    path = tmp_path / "huge.log"
    with path.open("wb") as stream:
        stream.writelines(f"line {n}\n".encode() for n in range(1, 100_001))
        stream.truncate(5 * GIGABYTE)
    client.tool("read_file", path=str(path), limit=1)
    before = memory(server, "VmRSS")
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    began = time.monotonic()
    found = client.tool("read_file", path=str(path), offset=99_999, limit=2)
    assert within(2, began)
    content = found["structuredContent"]
    assert content["content"] == "line 99999\nline 100000\n"
    assert content["size_bytes"] == 5 * GIGABYTE
    assert content["total_lines"] is None
    assert content["truncated"] is True
    assert memory(server, "VmHWM") - before < 20 * MEBIBYTE
    whole = client.tool("read_file", path=str(path))
    assert whole["isError"] is True
    assert "offset and limit" in whole["content"][0]["text"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SPACE}", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system wants root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_leaves_nothing_half_written(
    small_disk: Path, client: McpClient
) -> None:
    path = small_disk / "file"
    path.write_text("as before")
    content = base64.b64encode(os.urandom(2 * SPACE)).decode()
    for mode, name in (("overwrite", "file"), ("append", "file"), ("create", "new")):
        result = client.tool(
            "write_file",
            path=str(small_disk / name),
            content=content,
            encoding="binary",
            mode=mode,
        )
        assert result["isError"] is True
        assert "disk is full" in result["content"][0]["text"]
        assert path.read_text() == "as before"
        assert [entry.name for entry in small_disk.iterdir()] == ["file"]


def test_folder_that_is_swapped_all_the_while_is_never_left(
    client: McpClient, backend: Backend, tmp_path: Path
) -> None:
    """The secret is never read and never written, whoever wins the race."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    inside = root / "inside"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
        (folder / "file").write_text(folder.name)
    spare = root / "spare"
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            inside.rename(spare)
            inside.symlink_to(outside)
            inside.unlink()
            spare.rename(inside)

    swapper = threading.Thread(target=swap)
    backend.parameter("path_roots", root)
    swapper.start()
    try:
        answers = [
            client.tool("read_file", path=str(inside / "file")) for _turn in range(60)
        ]
        write = {"path": str(inside / "file"), "content": "inside"}
        for _turn in range(60):
            client.tool("write_file", **write, create_directories=False)
    finally:
        ended.set()
        swapper.join()
        backend.parameter("path_roots", False)
    told = {
        answer["structuredContent"]["content"]
        for answer in answers
        if not answer.get("isError")
    }
    assert told <= {"inside"}
    assert (outside / "file").read_text() == "outside"
    assert [entry.name for entry in outside.iterdir()] == ["file"]


def test_writers_at_once_leave_one_of_their_files_whole(
    server: OdooServer, key: str, tmp_path: Path
) -> None:
    path = tmp_path / "contended"
    texts = [str(number) * 300_000 for number in range(8)]

    def write(text: str) -> None:
        with McpClient(server.url, key) as client:
            for _turn in range(5):
                client.tool("write_file", path=str(path), content=text)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert not path.exists() or path.read_text() in texts
    for writer in writers:
        writer.join()
    assert path.read_text() in texts
    assert [entry.name for entry in tmp_path.iterdir()] == ["contended"]
