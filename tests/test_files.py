"""read_file and write_file on real files, and paths that must not be reached."""

import base64
import os
import socket
import stat
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

from .. import compat
from ..models import mcp_toolset_filesystem
from ..models.guardrails import Guardrails
from .common import McpCase

MEGABYTE = 1024 * 1024


@tagged("post_install", "-at_install")
class TestFiles(McpCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def file(self, content, name="file.txt"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def read_file(self, path, **arguments):
        return self.ok("read_file", path=str(path), **arguments)

    def write_file(self, path, content, **arguments):
        return self.ok("write_file", path=str(path), content=content, **arguments)

    def test_a_file_is_read_with_the_fields_of_1_0(self):
        path = self.file("one\ntwö\nthree")
        self.assertEqual(
            self.read_file(path),
            {
                "path": path,
                "content": "one\ntwö\nthree",
                "size_bytes": 14,
                "lines_returned": 3,
                "total_lines": 3,
                "truncated": False,
                "encoding": "utf-8",
            },
        )

    def test_ranges_of_lines(self):
        path = self.file("".join(f"line {n}\n" for n in range(1, 11)))
        for offset, limit, first, count, more in (
            (1, 3, "line 1", 3, True),
            (9, 2, "line 9", 2, False),
            (9, 5, "line 9", 2, False),
            (10, 1, "line 10", 1, False),
            (11, 1, "", 0, False),
            (99, 5, "", 0, False),
            (4, None, "line 4", 7, False),
            (None, 1, "line 1", 1, True),
        ):
            with self.subTest(offset=offset, limit=limit):
                arguments = {"offset": offset, "limit": limit}
                arguments = {k: v for k, v in arguments.items() if v}
                found = self.read_file(path, **arguments)
                self.assertEqual(found["content"].partition("\n")[0], first)
                self.assertEqual(found["lines_returned"], count)
                self.assertEqual(found["total_lines"], 10)
                self.assertEqual(found["truncated"], more)

    def test_lines_that_cross_the_blocks_are_whole(self):
        lines = [f"{n}:" + "x" * 700 for n in range(1, 4001)]
        path = self.file("\n".join(lines))
        found = self.read_file(path, offset=1490, limit=20)
        self.assertEqual(found["content"], "\n".join(lines[1489:1509]) + "\n")
        self.assertEqual(found["total_lines"], 4000)

    def test_an_empty_file_has_no_line(self):
        found = self.read_file(self.file(""))
        self.assertEqual((found["lines_returned"], found["total_lines"]), (0, 0))

    def test_encodings(self):
        for encoding, content in (
            ("latin-1", b"caf\xe9"),
            ("utf-16", "café".encode("utf-16")),
            ("cp1252", b"\x80"),
        ):
            with self.subTest(encoding=encoding):
                path = self.file(content)
                found = self.read_file(path, encoding=encoding)["content"]
                self.assertEqual(found, content.decode(encoding))
                self.write_file(path, found, encoding=encoding)
                self.assertEqual(Path(path).read_bytes(), content)

    def test_binary_is_base64_both_ways(self):
        content = bytes(range(256))
        path = self.folder / "binary"
        encoded = base64.b64encode(content).decode()
        written = self.write_file(path, encoded, encoding="binary")
        self.assertEqual(written["bytes_written"], 256)
        self.assertEqual(path.read_bytes(), content)
        self.assertEqual(self.read_file(path, encoding="binary")["content"], encoded)
        part = self.read_file(path, encoding="binary", offset=11, limit=5)
        self.assertEqual(base64.b64decode(part["content"]), content[10:15])
        self.assertTrue(part["truncated"])

    def test_what_is_no_text_is_told_with_the_remedy(self):
        text = self.refused("read_file", path=self.file(b"\xff\xfe\xfa"))
        self.assertIn("binary", text)
        for content in ("not base64!", "YQ"):
            text = self.refused(
                "write_file",
                path=str(self.folder / "x"),
                content=content,
                encoding="binary",
            )
            self.assertIn("'content'", text)
        self.assertFalse((self.folder / "x").exists())

    def test_an_unknown_encoding_is_told(self):
        path = self.file("x")
        for encoding in ("utf-9", "rot13", "hex", "", "utf-8\0"):
            with self.subTest(encoding=encoding):
                text = self.refused("read_file", path=path, encoding=encoding)
                self.assertIn("'encoding'", text)

    def test_a_file_over_the_size_is_read_in_ranges_alone(self):
        self.set_parameter("read_megabytes", 1)
        path = self.file("x" * 100 + "\n" + "y" * 2 * MEGABYTE + "\nlast\n")
        text = self.refused("read_file", path=path)
        self.assertIn("offset and limit", text)
        found = self.read_file(path, offset=1, limit=1)
        self.assertEqual(found["content"], "x" * 100 + "\n")
        self.assertIsNone(found["total_lines"])
        self.assertTrue(found["truncated"])
        cut = self.read_file(path, offset=2)
        self.assertLessEqual(len(cut["content"]), MEGABYTE)
        self.assertTrue(cut["truncated"])

    def test_a_file_is_made_with_its_folders(self):
        path = self.folder / "a" / "b" / "c.txt"
        self.assertEqual(
            self.write_file(path, "text"),
            {
                "path": str(path),
                "bytes_written": 4,
                "created": True,
                "size_bytes": 4,
            },
        )
        self.assertEqual(path.read_text(), "text")

    def test_folders_are_not_made_if_not_wanted(self):
        text = self.refused(
            "write_file",
            path=str(self.folder / "a" / "b.txt"),
            content="x",
            create_directories=False,
        )
        self.assertIn("no such file or folder", text)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_modes_of_writing(self):
        path = self.file("one\n")
        self.assertFalse(self.write_file(path, "two\n", mode="append")["created"])
        self.assertEqual(Path(path).read_text(), "one\ntwo\n")
        self.write_file(
            path, base64.b64encode(b"\0").decode(), mode="append", encoding="binary"
        )
        self.assertEqual(Path(path).read_bytes(), b"one\ntwo\n\0")
        text = self.refused("write_file", path=path, content="x", mode="create")
        self.assertIn("exists already", text)
        self.assertFalse(self.write_file(path, "x")["created"])
        self.assertEqual(Path(path).read_text(), "x")
        self.assertTrue(self.write_file(f"{path}.new", "x", mode="create")["created"])
        self.assertTrue(self.write_file(f"{path}.log", "x", mode="append")["created"])

    def test_mode_and_owner_are_kept(self):
        path = self.file("old")
        for mode in (0o600, 0o755, 0o664, 0o444):
            os.chmod(path, mode)
            with self.subTest(mode=oct(mode)):
                self.write_file(path, f"{mode}")
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode)
        if os.geteuid() == 0:
            os.chown(path, 12345, 54321)
            self.write_file(path, "new")
            self.assertEqual(os.stat(path).st_uid, 12345)
            self.assertEqual(os.stat(path).st_gid, 54321)

    def test_a_link_stays_and_its_target_is_written(self):
        target = self.file("old", "target")
        link = self.folder / "link"
        link.symlink_to(target)
        self.assertEqual(self.write_file(link, "new")["path"], target)
        self.assertTrue(link.is_symlink())
        self.assertEqual(Path(target).read_text(), "new")
        self.assertEqual(self.read_file(link)["content"], "new")

    def test_nothing_else_is_left_in_the_folder(self):
        path = self.file("old")
        self.write_file(path, "new")
        self.set_parameter("write_megabytes", 1)
        self.refused("write_file", path=path, content="x" * (MEGABYTE + 1))
        self.assertEqual([p.name for p in self.folder.iterdir()], ["file.txt"])
        self.assertEqual(Path(path).read_text(), "new")

    def test_the_size_that_a_file_would_have_is_bounded(self):
        self.set_parameter("write_megabytes", 1)
        path = self.file(b"x" * MEGABYTE)
        text = self.refused("write_file", path=path, content="y", mode="append")
        self.assertIn(str(MEGABYTE), text)
        self.assertEqual(Path(path).stat().st_size, MEGABYTE)

    def test_paths_that_are_none(self):
        self.file("secret")
        for path, word in (
            ("relative/path", "relative"),
            ("./file.txt", "relative"),
            ("~/file.txt", "relative"),
            (f"{self.folder}/../x", "'..'"),
            (f"{self.folder}/a/../file.txt", "'..'"),
            (f"{self.folder}/no-such-file", "no such file"),
            (str(self.folder), "folder"),
            (f"{self.folder}/file.txt/x", "no folder"),
            (f"{self.folder}/{'n' * 300}", "too long"),
            (f"{self.folder}/a\0b", "NUL"),
            ("/proc/self/environ", "/proc"),
            ("/proc/1/root/etc/passwd", "/proc"),
            ("/dev/zero", "/dev"),
            ("/dev/stdin", "/dev"),
            ("/sys/kernel/hostname", "/sys"),
        ):
            with self.subTest(path=path):
                text = self.refused("read_file", path=path)
                self.assertIn(word, text)
                if word not in ("no such file",):
                    self.refused("write_file", path=path, content="x")

    def test_links_into_what_is_never_reached_are_refused(self):
        for target in ("/proc/self/environ", "/dev/null", "/sys/kernel"):
            link = self.folder / "link"
            link.symlink_to(target)
            with self.subTest(target=target):
                self.refused("read_file", path=str(link))
                self.refused("write_file", path=str(link), content="x")
            link.unlink()

    def test_links_in_a_circle_are_told(self):
        (self.folder / "a").symlink_to(self.folder / "b")
        (self.folder / "b").symlink_to(self.folder / "a")
        text = self.refused("read_file", path=str(self.folder / "a"))
        self.assertIn("link", text)

    def test_pipes_and_sockets_are_refused_at_once(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.folder / "socket"))
            for name in ("pipe", "socket"):
                with self.subTest(name=name):
                    path = str(self.folder / name)
                    self.refused("read_file", path=path)
                    self.refused("write_file", path=path, content="x")

    def test_roots_of_the_settings_hold(self):
        inside, outside = self.folder / "in", self.folder / "in_evil"
        inside.mkdir()
        outside.mkdir()
        (outside / "secret").write_text("secret")
        (inside / "link").symlink_to(outside / "secret")
        (inside / "folder").symlink_to(outside)
        self.set_parameter("path_roots", f"{inside}, /no/such/root")
        self.write_file(inside / "a" / "file", "x")
        self.assertEqual(self.read_file(inside / "a" / "file")["content"], "x")
        for path in (
            outside / "secret",
            inside / "link",
            inside / "folder" / "secret",
            "/etc/passwd",
        ):
            with self.subTest(path=path):
                text = self.refused("read_file", path=str(path))
                self.assertIn("outside the folders", text)
                self.refused("write_file", path=str(path), content="x")
        self.assertEqual((outside / "secret").read_text(), "secret")

    def test_roots_of_the_configuration_file_hold_beside_them(self):
        (self.folder / "a").mkdir()
        path = self.file("x", "a/file")
        other = self.file("x", "other")
        for roots, reached in (
            ((str(self.folder / "a"),), True),
            (("/no/such/root",), False),
            ((), False),
        ):
            rails = Guardrails(path_roots=roots)
            with (
                self.subTest(roots=roots),
                patch.object(mcp_toolset_filesystem, "guardrails", return_value=rails),
            ):
                self.assertEqual(
                    self.call("read_file", path=path).is_error, not reached
                )
                self.refused("read_file", path=other)
                self.set_parameter("path_roots", "/")
                self.refused("read_file", path=other)
                self.set_parameter("path_roots", "")

    def test_what_guards_the_server_is_neither_read_nor_written(self):
        config = self.file("[options]\nadmin_passwd = hunter2\n", "odoo.conf")
        os.link(config, self.folder / "another name")
        (self.folder / "link").symlink_to(config)
        audit = self.file("", "audit.log")
        self.set_parameter("audit_file", audit)
        with patch.object(compat, "config_file", lambda: config):
            for name in ("odoo.conf", "another name", "link"):
                path = str(self.folder / name)
                with self.subTest(name=name):
                    text = self.refused("read_file", path=path)
                    self.assertIn("read_config", text)
                    self.refused("write_file", path=path, content="x")
        self.refused("write_file", path=audit, content="x", mode="append")
        self.assertIn("hunter2", Path(config).read_text())

    def test_a_swapped_folder_is_not_followed(self):
        """What was checked as a folder is a link when it is opened."""
        from ..models import file_access

        (self.folder / "good").mkdir()
        (self.folder / "evil").mkdir()
        self.file("good", "good/file")
        self.file("evil", "evil/file")
        real_open = os.open

        def swap(path, flags, *args, **kwargs):
            if path == "good" and not (self.folder / "gone").exists():
                (self.folder / "good").rename(self.folder / "gone")
                (self.folder / "good").symlink_to(self.folder / "evil")
            return real_open(path, flags, *args, **kwargs)

        with patch.object(file_access.os, "open", swap):
            text = self.refused("read_file", path=str(self.folder / "good" / "file"))
        self.assertIn("link", text)
