"""edit_file by several clients at once, and beside programs that write, too."""

import os
import threading
from pathlib import Path

from dev.odoo_server import OdooServer
from dev.tests.client import McpClient
from dev.tests.waiting import at_once

CLIENTS = 8
SAVES = 3000
LINES = "marker 0\n" + "another line\n" * 1000


def edit(url: str, key: str, path: Path, old: str, new: str) -> dict:
    with McpClient(url, key) as own:
        return own.tool("edit_file", path=str(path), old_text=old, new_text=new)


def test_edits_at_once_are_all_made_or_told(
    either_server: OdooServer, key: str, tmp_path: Path
) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"line {n};\n" for n in range(CLIENTS)))
    results = at_once(
        [
            lambda n=n: edit(
                either_server.url, key, path, f"line {n};", f"line {n}, edited;"
            )
            for n in range(CLIENTS)
        ]
    )
    text = path.read_text()
    for n, result in enumerate(results):
        assert not result.get("isError"), result["content"][0]["text"]
        assert f"line {n}, edited;" in text
    assert [each.name for each in tmp_path.iterdir()] == ["lines.txt"]


def test_what_another_program_writes_is_never_lost(
    server: OdooServer, key: str, tmp_path: Path
) -> None:
    """An editor saves by a rename: its last content is in the file in the end."""
    path = tmp_path / "saved.txt"

    def save() -> None:
        for number in range(SAVES + 1):
            new = tmp_path / "new"
            new.write_text(f"saved {number}\n" + LINES)
            os.rename(new, path)

    path.write_text(LINES)
    thread = threading.Thread(target=save)
    thread.start()
    refusals = []
    with McpClient(server.url, key) as client:
        while thread.is_alive():
            result = client.tool(
                "edit_file", path=str(path), old_text="marker 0", new_text="marker 1"
            )
            refusals += [result["content"][0]["text"]] if result.get("isError") else []
    thread.join()
    assert path.read_text().startswith(f"saved {SAVES}\n")
    assert [text for text in refusals if "changed by somebody else" in text]
