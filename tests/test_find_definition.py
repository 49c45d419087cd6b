"""find_definition, checked against the database and the files that it names."""

import csv

from odoo.tests import tagged

from ..models import data_places
from .common import McpCase
from .test_inspect_model import line_at


@tagged("post_install", "-at_install")
class TestFindDefinition(McpCase):
    def found(self, name, **kind):
        """The definitions, with the line that each place leads to."""
        result = self.ok("find_definition", name=name, **kind)
        for row in result["found"]:
            if isinstance(row.get("at"), str):
                row["line"] = line_at(row["at"], result["folders"])
        return result["found"]

    def test_a_model_is_found_with_what_extends_it(self):
        [row] = self.found("res.partner")
        self.assertEqual(row["module"], "base")
        self.assertRegex(row["line"], r"^class \w+\(models\.Model\)")
        self.assertTrue(row["code"].startswith(row["line"]))
        self.assertTrue(any(place.startswith("mail/") for place in row["extended"]))

    def test_a_field_is_found_in_each_class_that_defines_it(self):
        rows = self.found("res.partner.email")
        self.assertEqual([row["module"] for row in rows], ["base", "mail"])
        for row in rows:
            self.assertIn("email = fields.Char", row["line"])
        rows = self.found("res.users.email")
        self.assertEqual({row["inherited_from"] for row in rows}, {"res.partner.email"})

    def test_a_method_is_found_in_the_order_of_calls(self):
        rows = self.found("res.partner.write")
        self.assertEqual(rows[-1]["module"], "odoo")
        self.assertIn("base", [row["module"] for row in rows])
        for row in rows:
            self.assertIn("def write(", row["line"])

    def test_a_name_without_its_model_is_found_everywhere(self):
        [row] = self.found("_onchange_country_id")
        self.assertTrue(any(at.startswith("res.partner: ") for at in row["at"]), row)

    def test_xml_ids_are_found_with_their_record(self):
        for name in (
            "base.view_partner_form",
            "base.main_partner",
            "base.res_partner_rule",
            "base.access_res_partner_group_user",
            "mail.menu_root_discuss",
            "web.login",
            "contacts.action_contacts",
        ):
            with self.subTest(name=name):
                [row] = self.found(name)
                record = self.env.ref(name)
                self.assertEqual(row["record"], f"{record._name},{record.id}")
                self.assertIn(name.split(".")[1], row["code"])
                self.assertTrue(row["code"].startswith(row["line"]))
                data = self.env["ir.model.data"].search(
                    [
                        ("module", "=", name.split(".")[0]),
                        ("name", "=", name.split(".")[1]),
                    ]
                )
                self.assertEqual(row["noupdate"], data.noupdate)
                self.assertLessEqual(row["code"].count("\n"), 9)

    def test_an_xml_id_that_no_file_has_is_told_so(self):
        [row] = self.found("base.model_res_partner")
        self.assertIn("no data file", row["made"])
        self.assertNotIn("at", row)
        self.assertTrue(row["record"].startswith("ir.model,"))

    def test_an_xml_id_whose_record_is_gone_is_told_so(self):
        rule = self.env.ref("base.res_partner_rule")
        data = self.env["ir.model.data"].search(
            [("module", "=", "base"), ("name", "=", "res_partner_rule")]
        )
        data.res_id = rule.id + 1_000_000
        [row] = self.found("base.res_partner_rule")
        self.assertIn("gone", row["state"])

    def test_what_a_module_that_is_not_installed_would_bring_is_told_as_such(self):
        [row] = self.found("sale.view_order_form")
        self.assertIn("not in this database", row["state"])
        self.assertIn("view_order_form", row["line"])

    def test_a_view_is_found_by_key_or_name(self):
        [row] = self.found("res.partner.form", kind="view")[:1]
        self.assertTrue(row["record"].startswith("ir.ui.view,"))

    def test_a_report_is_found_by_its_name(self):
        report = self.env["ir.actions.report"].search([], limit=1)
        rows = self.found(report.report_name, kind="report")
        self.assertEqual(rows[0]["record"], f"ir.actions.report,{report.id}")

    def test_a_route_is_found_with_its_override_chain(self):
        [row] = self.found("/web/login")
        self.assertEqual(row["auth"], "none")
        self.assertEqual(row["chain"][-1]["module"], "web")
        self.assertIn("web/controllers/home.py", row["chain"][-1]["at"])
        [row] = self.found("/web/content/12")
        self.assertEqual(row["route"], "/web/content/<int:id>")
        [row] = self.found("/mcp/v1")[:1]
        self.assertEqual(row["chain"][0]["module"], "odoo_dev_mcp")

    def test_a_module_of_javascript_is_found(self):
        [row] = self.found("@web/core/utils/hooks")
        self.assertEqual(row["at"], "web/static/src/core/utils/hooks.js:1")
        self.assertIn("import", row["code"])

    def test_javascript_is_found_below_static_alone(self):
        for name in ("@web/../../../base/models/res_partner", "@web/../../__init__"):
            with self.subTest(name=name):
                self.assertIn(name, self.refused("find_definition", name=name))

    def test_what_is_unknown_is_told_with_the_nearest_names(self):
        for name, near in (
            ("res.partnr", "res.partner"),
            ("res.partner.emial", "res.partner.email"),
            ("base.view_partner_fom", "base.view_partner_form"),
            ("/web/logn", "/web/login"),
            ("@web/core/utils/hoks", "@web/core/utils/hooks"),
            ("sale.order", "search_code"),
            ("nothing_is_called_so_xyz", "search_code"),
        ):
            with self.subTest(name=name):
                text = self.refused("find_definition", name=name)
                self.assertIn(repr(name), text)
                self.assertIn(near, text)
        for name, kind in (
            ("res.partnr", "model"),
            ("res.partner.emial", "field"),
            ("res.partner.wrte", "method"),
            ("base.nope", "xmlid"),
            ("base.nope", "view"),
            ("base.nope", "report"),
            ("nope", "route"),
            ("nope", "js"),
        ):
            with self.subTest(name=name, kind=kind):
                text = self.refused("find_definition", name=name, kind=kind)
                self.assertIn(name.rpartition(".")[2], text)

    def test_wrong_arguments_are_named(self):
        text = self.refused("find_definition", name="res.partner", kind="class")
        self.assertIn("'kind'", text)
        self.assertIn("xmlid", text)

    def test_odd_names_are_no_internal_error(self):
        for name in (
            ".",
            "..",
            "a\0b",
            "%s",
            "res.partner.",
            ".write",
            "@",
            "/",
            "' OR 1",
        ):
            with self.subTest(name=name):
                outcome = self.call("find_definition", name=name)
                self.assertNotIn("internal error", outcome.text)

    def test_no_source_is_told_where_files_may_not_be_read(self):
        self.set_parameter("path_roots", "/nowhere")
        for name in ("res.partner", "base.view_partner_form", "/web/login", "@web/env"):
            with self.subTest(name=name):
                [row] = self.found(name)
                self.assertNotIn("code", row)

    def test_a_csv_file_that_cannot_be_read_defines_nothing(self):
        self.addCleanup(csv.field_size_limit, csv.field_size_limit(1000))
        text = b"id,name\na," + b"x" * 1001
        self.assertEqual(list(data_places._in_csv(text, {"a"})), [])
