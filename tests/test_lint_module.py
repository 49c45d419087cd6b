"""lint_module: each kind of fault is found at its place, and the sound has none."""

import csv
import sys
from unittest.mock import patch

from odoo.tests import tagged

from ..models import pylint_run
from ..models.pylint_config import taken
from .test_scaffold_module import MODULE, AddonsCase


@tagged("post_install", "-at_install")
class TestLintModule(AddonsCase):
    def setUp(self):
        super().setUp()
        self.folder = self.new_module(model="library.book")

    def findings(self, module=MODULE):
        return self.ok("lint_module", module=module)["findings"]

    def put(self, path, text):
        target = self.folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    def edit(self, path, before, after):
        text = (self.folder / path).read_text()
        self.assertIn(before, text)
        self.put(path, text.replace(before, after))

    def assert_found(self, path, line, code, told, severity="error"):
        """One finding, whole."""
        found = [row for row in self.findings() if row["code"] == code]
        self.assertEqual(len(found), 1, found)
        self.assertEqual(found[0]["at"], f"{self.folder / path}:{line}")
        self.assertEqual(found[0]["severity"], severity)
        self.assertIn(told, found[0]["message"])

    def test_a_sound_module_has_no_finding(self):
        found = self.ok("lint_module", module=MODULE)
        self.assertEqual(found["findings"], [])
        self.assertEqual(found["module"], MODULE)
        self.assertTrue(found["linters"])

    def test_it_says_how_to_get_pylint_odoo_where_there_is_none(self):
        found = self.ok("lint_module", module=MODULE)
        has = any("pylint-odoo" in name for name in found["linters"])
        self.assertNotEqual(has, "pip install pylint-odoo" in found.get("hint", ""))

    def test_odoo_s_own_modules_load_and_have_no_error(self):
        for module in ("base", "mail", "contacts"):
            with self.subTest(module=module):
                found = self.findings(module)
                errors = [row for row in found if row["severity"] == "error"]
                self.assertEqual(
                    [row for row in errors if "(" not in row["code"]], [], errors
                )

    def test_python_that_does_not_compile(self):
        self.put("models/library_book.py", "x = 1\ndef broken(:\n")
        self.assert_found("models/library_book.py", 2, "syntax-error", "")

    def test_a_file_that_nobody_imports(self):
        self.put("models/forgotten.py", "")
        self.assert_found(
            "models/__init__.py", 1, "not-imported", "import forgotten", "warning"
        )

    def test_an_import_of_what_is_not_there(self):
        self.put("models/__init__.py", "from . import library_book, library_bok\n")
        self.assert_found(
            "models/__init__.py", 1, "import-missing", "Nearest: library_book"
        )

    def test_a_manifest_that_is_no_literal(self):
        self.put("__manifest__.py", "{'name': f()}")
        self.assert_found("__manifest__.py", 1, "manifest-unreadable", "literals")

    def test_a_listed_file_that_is_missing_and_one_that_is_not_listed(self):
        self.edit("__manifest__.py", "library_book_views", "library_bok_views")
        self.assert_found(
            "__manifest__.py", 13, "file-missing", "Nearest: views/library_book_views"
        )
        path = "views/library_book_views.xml"
        self.assert_found(path, 1, "file-not-listed", "does not load", "warning")

    def test_a_dependency_that_is_not_there(self):
        self.edit("__manifest__.py", '["base"]', '["base", "contatcs"]')
        self.assert_found("__manifest__.py", 8, "depends-missing", "contacts")

    def test_a_version_of_another_series(self):
        text = (self.folder / "__manifest__.py").read_text()
        series = text.partition('"version": "')[2][:4]
        self.edit("__manifest__.py", f'"{series}.1', '"17.0.1')
        self.assert_found("__manifest__.py", 3, "version-series", series)

    def test_xml_that_does_not_parse(self):
        self.put("views/library_book_views.xml", "<odoo>\n<record>\n</odoo>")
        self.assert_found("views/library_book_views.xml", 3, "xml-syntax", "record")

    def test_xml_that_odoo_does_not_load(self):
        self.put(
            "views/library_book_views.xml",
            '<odoo>\n<record id="a" modle="res.partner"/>\n</odoo>',
        )
        found = {row["code"]: row for row in self.findings()}
        self.assertIn("xml-grammar", found)
        self.assertTrue(found["xml-grammar"]["at"].endswith("book_views.xml:2"), found)

    def test_an_xml_id_that_is_given_twice(self):
        node = '<menuitem id="a" name="b"/>'
        self.put("views/library_book_views.xml", f"<odoo>\n{node}\n{node}\n</odoo>")
        path = "views/library_book_views.xml"
        self.assert_found(path, 3, "duplicate-id", "line 2", "warning")

    def test_access_rules_that_name_what_is_not_there(self):
        path = "security/ir.model.access.csv"
        self.edit(
            path, "model_library_book,base.group_user", "model_library_bok,base.x"
        )
        found = [row for row in self.findings() if row["code"] == "unknown-id"]
        self.assertEqual({row["at"] for row in found}, {f"{self.folder / path}:2"})
        said = sorted(row["message"] for row in found)
        self.assertIn("'model_library_bok' is not defined", said[0])
        self.assertIn("model_library_book", said[0])
        self.assertIn("'base.x'", said[1])

    def test_access_rules_of_a_wrong_form(self):
        path = "security/ir.model.access.csv"
        self.edit(path, "perm_unlink", "perm_delete")
        self.assert_found(path, 1, "csv-field", "'perm_delete'")
        self.edit(path, ",1,0,0,0", ",yes,0,0")
        self.assert_found(path, 2, "csv-columns", "7 values for 8 columns")

    def test_a_value_that_is_too_long_is_told(self):
        self.addCleanup(csv.field_size_limit, csv.field_size_limit(1000))
        path = "security/ir.model.access.csv"
        self.edit(path, "perm_unlink", "x" * 1001)
        self.assert_found(path, 1, "csv-syntax", "1000")

    def test_pylint_that_fails_has_not_found_nothing(self):
        for said in ("print('[no')", "print('sorry')", "print('[0' * 2**20)", ""):
            with self.subTest(said=said):
                fails = [sys.executable, "-c", said]
                with patch.object(pylint_run, "program", lambda fails=fails: fails):
                    found = self.ok("lint_module", module=MODULE)
                self.assertEqual(len(found["linters"]), 1)
                self.assertIn("pylint failed", found["hint"])
        with patch.object(pylint_run, "program", lambda: ["/no/such/pylint"]):
            self.assertIn("/no/such", self.ok("lint_module", module=MODULE)["hint"])

    def test_of_a_module_s_pylint_configuration_nothing_is_taken_that_runs(self):
        path = self.folder / ".pylintrc"
        evil = "init-hook=evil()\nevaluation=evil()\noutput-format=evil\n"
        path.write_text(
            f"[MAIN]\n{evil}load-plugins=pylint_odoo,evil\n[A]\ndisable=all"
        )
        self.assertEqual(taken(path).text, "[0]\ndisable = all\n")
        self.assertEqual(taken(path).missed, ["init-hook", "load-plugins"])
        path.write_text(
            "[A]\nenable=\n  a,\n  b\n[B]\nvalid_odoo_versions=%(x)s\nx=18.0"
        )
        text = "[0]\nenable = a, b\n[1]\nvalid_odoo_versions = 18.0\n"
        self.assertEqual(taken(path), (text, []))
        path.write_text("a secret")
        with self.assertRaisesRegex(ValueError, "MissingSection.*pylintrc$"):
            taken(path)
        if sys.version_info >= (3, 11):
            path = self.folder / ".pylintrc.toml"
            hidden = 'disable = ["a", "b\\r[x]\\rinit-hook=evil()"]'
            path.write_text(f"[tool.pylint.main]\n{hidden}\ninit-hook = 'evil()'")
            text = "[0]\ndisable = a,b [x] init-hook=evil()\n"
            self.assertEqual(taken(path), (text, ["init-hook"]))

    def test_an_unknown_module_is_told_with_the_nearest(self):
        text = self.refused("lint_module", module="contatcs")
        self.assertIn("contacts", text)

    def test_the_roots_of_the_files_hold(self):
        self.set_parameter("path_roots", "/srv/nowhere")
        self.assertIn("/srv/nowhere", self.refused("lint_module", module=MODULE))
