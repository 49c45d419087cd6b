"""scaffold_module: what it writes, and what it leaves as it is."""

import ast
import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

import odoo.addons

from .. import compat
from ..models.guardrails import Guardrails
from .common import McpCase

MODULE = "mcp_scaffolded"


class AddonsCase(McpCase):
    """Has an addons path of its own, a folder of the test."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addons = Path(folder.name).resolve()
        self.addCleanup(compat.forget_manifests)
        paths = [*odoo.addons.__path__, str(self.addons)]
        self.startPatcher(patch.object(odoo.addons, "__path__", paths))

    def scaffold(self, kind, name, **arguments):
        return self.ok("scaffold_module", kind=kind, name=name, **arguments)

    def new_module(self, **arguments):
        self.scaffold("module", MODULE, addons_path=str(self.addons), **arguments)
        return self.addons / MODULE

    def files(self):
        return {
            str(path.relative_to(self.addons)): path.read_text()
            for path in self.addons.rglob("*")
            if path.is_file()
        }


@tagged("post_install", "-at_install")
class TestScaffoldModule(AddonsCase):
    def test_a_module_has_all_that_belongs_to_it(self):
        found = self.scaffold("module", MODULE, addons_path=str(self.addons))
        self.assertEqual(found["folder"], str(self.addons / MODULE))
        self.assertEqual(
            set(found["files"]),
            {
                "__init__.py",
                "__manifest__.py",
                "README.md",
                "models/__init__.py",
                f"models/{MODULE}_record.py",
                f"security/{MODULE}_groups.xml",
                "security/ir.model.access.csv",
                "tests/__init__.py",
                f"tests/test_{MODULE}_record.py",
                f"views/{MODULE}_menus.xml",
                f"views/{MODULE}_record_views.xml",
            },
        )
        self.assertIn(f"install_module('{MODULE}')", found["next"])
        self.assertIn(f"run_tests(modules=['{MODULE}'])", found["next"])
        self.assertEqual(
            {f"{MODULE}/{name}" for name in found["files"]}, set(self.files())
        )

    def test_what_is_written_has_nothing_wrong_with_it(self):
        self.new_module(model="library.book")
        self.scaffold("model", "library.loan", module=MODULE)
        self.scaffold("test", "returns", module=MODULE)
        self.assertEqual(self.ok("lint_module", module=MODULE)["findings"], [])

    def test_a_model_is_added_with_all_that_makes_it_seen(self):
        folder = self.new_module()
        found = self.scaffold("model", "library.loan", module=MODULE)
        self.assertEqual(
            set(found["files"]),
            {
                "models/library_loan.py",
                "tests/test_library_loan.py",
                "views/library_loan_views.xml",
            },
        )
        self.assertEqual(
            set(found["changed"]),
            {
                "__manifest__.py",
                "models/__init__.py",
                "security/ir.model.access.csv",
                "tests/__init__.py",
            },
        )
        manifest = ast.literal_eval((folder / "__manifest__.py").read_text())
        self.assertEqual(manifest["data"][-1], "views/library_loan_views.xml")
        imports = (folder / "models/__init__.py").read_text()
        self.assertIn("from . import library_loan\n", imports)
        rules = (folder / "security/ir.model.access.csv").read_text()
        self.assertEqual(rules.count("model_library_loan"), 2)
        self.assertEqual(rules.count(f"{MODULE}_group_manager"), 2)
        views = (folder / "views/library_loan_views.xml").read_text()
        self.assertIn(f'parent="{MODULE}_menu_root"', views)

    def test_a_model_is_added_to_a_module_that_has_none(self):
        folder = self.addons / "mcp_bare"
        folder.mkdir()
        manifest = "{\n    # why\n    'name': 'Bare',\n    'license': 'LGPL-3'\n}\n"
        (folder / "__manifest__.py").write_text(manifest)
        (folder / "__init__.py").write_text("")
        self.scaffold("model", "bare.thing", module="mcp_bare")
        self.assertEqual(self.ok("lint_module", module="mcp_bare")["findings"], [])
        after = (folder / "__manifest__.py").read_text()
        self.assertIn("# why", after)
        self.assertEqual(
            ast.literal_eval(after)["data"],
            ["security/ir.model.access.csv", "views/bare_thing_views.xml"],
        )
        self.assertEqual((folder / "__init__.py").read_text(), "from . import models\n")

    def test_a_test_is_added_and_imported(self):
        folder = self.new_module()
        found = self.scaffold("test", "returns", module=MODULE)
        self.assertEqual(found["files"], ["tests/test_returns.py"])
        imports = (folder / "tests/__init__.py").read_text()
        self.assertIn("from . import test_returns\n", imports)

    def test_nothing_is_overwritten(self):
        folder = self.new_module()
        (folder / "views/library_loan_views.xml").write_text("mine")
        self.scaffold("test", "returns", module=MODULE)
        before = self.files()
        for arguments in (
            {"kind": "module", "name": MODULE, "addons_path": str(self.addons)},
            {"kind": "model", "name": "library.loan", "module": MODULE},
            {"kind": "test", "name": "returns", "module": MODULE},
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("scaffold_module", **arguments)
                self.assertIn("already", text)
                self.assertEqual(self.files(), before)

    def test_a_manifest_that_cannot_be_read_leaves_all_as_it_is(self):
        folder = self.new_module()
        (folder / "__manifest__.py").write_text("{'name': name}")
        before = self.files()
        text = self.refused(
            "scaffold_module", kind="model", name="library.loan", module=MODULE
        )
        self.assertIn("manifest", text)
        self.assertEqual(self.files(), before)

    def test_what_cannot_be_is_told_with_the_remedy(self):
        self.new_module()
        here = {"addons_path": str(self.addons)}
        for kind, name, arguments, told in (
            ("module", "Bad-Name", here, "small letters"),
            ("module", "base", here, "already"),
            ("module", "mcp_other", {"addons_path": "/tmp"}, str(self.addons)),
            ("module", "mcp_other", {"model": "res.partner", **here}, "_inherit"),
            ("module", "mcp_other", {"model": "A b", **here}, "library.book"),
            ("model", "res.partner", {"module": MODULE}, "_inherit"),
            ("model", "library.loan", {}, "'module'"),
            ("model", "library.loan", {"module": "mcp_scafolded"}, "no module"),
            ("test", "../../evil", {"module": MODULE}, "small letters"),
            ("test", "x", {"module": "../.."}, "no module"),
        ):
            with self.subTest(kind=kind, name=name, arguments=arguments):
                text = self.refused(
                    "scaffold_module", kind=kind, name=name, **arguments
                )
                self.assertIn(told, text)

    def test_the_roots_of_the_files_hold(self):
        self.set_parameter("path_roots", "/srv/nowhere")
        text = self.refused(
            "scaffold_module", kind="module", name=MODULE, addons_path=str(self.addons)
        )
        self.assertIn("/srv/nowhere", text)
        self.assertEqual(self.files(), {})

    def test_a_module_is_put_into_the_first_addons_path_that_may_be_reached(self):
        other = self.enterContext(tempfile.TemporaryDirectory())
        paths = [other, *odoo.addons.__path__]
        self.startPatcher(patch.object(odoo.addons, "__path__", paths))
        self.set_parameter("path_roots", str(self.addons))
        found = self.scaffold("module", MODULE)
        self.assertEqual(found["folder"], str(self.addons / MODULE))
        self.set_parameter("path_roots", "/srv/nowhere")
        text = self.refused("scaffold_module", kind="module", name="mcp_other")
        self.assertIn("add one to addons_path", text)

    def test_python_that_does_not_parse_leaves_all_as_it_is(self):
        folder = self.new_module()
        (folder / "models/__init__.py").write_text("from . import (")
        before = self.files()
        text = self.refused(
            "scaffold_module", kind="model", name="library.loan", module=MODULE
        )
        self.assertIn(f"{folder}/models/__init__.py", text)
        self.assertIn("no Python", text)
        self.assertEqual(self.files(), before)

    def test_what_may_write_no_file_scaffolds_nothing(self):
        rails = Guardrails(disabled_tools=frozenset({"write_file"}))
        with patch(
            "odoo.addons.odoo_dev_mcp.models.mcp_toolset_quality.guardrails",
            lambda: rails,
        ):
            text = self.refused(
                "scaffold_module",
                kind="module",
                name=MODULE,
                addons_path=str(self.addons),
            )
        self.assertIn("write_file", text)
        self.assertEqual(self.files(), {})

    def test_a_link_out_of_the_module_is_not_written_through(self):
        folder = self.new_module()
        outside = self.addons / "outside"
        outside.mkdir()
        os.symlink(outside, folder / "wizards")
        self.set_parameter("path_roots", str(folder))
        self.scaffold("test", "returns", module=MODULE)
        self.assertEqual(list(outside.iterdir()), [])
