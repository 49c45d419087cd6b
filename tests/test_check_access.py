"""check_access: what decides whether a user may do something, and what would help."""

from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ADMINISTRATOR, USER, McpCase


@tagged("post_install", "-at_install")
class TestCheckAccess(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = cls.make_user("orm_asker", USER)
        cls.plain_secret = cls.make_key(cls.plain)
        cls.partner = cls.env["res.partner"].create({"name": "Top secret name"})

    def checked(self, operation="read", /, **arguments):
        arguments = {"_secret": self.plain_secret, "model": "res.partner", **arguments}
        with mute_logger("odoo.addons.base.models.ir_model"):
            return self.ok("check_access", operation=operation, **arguments)

    def fault(self, operation="read", /, **arguments):
        arguments = {"_secret": self.plain_secret, "model": "res.partner", **arguments}
        return self.refused("check_access", operation=operation, **arguments)

    def rule(self, **values):
        return self.env["ir.rule"].create(
            {
                "name": "Orm: not this one",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.partner.id})]",
                **values,
            }
        )

    def test_what_grants_it_is_named(self):
        result = self.checked(ids=self.partner.ids)
        self.assertTrue(result["allowed"])
        self.assertNotIn("remedies", result)
        self.assertNotIn("denied_ids", result)
        self.assertTrue(all(row["applies"] for row in result["access_rights"]))
        self.assertIn(
            "base.access_res_partner_group_user",
            [row["xml_id"] for row in result["access_rights"]],
        )

    def test_a_missing_access_right_is_told_with_the_groups_that_have_it(self):
        result = self.checked("write", model="ir.cron")
        self.assertFalse(result["allowed"])
        self.assertIn("base.group_system", str(result["remedies"]))
        self.assertFalse(any(row["applies"] for row in result["access_rights"]))
        result = self.checked("write")
        self.assertIn("base.group_partner_manager", str(result["remedies"]))
        self.plain.write({})
        manager = self.env.ref("base.group_partner_manager")
        field = "group_ids" if "group_ids" in self.plain else "groups_id"
        self.plain.write({field: [Command.link(manager.id)]})
        self.assertTrue(self.checked("write")["allowed"])

    def test_a_global_rule_is_told_with_what_it_leaves_out(self):
        own = self.partner.id
        rule = self.rule(
            domain_force=f"[('id', '!=', {own}), ('id', '>', user.id * 0)]"
        )
        other = self.env.ref("base.main_partner")
        result = self.checked(ids=[self.partner.id, other.id])
        self.assertFalse(result["allowed"])
        self.assertEqual(result["denied_ids"], self.partner.ids)
        [told] = [row for row in result["rules"] if row["name"] == rule.name]
        self.assertEqual(told["leaves_out"], self.partner.ids)
        self.assertEqual(told["of"], "everybody (global)")
        self.assertIn("('id', '>', 0)", told["domain"])
        self.assertIn("Orm: not this one", str(result["remedies"]))
        self.assertNotIn("Top secret", str(result))

    def test_rules_of_groups_are_told_together(self):
        group = self.env.ref("base.group_user")
        boss = self.env.ref("base.group_system")
        self.rule(groups=[Command.link(group.id)])
        self.rule(
            name="Orm: all",
            domain_force="[(1, '=', 1)]",
            groups=[Command.link(boss.id)],
        )
        result = self.checked(ids=self.partner.ids)
        self.assertFalse(result["allowed"])
        self.assertIn("base.group_system", str(result["remedies"]))
        # one of the groups' rules is enough
        self.rule(
            name="Orm: me too", domain_force="[]", groups=[Command.link(group.id)]
        )
        self.assertTrue(self.checked(ids=self.partner.ids)["allowed"])

    def test_a_company_that_is_none_of_the_users_is_told(self):
        company = self.env["res.company"].create({"name": "Orm elsewhere"})
        self.partner.company_id = company
        result = self.checked(ids=self.partner.ids)
        self.assertFalse(result["allowed"])
        self.assertIn("another company", str(result["remedies"]))
        self.assertNotIn("elsewhere", str(result))
        result = self.checked(
            ids=self.partner.ids, user="orm_asker", _secret=self.secret
        )
        self.assertIn(f"Orm elsewhere (id {company.id})", str(result["remedies"]))

    def test_fields_of_groups_are_told(self):
        model, field = next(
            (name, field)
            for name in sorted(self.registry)
            if self.env[name]._auto
            and self.env[name].with_user(self.plain).has_access("read")
            for field in self.env[name]._fields.values()
            if field.groups and "." in field.groups[1:]
            if not self.plain.with_user(self.plain).has_groups(field.groups)
        )
        result = self.checked(model=model, fields=[field.name, "id"])
        self.assertFalse(result["allowed"])
        self.assertEqual(list(result["fields"]), [field.name])
        self.assertIn(field.groups.split(",")[0], result["fields"][field.name])

    def test_others_are_asked_about_by_those_who_may(self):
        for user in ("admin", "nobody at all", str(self.developer.id)):
            with self.subTest(user=user):
                self.assertIn("Only MCP developers", self.fault(user=user))
        self.assertTrue(self.checked(user="orm_asker")["allowed"])
        self.assertTrue(self.checked(user=str(self.plain.id))["allowed"])
        governor = self.make_key(self.make_user("orm_governor", ADMINISTRATOR))
        for secret in (self.secret, governor):
            result = self.checked(
                "write", model="ir.cron", user="orm_asker", _secret=secret
            )
            self.assertFalse(result["allowed"])
            self.assertIn("orm_asker", result["user"])
            result = self.checked(user=str(self.plain.id), _secret=secret)
            self.assertIn("orm_asker", result["user"])

    def test_the_login_is_taken_literally_before_all_else(self):
        self.make_user("ormXlogin")
        for user in ("orm_login", "orm%"):
            with self.subTest(user=user):
                text = self.fault(user=user, _secret=self.secret)
                self.assertIn("There is no user", text)
        found = self.checked(user="ORMxLOGIN", _secret=self.secret)
        self.assertIn("ormXlogin", found["user"])
        self.make_user("ormxlogin")
        found = self.checked(user="ormxlogin", _secret=self.secret)
        self.assertIn("ormxlogin", found["user"])
        text = self.fault(user="ORMxLOGIN", _secret=self.secret)
        self.assertIn("Several users", text)
        self.assertIn("ormXlogin", text)

    def test_a_rule_whose_domain_is_broken_is_named(self):
        rule = self.rule(active=False)
        self.env.cr.execute(
            "UPDATE ir_rule SET active = true, domain_force = %s WHERE id = %s",
            ["[('no_field', '=', user.nothing)]", rule.id],
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        text = self.fault(ids=self.partner.ids)
        self.assertIn(f"'Orm: not this one' (id {rule.id})", text)

    def test_what_there_is_not_is_named_with_the_nearest(self):
        for arguments, *words in (
            ({"model": "res.partnr"}, "res.partner"),
            ({"ids": [999999999]}, "999999999"),
            ({"fields": ["emial"]}, "fields[0]", "email"),
            ({"user": "orm_askre", "_secret": self.secret}, "orm_asker"),
        ):
            with self.subTest(arguments=arguments):
                text = self.fault(**arguments)
                for word in words:
                    self.assertIn(word, text)
        self.assertIn("unlink", self.fault("delete"))

    def test_the_verdict_is_odoos_own(self):
        records = {
            "res.partner": self.partner,
            "res.users": self.plain + self.developer,
            "mail.message": self.env["mail.message"].search([], limit=3),
            "ir.attachment": self.env["ir.attachment"].search([], limit=3),
            "mcp.tool": self.env["mcp.tool"].search([], limit=5),
        }
        for model, found in records.items():
            for operation in ("read", "write", "create", "unlink"):
                with self.subTest(model=model, operation=operation):
                    acting = found.with_user(self.plain)
                    expected = acting.has_access(operation)
                    result = self.checked(operation, model=model, ids=found.ids)
                    self.assertEqual(result["allowed"], expected)

    def test_it_is_for_every_mcp_user_and_only_reads(self):
        tool = self.tool("check_access")
        self.assertFalse(tool.group_ids)
        self.assertTrue(tool.read_only_hint)
