"""list_modules and get_module_info."""

from pathlib import Path

from odoo.modules.module import get_manifest
from odoo.tests import tagged

from .common import McpCase

ADDON = "odoo_dev_mcp"


@tagged("post_install", "-at_install")
class TestModuleTools(McpCase):
    def modules(self, **arguments):
        return self.ok("list_modules", **arguments)

    def names(self, **arguments):
        return [row["name"] for row in self.modules(**arguments)["modules"]]

    def test_the_answer_has_the_fields_of_1_0(self):
        result = self.modules()
        self.assertEqual(
            set(result), {"modules", "total_count", "returned_count", "filter_applied"}
        )
        self.assertEqual(result["filter_applied"], "all")
        self.assertEqual(len(result["modules"]), result["returned_count"])
        for row in result["modules"]:
            self.assertEqual(
                set(row),
                {"name", "display_name", "version", "state", "author", "summary"},
            )

    def test_modules_come_by_name_and_within_the_limit(self):
        every = self.env["ir.module.module"].search_count([])
        names = self.names(limit=2000)
        self.assertEqual(len(names), min(every, 2000))
        self.assertEqual(names, sorted(names))
        result = self.modules(limit=3)
        self.assertEqual(result["returned_count"], 3)
        self.assertEqual(result["total_count"], every)
        self.assertEqual([row["name"] for row in result["modules"]], names[:3])

    def test_installed_modules(self):
        result = self.modules(state="installed", limit=2000)
        self.assertEqual(result["filter_applied"], "installed")
        self.assertEqual({row["state"] for row in result["modules"]}, {"installed"})
        names = {row["name"] for row in result["modules"]}
        self.assertLessEqual({"base", "web", ADDON}, names)

    def test_modules_that_wait_for_something_are_found(self):
        modules = self.env["ir.module.module"]
        waiting = modules.search([("state", "=", "uninstalled")], limit=1)
        for state, stored in (
            ("to_install", "to install"),
            ("to_upgrade", "to upgrade"),
            ("to_remove", "to remove"),
        ):
            waiting.state = stored
            with self.subTest(state=state):
                self.assertEqual(self.names(state=state), [waiting.name])
                self.assertNotIn(
                    waiting.name, self.names(state="installed", limit=2000)
                )

    def test_a_search_looks_in_name_title_and_summary(self):
        self.assertIn(ADDON, self.names(search="odoo_dev"))
        self.assertIn(ADDON, self.names(search="dev mcp server"))
        self.assertIn(ADDON, self.names(search="Claude Code"))
        self.assertEqual(self.names(search="no such module anywhere"), [])
        result = self.modules(search="odoo_dev_mcp", state="uninstalled")
        self.assertEqual(result["total_count"], 0)

    def test_a_search_counts_what_it_found(self):
        result = self.modules(search="account", limit=1)
        self.assertEqual(result["returned_count"], min(1, result["total_count"]))
        self.assertEqual(
            result["total_count"], len(self.names(search="account", limit=2000))
        )

    def test_wrong_arguments_are_named(self):
        for arguments, words in (
            ({"state": "to upgrade"}, ["'state'", "to_upgrade"]),
            ({"state": "x"}, ["'state'", '"installed"', '"x"']),
            ({"limit": 0}, ["'limit'", ">= 1"]),
            ({"limit": 2001}, ["'limit'", "<= 2000"]),
            ({"limit": "9"}, ["'limit'", "integer"]),
            ({"search": 5}, ["'search'", "string"]),
            ({"name": "x"}, ["'name'", "state, search, limit"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("list_modules", **arguments)
                for word in words:
                    self.assertIn(word, text)

    def test_all_of_a_module_is_told(self):
        info = self.ok("get_module_info", module_name=ADDON)
        self.assertEqual(info["name"], ADDON)
        self.assertEqual(info["display_name"], "Odoo Dev MCP Server")
        self.assertEqual(info["state"], "installed")
        self.assertEqual(info["license"], "LGPL-3")
        self.assertEqual(info["category"].split(" / ")[-1], "Technical")
        self.assertTrue(info["application"])
        self.assertTrue((Path(info["path"]) / "__manifest__.py").exists())
        self.assertEqual(
            {row["name"]: row["state"] for row in info["dependencies"]},
            dict.fromkeys(get_manifest(ADDON)["depends"], "installed"),
        )

    def test_the_versions_are_the_right_way_round(self):
        module = self.env["ir.module.module"].search([("name", "=", ADDON)])
        on_disk = get_manifest(ADDON)["version"]
        module.latest_version = "18.0.0.0.1"
        info = self.ok("get_module_info", module_name=ADDON)
        self.assertEqual(info["installed_version"], "18.0.0.0.1")
        self.assertTrue(info["version"].endswith(on_disk))
        listed = self.modules(search=ADDON)["modules"][0]
        self.assertEqual(listed["version"], info["version"])

    def test_a_module_that_is_not_installed_has_no_installed_version(self):
        modules = self.env["ir.module.module"]
        module = modules.search(
            [("state", "=", "uninstalled"), ("latest_version", "=", False)], limit=1
        )
        info = self.ok("get_module_info", module_name=module.name)
        self.assertIsNone(info["installed_version"])
        self.assertEqual(info["state"], "uninstalled")

    def test_installed_dependents_are_named(self):
        info = self.ok("get_module_info", module_name="web")
        self.assertIn(ADDON, info["dependents"])
        self.assertEqual(info["dependents"], sorted(info["dependents"]))
        states = self.env["ir.module.module"].search(
            [("name", "in", info["dependents"])]
        )
        self.assertEqual(set(states.mapped("state")), {"installed"})

    def test_a_module_without_its_folder_has_no_path(self):
        self.env["ir.module.module"].create({"name": "mcp_test_gone"})
        info = self.ok("get_module_info", module_name="mcp_test_gone")
        self.assertIsNone(info["path"])

    def test_an_unknown_module_is_told_with_the_nearest_names(self):
        for name, near in (("odoo_dev_mpc", ADDON), ("webb", "web"), ("Base", "base")):
            with self.subTest(name=name):
                text = self.refused("get_module_info", module_name=name)
                self.assertIn(repr(name), text)
                self.assertIn(near, text)
        text = self.refused("get_module_info", module_name="☃☃☃")
        self.assertIn("list_modules", text)

    def test_nul_in_a_name_is_told(self):
        for tool, arguments in (
            ("get_module_info", {"module_name": "a\0b"}),
            ("list_modules", {"search": "a\0b"}),
        ):
            with self.subTest(tool=tool):
                outcome = self.call(tool, **arguments)
                self.assertNotIn("internal error", outcome.text)

    def test_a_missing_or_wrong_name_is_named(self):
        for arguments, words in (
            ({}, ["'module_name'", "missing", "string"]),
            ({"module_name": ""}, ["'module_name'", "at least 1"]),
            ({"module_name": ["web"]}, ["'module_name'", "string"]),
            ({"module": "web"}, ["'module'", "module_name"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("get_module_info", **arguments)
                for word in words:
                    self.assertIn(word, text)
