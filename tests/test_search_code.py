"""search_code on the real source, and on files that it must not read or hang on."""

import re
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

from .. import compat
from ..models import code_files, mcp_toolset_code
from ..models.guardrails import Guardrails
from ..models.tool_signature import signature
from .common import McpCase


@tagged("post_install", "-at_install")
class TestSearchCode(McpCase):
    def search(self, pattern, **arguments):
        return self.ok("search_code", pattern=pattern, **arguments)

    def module(self, **files):
        """A module ``mcp_found`` of its own that is searched alone."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve() / "mcp_found"
        for name, content in {"__manifest__.py": "{}", **files}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        patcher = patch.object(
            code_files, "all_modules", lambda: {"mcp_found": str(self.folder)}
        )
        patcher.start()
        self.addCleanup(patcher.stop)

    def lines(self, found):
        """The matching lines: file, number, text."""
        return [
            (row["file"], int(number), text)
            for row in found["found"]
            for number, text in re.findall(r"^(\d+):(.*)$", row["lines"], re.M)
        ]

    def test_every_match_is_told_with_module_file_and_line(self):
        found = self.search("def _compute_display_name", module="base", limit=200)
        expected = set()
        base = Path(compat.module_path("base"))
        for path in base.rglob("*.py"):
            for number, line in enumerate(path.read_text().split("\n"), 1):
                if "def _compute_display_name" in line:
                    expected.add((f"base/{path.relative_to(base)}", number, line))
        self.assertGreater(len(expected), 3)
        self.assertEqual(set(self.lines(found)), expected)
        self.assertEqual(found["matches"], len(expected))
        self.assertEqual(found["files"], len({row[0] for row in expected}))
        [folder] = found["folders"]
        self.assertTrue((Path(folder) / found["found"][0]["file"]).is_file())

    def test_all_modules_are_searched_installed_or_not_and_the_framework(self):
        found = self.search("class SaleOrder(models.Model)", glob="*.py")
        self.assertIn(
            "sale/models/sale_order.py", [row["file"] for row in found["found"]]
        )
        found = self.search("class BaseModel(", module="odoo")
        self.assertTrue(self.lines(found)[0][0].startswith("odoo/"))
        self.assertNotIn(
            "addons", {row["file"].split("/")[1] for row in found["found"]}
        )

    def test_text_is_meant_as_it_is_and_a_regex_as_one(self):
        self.module(**{"a.py": "x = f(a.b)\nx = f(a_b)\n"})
        self.assertEqual(self.search("f(a.b)")["matches"], 1)
        self.assertEqual(self.search(r"f\(a.b\)", regex=True)["matches"], 2)
        self.assertEqual(self.search("(?i)X = F", regex=True)["matches"], 2)
        self.assertEqual(self.search("X = F")["matches"], 0)
        self.assertEqual(self.search(r"^x.*b\)$", regex=True)["matches"], 2)

    def test_a_pattern_may_go_over_lines(self):
        self.module(**{"a.py": "f(\n    1)\nf(1)\n"})
        found = self.search(r"f\(\s*1", regex=True)
        self.assertEqual([row[1] for row in self.lines(found)], [1, 3])

    def test_lines_around_a_match(self):
        self.module(**{"a.py": "".join(f"line {n}\n" for n in range(1, 21))})
        found = self.search(r"line (5|6|15)$", regex=True, context=1)
        self.assertEqual(
            found["found"][0]["lines"].split("\n"),
            ["4-line 4", "5:line 5", "6:line 6", "7-line 7", "--"]
            + ["14-line 14", "15:line 15", "16-line 16"],
        )
        found = self.search("line 20", context=0)
        self.assertEqual(found["found"][0]["lines"], "20:line 20")

    def test_what_is_meant_by_default_stands_in_the_schema(self):
        method = type(self.env["mcp.toolset.code"]).search_code
        rows = signature(method).input_schema["properties"]
        found = [rows[name].get("default") for name in ("context", "limit", "offset")]
        self.assertEqual(found, [1, 30, 0])

    def test_the_rest_is_counted_and_comes_with_an_offset(self):
        self.module(**{f"f{n}.py": "hit\nhit\nhit\n" for n in range(4)})
        seen = []
        for offset in (0, 5, 10):
            found = self.search("hit", limit=5, offset=offset, context=0)
            self.assertEqual((found["matches"], found["files"]), (12, 4))
            seen += [row[:2] for row in self.lines(found)]
            self.assertEqual("more" in found, offset < 10)
        self.assertEqual(
            seen, [(f"mcp_found/f{n}.py", i) for n in range(4) for i in (1, 2, 3)]
        )

    def test_a_large_answer_is_cut_and_can_be_gone_on_with(self):
        self.module(
            **{f"f{n:03}.py": ("hit" + "x" * 500 + "\n") * 40 for n in range(20)}
        )
        found = self.search("hit", limit=500, context=0)
        self.assertLess(
            len(self.call("search_code", pattern="hit", limit=500).text), 60_000
        )
        told = len(self.lines(found))
        self.assertIn(f"offset={told}.", found["more"])
        following = self.search("hit", limit=1, offset=told, context=0)
        self.assertNotIn(
            self.lines(following)[0][:2], [row[:2] for row in self.lines(found)]
        )

    def test_what_no_person_writes_is_left_out(self):
        self.module(
            **{
                "a.py": "hit",
                "i18n/de.po": "hit",
                "static/lib/x.js": "hit",
                "static/src/x.min.js": "hit",
                "node_modules/x/y.js": "hit",
                ".git/x.py": "hit",
                "binary.py": b"hit\0",
                "image.png": "hit",
                "large.py": "hit" + " " * 1024 * 1024,
            }
        )
        self.assertEqual(self.lines(self.search("hit")), [("mcp_found/a.py", 1, "hit")])
        found = self.search("hit", glob="*/i18n/*.po")
        self.assertEqual(
            [row[0] for row in self.lines(found)], ["mcp_found/i18n/de.po"]
        )

    def test_globs_choose_files(self):
        self.module(**{"a.py": "hit", "models/b.py": "hit", "views/c.xml": "hit"})
        for glob, files in (
            ("*.py", ["a.py", "models/b.py"]),
            ("*.xml, a.py", ["a.py", "views/c.xml"]),
            ("mcp_found/models/*", ["models/b.py"]),
            ("*.js", []),
        ):
            with self.subTest(glob=glob):
                found = self.search("hit", glob=glob)
                told = [row[0].partition("/")[2] for row in self.lines(found)]
                self.assertEqual(told, files)

    def test_a_pattern_that_would_take_for_ever_ends_with_a_remedy(self):
        self.module(**{"a.py": "a" * 60 + "!"})
        self.set_parameter("command_timeout", 2)
        began = time.monotonic()
        text = self.refused("search_code", pattern="(a+)+$", regex=True)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("(a+)+", text)
        self.assertIn("2 s", text)

    def test_a_pattern_that_is_wrong_is_told(self):
        for pattern in ("(", "[", "*", "(?P<x", "a{99999999999}"):
            with self.subTest(pattern=pattern):
                text = self.refused("search_code", pattern=pattern, regex=True)
                self.assertIn("'pattern'", text)

    def test_wrong_arguments_are_named(self):
        for arguments, words in (
            ({"pattern": ""}, ["'pattern'", "expected"]),
            ({}, ["'pattern'", "missing"]),
            ({"pattern": "x", "limit": 0}, ["'limit'", ">= 1"]),
            ({"pattern": "x", "offset": "1"}, ["'offset'", "integer"]),
            ({"pattern": "x", "path": "/"}, ["'path'", "module, context"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("search_code", **arguments)
                for word in words:
                    self.assertIn(word, text)

    def test_an_unknown_module_is_told_with_the_nearest_names(self):
        text = self.refused("search_code", pattern="x", module="bas")
        self.assertIn("base", text)

    def test_what_the_roots_do_not_reach_is_not_searched(self):
        self.module(**{"a.py": "hit", "models/b.py": "hit"})
        self.set_parameter("path_roots", str(self.folder / "models"))
        found = self.search("hit")
        self.assertEqual(found["matches"], 1)
        self.assertEqual(found["found"][0]["file"], "mcp_found/models/b.py")
        rails = Guardrails(path_roots=("/nowhere",))
        with patch.object(mcp_toolset_code, "guardrails", lambda: rails):
            self.assertEqual(self.search("hit")["matches"], 0)
        rails = Guardrails(path_roots=())
        with patch.object(mcp_toolset_code, "guardrails", lambda: rails):
            self.assertIn("no path", self.refused("search_code", pattern="hit"))
        rails = Guardrails(disabled_tools=frozenset({"read_file"}))
        with patch.object(mcp_toolset_code, "guardrails", lambda: rails):
            self.assertIn("read_file", self.refused("search_code", pattern="hit"))

    def test_no_link_is_followed(self):
        self.module(**{"a.py": "nothing"})
        other = self.folder.parent / "other"
        other.mkdir()
        (other / "secret.py").write_text("hit")
        (self.folder / "linked").symlink_to(other)
        (self.folder / "link.py").symlink_to(other / "secret.py")
        self.assertEqual(self.search("hit")["matches"], 0)

    def test_what_guards_this_server_is_not_even_counted(self):
        self.module(**{"a.py": "hit"})
        self.set_parameter("audit_file", self.folder / "audit.log")
        (self.folder / "audit.log").write_text("hit")
        self.assertEqual(self.search("hit", glob="*.py, *.log")["matches"], 1)
        (self.folder / "hard.log").hardlink_to(self.folder / "audit.log")
        self.assertEqual(self.search("hit", glob="*.py, *.log")["matches"], 1)

    def test_nothing_found_is_no_error(self):
        found = self.search("no such text any" + "where", module="base")
        self.assertEqual((found["matches"], found["found"]), (0, []))
