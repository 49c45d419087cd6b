"""The prompt that tells why a user is denied."""

from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ADMINISTRATOR, USER
from .prompt_case import PromptCase


@tagged("post_install", "-at_install")
class TestExplainAccess(PromptCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.asked = cls.make_user("asked_for", USER)
        cls.partner = cls.env["res.partner"].create({"name": "<Secret> & Sons"})

    def explained(self, model, operation, **arguments):
        arguments = {
            "user": "asked_for",
            "model": model,
            "operation": operation,
            **arguments,
        }
        with mute_logger(
            "odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"
        ):
            return self.text("explain_access", arguments)

    def refusal(self, **arguments):
        wanted = {"user": "asked_for", "model": "res.partner", "operation": "read"}
        response = self.ask("explain_access", wanted | arguments)
        return self.assert_error(response, 200, -32603)["error"]["message"]

    def test_access_rights_decide(self):
        text = self.explained("ir.cron", "write")
        self.assertIn("is denied to write ir.cron", text)
        self.assertIn("verdict, asked as that user: **denied**", text)
        line = next(line for line in text.splitlines() if "ir_cron group_cron" in line)
        self.assertIn("grants, not in this group", line)
        self.assertIn("MCP User", text)

    def test_a_record_rule_decides_and_is_told_to_fail(self):
        rule = self.env["ir.rule"].create(
            {
                "name": "Nothing & nobody",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[('name', '!=', '<Secret> & Sons'),\n"
                " ('id', '>', user.id * 0)]",
            }
        )
        record = str(self.partner.id)
        text = self.explained("res.partner", "read", record=record)
        self.assertIn("**denied**", text)
        line = next(line for line in text.splitlines() if rule.name in line)
        self.assertIn("global", line)
        self.assertIn(
            "[('name', '!=', '<Secret> & Sons'), ('id', '>', user.id * 0)]", line
        )
        self.assertIn("applies, FAILS for this record", line)
        other = str(self.env.ref("base.main_partner").id)
        text = self.explained("res.partner", "read", record=other)
        line = next(line for line in text.splitlines() if rule.name in line)
        self.assertIn("applies, holds for this record", line)

    def test_what_is_allowed_is_told_to_be_allowed(self):
        text = self.explained("res.partner", "read", record=str(self.partner.id))
        self.assertIn("is allowed to read res.partner with the id", text)
        self.assertIn("The record's company: none: shared by all.", text)
        self.assertNotIn("<reason>", text)

    def test_a_rule_of_other_groups_is_told_not_to_apply(self):
        self.env["ir.rule"].create(
            {
                "name": "For administrators",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[(0, '=', 1)]",
                "groups": [Command.link(self.env.ref(ADMINISTRATOR).id)],
            }
        )
        text = self.explained("res.partner", "read", record=str(self.partner.id))
        line = next(line for line in text.splitlines() if "For administrators" in line)
        self.assertIn("not in these groups", line)
        self.assertIn("**allowed**", text)

    def test_companies_of_user_and_record_are_told(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.partner.company_id = company
        text = self.explained("res.partner", "read", record=str(self.partner.id))
        self.assertIn("The record's company: Elsewhere.", text)
        self.assertIn("Companies: current ", text)
        self.assertNotIn("allowed Elsewhere", text)
        self.assertIn("**denied**", text)

    def test_fields_that_the_user_does_not_reach_are_told(self):
        text = self.explained("res.users", "read")
        self.assertIn("inherits from", text)
        self.assertRegex(
            text, r"Fields that the user's groups do not reach\n.*\(base\."
        )

    def test_it_changes_nothing(self):
        before = self.partner.read()
        for operation in ("write", "unlink", "create"):
            self.explained("res.partner", operation, record=str(self.partner.id))
        self.env.invalidate_all()
        self.assertEqual(self.partner.read(), before)

    def test_what_there_is_not_is_named(self):
        for arguments, *words in (
            ({"user": "nobody_here"}, "nobody_here"),
            ({"user": "%"}, "no user '%'"),
            ({"model": "res.partnr"}, "res.partnr", "res.partner"),
            ({"model": "mcp.feature.mixin"}, "mcp.feature.mixin"),
            ({"operation": "delete"}, "delete", "unlink"),
            ({"record": "first"}, "first"),
            ({"record": "999999999"}, "999999999"),
        ):
            with self.subTest(arguments=arguments):
                text = self.refusal(**arguments)
                for word in words:
                    self.assertIn(word, text)

    def test_users_models_and_operations_are_completed(self):
        for name, value, expected in (
            ("user", "asked", ["asked_for"]),
            ("model", "mcp.prompt", ["mcp.prompt", "mcp.prompt.argument"]),
            ("operation", "", ["read", "write", "create", "unlink"]),
            ("operation", "u", ["unlink"]),
            ("record", "", []),
        ):
            with self.subTest(name=name):
                found = self.proposed("explain_access", name, value)
                self.assertEqual(found, expected)

    def test_only_those_who_may_see_all_that_get_it(self):
        for group in (USER, ADMINISTRATOR):
            secret = self.make_key(self.make_user(f"mcp_{group[-4:]}", group))
            arguments = {"user": "admin", "model": "res.partner", "operation": "read"}
            response = self.ask("explain_access", arguments, secret=secret)
            self.assert_error(response, 400, -32602, "Unknown prompt")
            response = self.complete("explain_access", "user", "a", secret=secret)
            self.assert_error(response, 400, -32602, "Unknown prompt")
