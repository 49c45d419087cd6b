"""inspect_model, checked against the live registry and the files that it names."""

import inspect
import re
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

from ..models import mcp_toolset_code, odoo_process
from ..models.class_chain import definition_classes
from ..models.guardrails import Guardrails
from ..models.stale_source import changed
from .common import McpCase

MODELS = ("res.partner", "res.users", "res.company", "mail.thread", "mail.message")


def line_at(place, folders):
    """The line of the file that ``sale/models/x.py:12`` leads to."""
    short, _colon, number = place.rpartition(":")
    [folder] = [
        name for name, modules in folders.items() if short.split("/")[0] in modules
    ]
    return (Path(folder) / short).read_text().split("\n")[int(number) - 1]


@tagged("post_install", "-at_install")
class TestInspectModel(McpCase):
    def inspected(self, model, name=None):
        arguments = {"model": model, "name": name}
        return self.ok("inspect_model", **{k: v for k, v in arguments.items() if v})

    def fields_told(self, model):
        """The lines of all fields by name, with the source that each stands under."""
        found = {}
        for source, rows in self.inspected(model)["fields"].items():
            if source == "automatic" or source.startswith("inherited from"):
                found.update(dict.fromkeys(rows[0].split(), (source, "")))
            else:
                found.update({row.split()[0]: (source, row) for row in rows})
        return found

    def test_each_field_of_the_registry_is_told_once_and_no_other(self):
        for name in MODELS:
            with self.subTest(model=name):
                told = self.fields_told(name)
                self.assertEqual(set(told), set(self.env[name]._fields))

    def test_a_field_of_a_module_that_is_not_installed_is_not_told(self):
        found = self.ok(
            "search_code", pattern="property_payment_term_id = fields", module="account"
        )
        self.assertGreater(found["matches"], 0)
        self.assertNotIn("account", self.env.registry._init_modules)
        self.assertNotIn("property_payment_term_id", self.fields_told("res.partner"))

    def test_the_modules_of_each_field_are_those_of_ir_model_fields(self):
        """A mixin's field is there told from the modules that have it inherited."""
        for model in MODELS[:3]:
            mixing = set(self.env.registry[model]._inherit_module.values())
            fields = self.env["ir.model.fields"].search([("model", "=", model)])
            for row in fields:
                facts = self.inspected(model, row.name)
                if "made" in facts:
                    continue
                told = {place["module"] for place in facts["defined"]}
                own = {module for module in told if ":" not in module}
                known = set(row.modules.split(", "))
                with self.subTest(model=model, field=row.name):
                    self.assertTrue(told)
                    self.assertLessEqual(own, known)
                    if own:
                        self.assertLessEqual(known - own, mixing)

    def test_the_place_of_each_field_really_defines_it(self):
        for model in MODELS[:2]:
            for name in self.env[model]._fields:
                facts = self.inspected(model, name)
                for place in facts.get("defined", []):
                    with self.subTest(model=model, field=name, at=place["at"]):
                        line = line_at(place["at"], facts["folders"])
                        self.assertRegex(line, rf"^\s+{name}\s*(:.*)?=\s*\S")

    def test_a_field_has_each_extension_in_order(self):
        places = self.inspected("res.partner", "email")["defined"]
        self.assertEqual([row["module"] for row in places], ["base", "mail"])
        self.assertIn("fields.Char(", places[0]["code"])
        self.assertIn("tracking=1", places[1]["code"])

    def test_a_field_by_inherits_is_told_from_its_model(self):
        facts = self.inspected("res.users", "email")
        self.assertIn("of res.partner", facts["made"])
        own = self.inspected("res.partner", "email")
        self.assertEqual(facts["defined"], own["defined"])
        told = self.fields_told("res.users")
        self.assertEqual(told["email"][0], "inherited from res.partner")
        self.assertEqual(
            self.inspected("res.users")["inherits"], {"res.partner": "partner_id"}
        )

    def test_a_field_of_a_mixin_is_told_from_the_mixin(self):
        [place] = self.inspected("res.partner", "message_ids")["defined"]
        self.assertEqual(place["module"], "mail:mail.thread")
        self.assertIn("mail/models/mail_thread.py", place["at"])

    def test_fields_of_the_orm_and_those_made_by_hand_are_told_as_such(self):
        facts = self.inspected("res.partner", "create_uid")
        self.assertEqual(facts["made"], "by the ORM")
        self.assertNotIn("defined", facts)
        self.env["ir.model.fields"].create(
            {
                "name": "x_mcp_test",
                "model_id": self.env["ir.model"]._get_id("res.partner.category"),
                "ttype": "char",
                "field_description": "By hand",
            }
        )
        facts = self.inspected("res.partner.category", "x_mcp_test")
        self.assertIn("by hand", facts["made"])
        self.assertEqual(facts["label"], "By hand")
        self.assertEqual(
            self.fields_told("res.partner.category")["x_mcp_test"][0], "made by hand"
        )

    def test_what_computes_a_field_and_what_it_depends_on(self):
        facts = self.inspected("res.partner", "display_name")
        self.assertIn(
            "_compute_display_name [base/models/res_partner.py", facts["compute"]
        )
        field = self.env["res.partner"]._fields["display_name"]
        depends = dict.fromkeys(self.env.registry.field_depends[field])
        self.assertEqual(facts["depends"], list(depends))
        facts = self.inspected("res.partner", "complete_name")
        self.assertIn("store", facts["flags"])
        told = set(self.inspected("res.partner", "name")["dependents"])
        self.assertLessEqual({"res.partner.complete_name", "res.users.name"}, told)

    def test_selection_values_have_the_module_that_brings_them(self):
        facts = self.inspected("res.partner", "type")
        self.assertIn("contact: Contact [base]", facts["selection"])
        told = [row.partition(":")[0] for row in facts["selection"]]
        values = self.env["res.partner"]._fields["type"].get_values(self.env)
        self.assertEqual(told, values)
        self.assertEqual(facts["default"], "'contact'")

    def test_the_views_that_show_a_field(self):
        views = self.inspected("res.partner", "vat")["views"]
        self.assertIn("base.view_partner_form", views)
        name = self.inspected("res.partner", "function")["views"]
        self.assertTrue(any("base.view_partner_form" in row for row in name), name)

    def test_a_method_has_its_override_chain_in_the_order_of_the_mro(self):
        for model, name in (
            ("res.partner", "write"),
            ("res.partner", "create"),
            ("res.partner", "_compute_display_name"),
            ("res.users", "write"),
            ("mail.message", "create"),
        ):
            with self.subTest(model=model, method=name):
                facts = self.inspected(model, name)
                expected = [
                    cls
                    for cls in type(self.env[model]).__mro__
                    if name in vars(cls) and getattr(cls, "pool", None) is None
                ]
                told = [row["module"].split(":")[0] for row in facts["chain"]]
                self.assertEqual(told, [cls._module or "odoo" for cls in expected])
                for cls, row in zip(expected, facts["chain"], strict=True):
                    line = line_at(row["at"], facts["folders"])
                    self.assertRegex(line, rf"def {name}\(")
                    code = inspect.unwrap(vars(cls)[name]).__code__
                    source = Path(code.co_filename).read_text().split("\n")
                    begun = source[code.co_firstlineno - 1 :]
                    self.assertIn(line, begun)
                    body = inspect.getsource(inspect.unwrap(vars(cls)[name]))
                    calls = bool(re.search(rf"super\([^)]*\)\.{name}\b", body))
                    self.assertEqual(row["calls_super"], calls)

    def test_decorators_are_told_as_they_are_written(self):
        [own, *_rest] = self.inspected("res.partner", "_compute_display_name")["chain"]
        self.assertTrue(any("api.depends" in row for row in own["decorators"]))
        [own, *_rest] = self.inspected("res.partner", "create")["chain"]
        self.assertIn("api.model_create_multi", own["decorators"])

    def test_a_class_attribute_is_told_as_it_is_written(self):
        facts = self.inspected("res.partner", "_order")
        self.assertIn("complete_name", facts["chain"][0]["code"])

    def test_the_classes_of_a_model_are_those_of_the_registry_in_order(self):
        for model in MODELS:
            with self.subTest(model=model):
                facts = self.inspected(model)
                told = [facts["defined"], *facts.get("extended", [])]
                own = [
                    cls
                    for cls in reversed(definition_classes(self.env.registry[model]))
                    if cls._name == model
                ]
                self.assertEqual(
                    [place.split("/")[0] for place in told],
                    [cls._module for cls in own],
                )
                for cls, place in zip(own, told, strict=True):
                    line = line_at(place, facts["folders"])
                    self.assertRegex(line, rf"^\s*class {cls.__name__}\b")

    def test_table_constraints_rights_and_views_of_a_model(self):
        facts = self.inspected("res.partner")
        self.assertEqual(facts["table"]["name"], "res_partner")
        self.assertEqual(
            facts["table"]["rows"],
            self.env["res.partner"].with_context(active_test=False).search_count([]),
        )
        self.assertTrue(
            any("res_partner_pkey" in row for row in facts["table"]["indexes"])
        )
        self.assertTrue(
            any(row.startswith("check_name: CHECK") for row in facts["sql_constraints"])
        )
        for row in facts["sql_constraints"] + facts["python_constraints"]:
            place = row.rpartition("[")[2].rstrip("]")
            line_at(place, facts["folders"])
        self.assertTrue(
            any("base.access_res_partner_group_user" in row for row in facts["access"])
        )
        self.assertTrue(any("base.res_partner_rule" in row for row in facts["rules"]))
        form = next(
            row
            for row in facts["views"]
            if row.startswith("form base.view_partner_form")
        )
        self.assertIn("mail.res_partner_view_form_inherit_mail", form)
        self.assertTrue(any(row.startswith("write: ") for row in facts["overridden"]))

    def test_the_answer_is_small(self):
        self.assertLess(
            len(self.call("inspect_model", model="res.partner").text), 10_500
        )

    def test_kinds_of_models(self):
        for model, kind in (
            ("mail.thread", "abstract"),
            ("res.partner", "model"),
            ("base.module.upgrade", "transient"),
        ):
            self.assertEqual(self.inspected(model)["kind"], kind)

    def test_every_member_of_some_models_can_be_inspected(self):
        for model in ("res.partner.category", "mail.message", "ir.model.fields"):
            registry = self.env.registry[model]
            names = {*registry._fields, *(n for n in dir(registry) if n[:2] != "__")}
            for name in names:
                with self.subTest(model=model, name=name):
                    outcome = self.call("inspect_model", model=model, name=name)
                    self.assertNotIn("internal error", outcome.text)

    def test_every_model_of_the_registry_can_be_inspected(self):
        for name in self.env.registry:
            with self.subTest(model=name):
                self.ok("inspect_model", model=name)

    def test_what_is_unknown_is_told_with_the_nearest_names(self):
        for arguments, words in (
            ({"model": "res.partnr"}, ["'res.partnr'", "res.partner"]),
            ({"model": "res.partner", "name": "emial"}, ["'emial'", "email"]),
            (
                {"model": "res.partner", "name": "_compute_display"},
                ["_compute_display_name"],
            ),
            ({"model": 5}, ["'model'", "string"]),
            ({}, ["'model'", "missing"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("inspect_model", **arguments)
                for word in words:
                    self.assertIn(word, text)

    def test_files_that_are_newer_than_the_server_are_named(self):
        self.assertNotIn("stale", self.inspected("res.partner", "write"))
        with tempfile.NamedTemporaryFile(suffix=".py") as file:
            known = inspect.getsourcefile(type(self.env["res.partner"]).write)
            self.assertEqual(changed(self.env, [file.name, known]), [file.name])
        with patch.object(odoo_process, "python_since", lambda: 0.0):
            facts = self.inspected("res.partner", "write")
        # the modules were installed later than their files were written
        framework = facts["chain"][-1]["at"].partition(":")[0]
        self.assertIn(f"{framework}. ", facts["stale"])
        self.assertNotIn("base/models", facts["stale"])

    def test_no_source_is_told_where_files_may_not_be_read(self):
        rails = Guardrails(disabled_tools=frozenset({"read_file"}))
        with patch.object(mcp_toolset_code, "guardrails", lambda: rails):
            facts = self.inspected("res.partner", "email")
        self.assertNotIn("code", facts["defined"][0])
        self.set_parameter("path_roots", "/nowhere")
        facts = self.inspected("res.partner", "email")
        self.assertNotIn("code", facts["defined"][0])
        self.assertIn("base/models/res_partner.py", facts["defined"][0]["at"])
