"""edit_file: exact replacement, all or nothing, and what it says when it cannot."""

import contextlib
import ctypes
import os
import stat
import tempfile
import threading
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import mcp_toolset_filesystem, mcp_toolset_filesystem_edit, text_edits
from ..models.guardrails import Guardrails
from ..models.redaction import MASK
from .attacks.paths import PATHS
from .common import McpCase
from .test_attacks_paths import AT_FDCWD, RENAME_EXCHANGE

PYTHON = """\
class Order:
    def total(self):
        return 1

    def twice(self):
        return 2
"""


@tagged("post_install", "-at_install")
class TestEditFile(McpCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def file(self, content, name="file.txt"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def edit(self, path, old, new, **arguments):
        return self.ok(
            "edit_file", path=str(path), old_text=old, new_text=new, **arguments
        )

    def fail_with(self, path, old, new, *words, **arguments):
        before = path.read_bytes()
        text = self.refused(
            "edit_file", path=str(path), old_text=old, new_text=new, **arguments
        )
        self.assertEqual(path.read_bytes(), before)
        for word in words:
            self.assertIn(word, text)
        return text

    def test_the_piece_is_replaced_and_the_diff_comes_back(self):
        path = self.file(PYTHON, "order.py")
        found = self.edit(path, "return 1", "return 10")
        self.assertEqual(path.read_text(), PYTHON.replace("return 1", "return 10"))
        self.assertEqual((found["replaced"], found["lines"]), (1, [3]))
        self.assertEqual(
            found["diff"],
            "@@ -1,6 +1,6 @@\n class Order:\n     def total(self):\n"
            "-        return 1\n+        return 10\n \n     def twice(self):\n"
            "         return 2",
        )
        self.assertNotIn("warning", found)
        self.assertNotIn("line_ends", found)

    def test_the_diff_has_the_numbers_of_lines_of_the_whole_file(self):
        path = self.file("".join(f"line {n}\n" for n in range(1, 101)))
        found = self.edit(path, "line 50\n", "fifty\nand more\n")
        self.assertTrue(found["diff"].startswith("@@ -47,7 +47,8 @@\n line 47\n"))
        self.assertTrue(
            found["diff"].endswith("+and more\n line 51\n line 52\n line 53")
        )

    def test_nothing_is_a_pattern(self):
        path = self.file("a.c a\\1 [x]* $& abc\n")
        self.edit(path, "a.c", "\\g<0>")
        self.edit(path, "[x]*", "\\1")
        self.assertEqual(path.read_text(), "\\g<0> a\\1 \\1 $& abc\n")

    def test_a_dry_run_tells_the_diff_and_writes_nothing(self):
        path = self.file("one\n")
        before = path.stat()
        found = self.edit(path, "one", "two", dry_run=True)
        self.assertIn("-one\n+two", found["diff"])
        self.assertIs(found["dry_run"], True)
        self.assertEqual(path.read_text(), "one\n")
        self.assertEqual(path.stat().st_ino, before.st_ino)

    def test_more_places_than_expected_are_told_with_their_lines(self):
        path = self.file("x = 1\ny = 1\nz\nx = 1\n")
        text = self.fail_with(path, "= 1", "= 2", "3 times", "line 1, 2, 4", "'count'")
        self.assertIn("until it is there once", text)
        self.fail_with(path, "= 1", "= 2", "3 times", "expected 2", count=2)
        found = self.edit(path, "= 1", "= 2", count=3)
        self.assertEqual((found["replaced"], found["lines"]), (3, [1, 2, 4]))
        self.assertEqual(self.edit(path, "= 2", "= 3", count=0)["replaced"], 3)
        self.assertEqual(path.read_text(), "x = 3\ny = 3\nz\nx = 3\n")

    def test_many_replacements_are_told_in_short(self):
        path = self.file("".join(f"word {n}\n\n\n\n\n\n\n\n" for n in range(500)))
        found = self.edit(path, "word", "term", count=0)
        self.assertEqual(found["replaced"], 500)
        self.assertLess(len(found["diff"]), 7000)
        self.assertIn("480 further replacements", found["diff"])
        self.assertEqual(path.read_text().count("term"), 500)

    def test_what_is_not_there_is_told_with_the_nearest_place(self):
        path = self.file(PYTHON, "order.py")
        self.fail_with(
            path,
            "    def totals(self):\n        return 1",
            "x",
            "Nearest is line 2",
            "'    def total(self):'",
            "'    def totals(self):'",
        )
        self.fail_with(path, "something else entirely", "x", "read_file shows")

    def test_how_white_space_differs_is_named(self):
        for content, old, words in (
            ("if x:\n\tdo()\n", "if x:\n    do()\n", "tabs against spaces"),
            ("if x:\n    do()\n", "if x:\n  do()\n", "the indentation"),
            ("do()  \nnext()\n", "do()\nnext()", "blanks at the end"),
            ("a  =  b\n", "a = b", "white space"),
            ("a\nb\n", "a\r\nb\r\n", "their ends"),
        ):
            with self.subTest(words=words):
                self.fail_with(self.file(content), old, "x", "line 1", words)

    def test_line_ends_of_the_file_are_kept(self):
        path = self.file("one\r\ntwo\r\nthree\r\n")
        found = self.edit(path, "one\ntwo\n", "1\n2\n3\n")
        self.assertEqual(path.read_bytes(), b"1\r\n2\r\n3\r\nthree\r\n")
        self.assertIn("CR LF", found["line_ends"])
        self.assertNotIn("\r", found["diff"])

    def test_a_byte_order_mark_is_kept(self):
        path = self.file(b"\xef\xbb\xbfone = 1\n", "a.py")
        self.assertNotIn("warning", self.edit(path, "one", "two"))
        self.assertEqual(path.read_bytes(), b"\xef\xbb\xbftwo = 1\n")

    def test_mode_and_owner_are_kept(self):
        path = self.file("old")
        for mode in (0o600, 0o755, 0o444):
            path.write_text("old")
            path.chmod(mode)
            self.edit(path, "old", "new")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode)
            path.chmod(0o644)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["file.txt"])

    def test_a_file_that_does_not_parse_then_is_written_and_told(self):
        path = self.file(PYTHON, "order.py")
        found = self.edit(path, "return 1", "return (")
        self.assertIn("line 3", found["warning"])
        self.assertIn("return (", path.read_text())
        again = self.edit(path, "twice", "thrice")
        self.assertIn("as before", again["warning"])
        view = self.file("<odoo>\n  <record/>\n</odoo>\n", "view.xml")
        self.assertIn("line 3", self.edit(view, "<record/>", "<record>")["warning"])

    def test_an_entity_of_xml_is_not_read_from_outside(self):
        (self.folder / "secret").write_text("secret")
        doctype = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{self.folder}/secret">]>'
        path = self.file(f"{doctype}\n<a>&e;</a>\n", "a.xml")
        found = self.edit(path, "<a>&e;", "<a>&e; ")
        self.assertNotIn("secret\n", found.get("warning", ""))

    def test_binary_and_other_encodings_are_refused_with_the_remedy(self):
        for content in (b"a\0b", "é".encode("latin-1"), "a".encode("utf-16")):
            self.fail_with(self.file(content), "a", "b", "encoding")

    def test_sizes_are_bounded(self):
        self.set_parameter("write_megabytes", 1)
        path = self.file("a" * 1024 * 1024)
        self.fail_with(path, "a" * 1024 * 1024, "b" * (1024 * 1024 + 1), "bytes")
        self.fail_with(self.file("a" * (1024 * 1024 + 1)), "b", "c", "sed")

    def test_a_secret_that_was_masked_is_not_lost(self):
        path = self.file("url = postgresql://odoo:hunter2@db/x\nname = 1\n")
        self.fail_with(
            path, f"url = postgresql://odoo:{MASK}@db/x", "x", "stands for a secret"
        )
        self.fail_with(path, "name = 1", f"name = {MASK}", "stands for a secret")
        found = self.edit(path, "name = 1", "name = 2")
        self.assertNotIn("hunter2", str(found))
        self.assertIn("hunter2", path.read_text())

    def test_a_file_that_changes_between_reading_and_writing_is_left_alone(self):
        def written():
            path.write_text("one, and more\n")

        def swapped():
            (self.folder / "other").write_text("one\n")
            os.rename(self.folder / "other", path)

        def linked():
            path.unlink()
            path.symlink_to(self.file("one\n", "target"))

        replace = text_edits.replace
        for change in (written, swapped, linked):
            path = self.file("one\n")

            def meddle(*arguments, change=change):
                change()
                return replace(*arguments)

            with self.subTest(change.__name__):
                with patch.object(text_edits, "replace", meddle):
                    text = self.refused(
                        "edit_file", path=str(path), old_text="one", new_text="two"
                    )
                self.assertIn("changed by somebody else", text)
                self.assertNotIn("two", path.read_text())
                self.assertFalse([*self.folder.glob(".file*")])
            path.unlink()

    def test_roots_and_what_guards_the_server_hold(self):
        inside, outside = self.folder / "in", self.folder / "out"
        inside.mkdir()
        outside.mkdir()
        secret = outside / "secret"
        secret.write_text("secret")
        (inside / "link").symlink_to(secret)
        self.set_parameter("path_roots", inside)
        for path in (secret, inside / "link"):
            text = self.refused(
                "edit_file", path=str(path), old_text="secret", new_text="x"
            )
            self.assertIn("outside the folders", text)
        self.set_parameter("path_roots", "")
        audit = self.file("", "audit.log")
        self.set_parameter("audit_file", audit)
        text = self.refused("edit_file", path=str(audit), old_text="U", new_text="x")
        self.assertIn("audit file", text)
        self.assertIn("USER=", audit.read_text())
        self.assertEqual(secret.read_text(), "secret")

    def test_a_path_that_leads_out_changes_nothing(self):
        outside = self.folder / "out"
        (self.folder / "in").mkdir()
        outside.mkdir()
        (outside / "secret").write_text("secret")
        self.set_parameter("path_roots", self.folder / "in")
        for _kind, spelled, _told in PATHS:
            path = spelled.replace("{in}", str(self.folder / "in"))
            path = path.replace("{out}", str(outside)).replace("{name}", "in")
            with self.subTest(path=path[:100]):
                self.refused("edit_file", path=path, old_text="secret", new_text="x")
        self.assertEqual((outside / "secret").read_text(), "secret")

    def test_a_folder_that_is_swapped_with_a_link_all_the_time_is_never_followed(self):
        """renameat2(2): at each moment the name is one or the other."""
        inside, outside = self.folder / "in", self.folder / "out"
        for folder in (inside / "swapped", outside):
            folder.mkdir(parents=True)
            (folder / "file").write_text(f"{folder.name} 0\n")
        (inside / "other").symlink_to(outside)
        self.set_parameter("path_roots", inside)
        names = [os.fsencode(inside / name) for name in ("swapped", "other")]
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
        done = threading.Event()

        def swap():
            while not done.is_set():
                exchange(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)

        thread = threading.Thread(target=swap)
        thread.start()
        files = self.env["mcp.toolset.filesystem"]
        path, edited, refused, listed = str(inside / "swapped" / "file"), 0, 0, set()
        try:
            for _turn in range(300):
                try:
                    files.edit_file(path, f" {edited}\n", f" {edited + 1}\n")
                    edited += 1
                except UserError:
                    refused += 1
                with contextlib.suppress(UserError):
                    found = files.list_files(str(inside), "**")["entries"]
                    listed |= {row["path"] for row in found}
        finally:
            done.set()
            thread.join()
        self.assertTrue(edited and refused)
        self.assertEqual((outside / "file").read_text(), "out 0\n")
        kept = [
            name for name in ("swapped", "other") if not (inside / name).is_symlink()
        ]
        self.assertEqual((inside / kept[0] / "file").read_text(), f"swapped {edited}\n")
        self.assertLessEqual(listed, {"swapped", "other", "swapped/file", "other/file"})

    def test_where_the_configuration_file_forbids_writing_nothing_is_edited(self):
        rails = Guardrails(path_roots=())
        path = self.file("one\n")
        with patch.object(mcp_toolset_filesystem, "guardrails", return_value=rails):
            self.fail_with(path, "one", "two", "configuration file")
        for name in ("write_file", "read_file"):
            rails = Guardrails(disabled_tools=frozenset({name}))
            with patch.object(
                mcp_toolset_filesystem_edit, "guardrails", return_value=rails
            ):
                self.fail_with(path, "one", "two", f"forbids {name}")
        secret = self.make_key(self.developer, read_only=True)
        with self.assertRaisesRegex(Exception, "Unknown tool"):
            self.call(
                "edit_file", secret, path=str(path), old_text="one", new_text="two"
            )
        self.assertEqual(path.read_text(), "one\n")

    def test_what_is_to_be_replaced_by_itself_is_told(self):
        self.fail_with(self.file("a"), "a", "a", "'new_text'")
        self.fail_with(self.file("a"), "", "b", "'old_text'")
