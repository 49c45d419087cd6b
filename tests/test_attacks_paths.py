"""Paths by which somebody would leave the folders that may be reached."""

import ctypes
import os
import socket
import tempfile
import threading
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged

from .attacks.paths import INSIDE, PATHS, SPELLED
from .common import McpCase

SECRET = "the secret outside"
AT_FDCWD = -100
RENAME_EXCHANGE = 2
SWAPS = 300


@tagged("post_install", "-at_install")
class TestAttacksPaths(McpCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        base = Path(folder.name).resolve()
        self.inside, self.outside = base / "in", base / "out"
        for name in ("in", "out", "in_evil", "in.evil"):
            (base / name).mkdir()
            if name != "in":
                (base / name / "secret").write_text(SECRET)
        (self.inside / "file").write_text("inside")
        (self.inside / "folder").mkdir()
        for name, target in INSIDE.items():
            (self.inside / name).symlink_to(self.spelled(target))
        os.mkfifo(self.inside / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.inside / "socket"))
        self.set_parameter("path_roots", self.inside)

    def spelled(self, text):
        for name, value in (
            ("{in}", self.inside),
            ("{out}", self.outside),
            ("{name}", self.inside.name),
        ):
            text = text.replace(name, str(value))
        return text

    def found(self):
        """All that is there: kind, time of change, and content of what is a file."""
        found = {}
        for folder, folders, names in os.walk(self.inside.parent):
            for name in (*folders, *names):
                path = Path(folder) / name
                stat = path.lstat()
                regular = path.is_file() and not path.is_symlink()
                content = path.read_bytes() if regular else None
                found[str(path)] = (
                    stat.st_mode,
                    stat.st_ino,
                    stat.st_mtime_ns,
                    content,
                )
        return found

    def require_refused(self, kind, outcome, told):
        self.assertTrue(outcome.is_error, outcome.text)
        self.assertNotIn("internal error", outcome.text)
        self.assertIn(told, outcome.text)
        self.assertNotIn(SECRET, outcome.text)
        self.assertIsNone(outcome.structured)

    def test_a_path_that_leads_out_reads_nothing(self):
        for kind, text, told in PATHS:
            path = self.spelled(text)
            with self.subTest(kind=kind, path=path[:100]):
                self.require_refused(kind, self.call("read_file", path=path), told)

    def test_a_path_that_leads_out_writes_nothing(self):
        before = self.found()
        for kind, text, told in PATHS:
            for mode in ("overwrite", "append", "create"):
                path = self.spelled(text)
                with self.subTest(kind=kind, path=path[:100], mode=mode):
                    outcome = self.call(
                        "write_file", path=path, content="changed", mode=mode
                    )
                    self.require_refused(kind, outcome, told)
        self.assertEqual(self.found(), before)
        self.assertFalse(Path("/dev/shm/mcp_attack").exists())
        self.assertFalse(Path("/tmp/x").exists())

    def test_an_odd_name_is_a_name_and_nothing_else(self):
        for text, wanted in SPELLED.items():
            path, wanted = self.spelled(text), Path(self.spelled(wanted))
            before = set(self.found())
            with self.subTest(path=path):
                self.ok("write_file", path=path, content="odd", mode="create")
                self.assertEqual(wanted.read_text(), "odd")
                made = set(self.found()) - before
                self.assertLessEqual(made, {str(wanted), str(wanted.parent)})
                found = self.ok("read_file", path=path)
                self.assertEqual(found["content"], "odd")

    def test_names_of_one_look_are_several_files(self):
        composed, decomposed = self.inside / "\u00e4", self.inside / "a\u0308"
        for path in (composed, decomposed):
            self.ok("write_file", path=str(path), content=ascii(path.name))
        for path in (composed, decomposed):
            self.assertEqual(path.read_text(), ascii(path.name))

    def test_a_file_that_guards_the_server_has_no_other_name(self):
        self.call("list_modules", limit=1)
        log = self.audit_path
        written = log.read_text()
        self.assertTrue(written)
        self.set_parameter("path_roots", f"{self.inside}, {log.parent}")
        (self.inside / "log").symlink_to(log)
        os.link(log, log.parent / "hard")
        for path in (
            log,
            log.parent / "hard",
            self.inside / "log",
            f"//{log}",
            f"{log.parent}/./{log.name}",
        ):
            with self.subTest(path=path):
                self.refused("read_file", path=str(path))
                for mode in ("overwrite", "append"):
                    self.refused("write_file", path=str(path), content="x", mode=mode)
        self.assertTrue(log.read_text().startswith(written))
        self.assertNotIn("\nx", log.read_text())

    def test_a_folder_that_is_swapped_with_a_link_all_the_time_is_never_followed(self):
        """renameat2(2): at each moment the name is one or the other."""
        (self.inside / "swapped").mkdir()
        (self.inside / "swapped" / "secret").write_text("inside")
        (self.inside / "other").symlink_to(self.outside)
        names = [os.fsencode(self.inside / name) for name in ("swapped", "other")]
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
        done, swaps = threading.Event(), []

        def swap():
            while not done.is_set():
                swaps.append(
                    exchange(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
                )

        thread = threading.Thread(target=swap)
        thread.start()
        files = self.env["mcp.toolset.filesystem"]
        path, read = str(self.inside / "swapped" / "secret"), set()
        try:
            for turn in range(SWAPS):
                for work in (
                    lambda: files.read_file(path).content,
                    lambda turn=turn: files.write_file(path, f"inside {turn}").path,
                ):
                    try:
                        read.add(work().partition(" ")[0])
                    except UserError:
                        read.add(None)
        finally:
            done.set()
            thread.join()
        self.assertEqual(set(swaps), {0})
        self.assertLessEqual(read, {"inside", path, None})
        self.assertIn(None, read)
        self.assertIn("inside", read)
        self.assertEqual((self.outside / "secret").read_text(), SECRET)
