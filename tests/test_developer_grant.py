"""The power of the server's own account is given by Settings administrators alone."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ADMINISTRATOR, DEVELOPER, FOR_USERS, SETTINGS, USER, McpHttpCase

MANAGER = "base.group_erp_manager"


@tagged("post_install", "-at_install")
class TestDeveloperGrant(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.make_user(
            "mcp_manager", MANAGER, ADMINISTRATOR, "base.group_partner_manager"
        )
        cls.settings = cls.make_user("mcp_settings", SETTINGS)
        cls.plain = cls.make_user("mcp_plain", USER)
        cls.group = cls.env.ref(DEVELOPER)
        users, groups = cls.env["res.users"], cls.env["res.groups"]
        cls.groups = "group_ids" if "group_ids" in users._fields else "groups_id"
        cls.members = "user_ids" if "user_ids" in groups._fields else "users"

    def is_developer(self, user):
        # as after each failed request: what its transaction has cached is forgotten
        with mute_logger("odoo.registry", "odoo.modules.registry"):
            self.env.registry.clear_all_caches()
        self.env.invalidate_all()
        return user.has_group(DEVELOPER)

    def assert_no_grant(self, records, values):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            records.with_user(self.manager).write(values)
        self.assertFalse(self.is_developer(self.plain))

    def test_a_manager_of_users_is_no_settings_administrator(self):
        self.assertFalse(self.manager.has_group(SETTINGS))
        self.assertTrue(self.manager.has_group(MANAGER))

    def test_a_manager_of_users_cannot_grant_it_on_the_user(self):
        for command in (
            Command.link(self.group.id),
            Command.set([self.group.id]),
            Command.set([self.env.ref("base.group_user").id, self.group.id]),
        ):
            with self.subTest(command=command):
                self.assert_no_grant(self.plain, {self.groups: [command]})

    def test_a_manager_of_users_cannot_grant_it_on_the_group(self):
        for command in (
            Command.link(self.plain.id),
            Command.set([self.plain.id, self.developer.id]),
        ):
            with self.subTest(command=command):
                self.assert_no_grant(self.group, {self.members: [command]})

    def test_a_manager_of_users_cannot_grant_it_by_implication(self):
        link = [Command.link(self.group.id)]
        self.assert_no_grant(self.env.ref(USER), {"implied_ids": link})
        self.assert_no_grant(self.env.ref("base.group_user"), {"implied_ids": link})

    def test_a_manager_of_users_cannot_grant_it_by_a_new_group(self):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.env["res.groups"].with_user(self.manager).create(
                {
                    "name": "Helpers",
                    "implied_ids": [Command.link(self.group.id)],
                    self.members: [Command.link(self.plain.id)],
                }
            )
        self.assertFalse(self.is_developer(self.plain))

    def test_a_manager_of_users_cannot_grant_it_in_two_steps(self):
        helpers = self.env["res.groups"].create({"name": "Helpers"})
        helpers.write({self.members: [Command.link(self.plain.id)]})
        link = [Command.link(self.group.id)]
        self.assert_no_grant(helpers, {"implied_ids": link})
        helpers.write({self.members: [Command.clear()], "implied_ids": link})
        self.assert_no_grant(helpers, {self.members: [Command.link(self.plain.id)]})
        self.assert_no_grant(self.plain, {self.groups: [Command.link(helpers.id)]})

    def test_a_manager_of_users_cannot_grant_it_with_the_implying_end(self):
        if "implied_by_ids" not in self.group._fields:
            self.skipTest("18.0 has no implied_by_ids")
        link = [Command.link(self.env.ref(USER).id)]
        self.assert_no_grant(self.group, {"implied_by_ids": link})

    def test_a_manager_of_users_cannot_grant_it_to_a_new_user(self):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.env["res.users"].with_user(self.manager).create(
                {
                    "name": "New",
                    "login": "mcp_new",
                    self.groups: [Command.link(self.group.id)],
                }
            )
        self.assertFalse(self.env["res.users"].search([("login", "=", "mcp_new")]))

    def test_a_manager_of_users_cannot_grant_it_to_themselves(self):
        values = {self.groups: [Command.link(self.group.id)]}
        self.assert_no_grant(self.manager, values)
        self.assertFalse(self.is_developer(self.manager))

    def test_a_manager_of_users_cannot_copy_a_developer(self):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.developer.with_user(self.manager).copy({"login": "mcp_copy"})

    def test_the_users_form_cannot_grant_it(self):
        virtual = [
            name
            for name in self.env["res.users"].fields_get()
            if name.startswith(("in_group_", "sel_groups_"))
            and str(self.group.id) in name.split("_")
        ]
        for name in virtual:
            with self.subTest(field=name):
                value = True if name.startswith("in_group_") else self.group.id
                self.assert_no_grant(self.plain, {name: value})
        self.assertEqual(bool(virtual), self.groups == "groups_id")

    def test_a_manager_of_users_cannot_grant_it_over_rpc(self):
        self.log_in(self.manager)
        grants = (
            ("res.users", self.plain.ids, {self.groups: [[4, self.group.id, 0]]}),
            ("res.groups", self.group.ids, {self.members: [[4, self.plain.id, 0]]}),
        )
        for model, ids, values in grants:
            with self.subTest(model=model):
                self.assert_denied(self.call_kw(model, "write", ids, values))
                self.assertFalse(self.is_developer(self.plain))

    def test_a_manager_of_users_goes_on_with_everything_else(self):
        user = self.plain.with_user(self.manager)
        user.write(
            {"name": "Renamed", self.groups: [Command.link(self.env.ref(USER).id)]}
        )
        self.developer.with_user(self.manager).write({"name": "Also renamed"})
        as_manager = self.env["res.users"].with_user(self.manager)
        new = as_manager.create({"name": "New", "login": "mcp_new"})
        self.assertTrue(new.exists())
        self.assertEqual(self.developer.name, "Also renamed")

    def test_a_manager_of_users_may_take_it_away(self):
        values = {self.groups: [Command.link(self.env.ref(USER).id)]}
        self.developer.write(values)
        values = {self.groups: [Command.unlink(self.group.id)]}
        self.developer.with_user(self.manager).write(values)
        self.assertFalse(self.is_developer(self.developer))
        self.assertEqual(self.offered(), FOR_USERS)

    def test_a_settings_administrator_grants_it(self):
        values = {self.groups: [Command.link(self.group.id)]}
        self.plain.with_user(self.settings).write(values)
        self.assertTrue(self.is_developer(self.plain))

    def test_a_settings_administrator_grants_it_on_the_group(self):
        values = {self.members: [Command.link(self.plain.id)]}
        self.group.with_user(self.settings).write(values)
        self.assertTrue(self.is_developer(self.plain))
