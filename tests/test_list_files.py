"""list_files: globs, pages, links, and what is passed over."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import config

from ..models import folder_walk
from .common import McpCase


@tagged("post_install", "-at_install")
class TestListFiles(McpCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        for name in (
            *("a.py", "models/b.py", "models/deep/c.py", "views/v.xml"),
            *(".git/config", ".git/hooks/x.py", "__pycache__/a.pyc"),
            *("static/node_modules/lib/index.js", ".hidden"),
        ):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("12345")

    def listing(self, pattern=None, path=None, **arguments):
        if pattern:
            arguments["pattern"] = pattern
        return self.ok("list_files", path=str(path or self.folder), **arguments)

    def names(self, *args, **arguments):
        return [row["path"] for row in self.listing(*args, **arguments)["entries"]]

    def test_a_folder_is_told_by_name_with_kind_size_and_time(self):
        os.utime(self.folder / "a.py", (0, 0))
        found = self.listing()
        self.assertEqual(
            found["entries"][0],
            {
                "path": "a.py",
                "kind": "file",
                "size": 5,
                "mtime": "1970-01-01T00:00:00Z",
            },
        )
        kinds = {row["path"]: row["kind"] for row in found["entries"]}
        self.assertEqual(
            kinds,
            {"a.py": "file", "models": "folder", "static": "folder", "views": "folder"},
        )
        self.assertEqual((found["total"], found["hidden"]), (4, 3))

    def test_globs(self):
        for pattern, names in (
            ("*.py", ["a.py"]),
            ("**/*.py", ["a.py", "models/b.py", "models/deep/c.py"]),
            ("models/*", ["models/b.py", "models/deep"]),
            ("models/**", ["models/b.py", "models/deep", "models/deep/c.py"]),
            ("**/deep/*.py", ["models/deep/c.py"]),
            ("*/v.xml", ["views/v.xml"]),
            ("[av]*", ["a.py", "views"]),
            ("?.py", ["a.py"]),
            ("**/nothing", []),
        ):
            with self.subTest(pattern=pattern):
                self.assertEqual(self.names(pattern), names)

    def test_what_is_hidden_or_made_by_machines_is_told_when_it_is_named(self):
        self.assertEqual(self.names(".git/*"), [".git/config", ".git/hooks"])
        self.assertEqual(self.names("__pycache__/*"), ["__pycache__/a.pyc"])
        self.assertEqual(self.names(".*"), [".git", ".hidden"])
        self.assertEqual(
            self.names("**/node_modules/**/*.js"), ["static/node_modules/lib/index.js"]
        )
        self.assertEqual(self.names(path=self.folder / ".git"), ["config", "hooks"])

    def test_depth_bounds_the_levels(self):
        self.assertEqual(
            self.names(depth=2),
            ["a.py", "models", "models/b.py", "models/deep", "static"]
            + ["views", "views/v.xml"],
        )
        self.assertEqual(self.names("**/*.py", depth=1), ["a.py"])

    def test_pages_follow_each_other(self):
        whole = self.names("**")
        first = self.listing("**", limit=3)
        self.assertEqual([row["path"] for row in first["entries"]], whole[:3])
        self.assertEqual(first["total"], len(whole))
        self.assertIn("offset=3", first["more"])
        rest = self.listing("**", limit=100, offset=3)
        self.assertEqual([row["path"] for row in rest["entries"]], whole[3:])
        self.assertNotIn("more", rest)

    def test_links_are_told_and_not_followed(self):
        outside = self.folder / "out"
        outside.mkdir()
        (outside / "secret").write_text("")
        inside = self.folder / "models"
        (inside / "link").symlink_to(outside)
        (inside / "round").symlink_to(inside)
        self.set_parameter("path_roots", inside)
        found = self.listing("**", path=inside)["entries"]
        links = {row["path"]: row["to"] for row in found if row["kind"] == "link"}
        self.assertEqual(links, {"link": str(outside), "round": str(inside)})
        self.assertNotIn("secret", str(found))
        self.assertEqual(self.names("link/*", path=inside), [])
        for path in (inside / "link", outside):
            text = self.refused("list_files", path=str(path))
            self.assertIn("outside the folders", text)

    def test_sessions_are_not_listed(self):
        sessions = Path(config.session_dir)
        (sessions / "mcp_test").mkdir(parents=True, exist_ok=True)
        self.addCleanup((sessions / "mcp_test").rmdir)
        self.assertIn("as good as keys", self.refused("list_files", path=str(sessions)))
        below = self.refused("read_file", path=str(sessions / "mcp_test" / "a"))
        self.assertIn("as good as keys", below)
        self.assertNotIn("sessions/mcp_test", self.names("**", path=sessions.parent))

    def test_a_folder_that_becomes_a_link_is_not_followed(self):
        outside = self.folder / "out"
        outside.mkdir()
        (outside / "secret").write_text("")
        real_open = os.open

        def swap(path, flags, *args, **kwargs):
            if path == "deep":
                (self.folder / "models" / "deep").rename(self.folder / "gone")
                (self.folder / "models" / "deep").symlink_to(outside)
            return real_open(path, flags, *args, **kwargs)

        with patch.object(folder_walk.os, "open", swap):
            found = self.listing("models/**")
        self.assertNotIn("secret", str(found))
        self.assertEqual(found["unreadable"], ["models/deep"])

    def test_a_bad_path_is_told_with_the_nearest_names(self):
        for path, words in (
            (self.folder / "model", ("no such", "models")),
            (self.folder / "model" / "deep", ("no such", "models")),
            (self.folder / "a.py", ("read_file",)),
            ("/proc/self", ("/proc",)),
            ("relative", ("relative",)),
            (f"{self.folder}/../x", ("'..'",)),
        ):
            with self.subTest(path=path):
                text = self.refused("list_files", path=str(path))
                for word in words:
                    self.assertIn(word, text)

    def test_names_outside_the_roots_are_not_told(self):
        self.set_parameter("path_roots", f"{self.folder}/model")
        text = self.refused("list_files", path=f"{self.folder}/model")
        self.assertNotIn("models", text)

    def test_a_pattern_that_leads_out_is_refused(self):
        for pattern in ("../*", "/etc/*", "models/../../*", "a//b"):
            with self.subTest(pattern=pattern):
                text = self.refused(
                    "list_files", path=str(self.folder), pattern=pattern
                )
                self.assertIn("'pattern'", text)

    def test_the_root_is_listed_without_the_kernels_folders(self):
        found = self.listing("*/*", path="/", limit=1000)
        roots = {row["path"].split("/")[0] for row in found["entries"]}
        self.assertIn("usr", roots)
        self.assertFalse(roots & {"proc", "dev", "sys"})

    def test_a_listing_without_end_is_given_up_and_told(self):
        with patch.object(folder_walk, "MOST_SEEN", 4):
            found = self.listing("**")
        self.assertIn("Given up", found["more"])
        self.assertEqual(len(found["entries"]), found["total"])

    def test_names_that_are_no_text_are_listed(self):
        name = os.fsencode(self.folder / "views") + b"/\xff.xml"
        with open(name, "w"):
            pass
        outcome = self.call("list_files", path=str(self.folder / "views"))
        self.assertFalse(outcome.is_error, outcome.text)
        self.assertEqual(len(outcome.structured["entries"]), 2)
