"""What holds of every model, and what a copy of a database forgets."""

from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged
from odoo.tools import file_open

from .common import ADMINISTRATOR, USER, McpHttpCase

ADDON = "odoo_dev_mcp"


@tagged("post_install", "-at_install")
class TestSecurity(McpHttpCase):
    def own_models(self):
        """Our models that have records."""
        names = self.env["ir.model.data"].search(
            [("module", "=", ADDON), ("model", "=", "ir.model")]
        )
        models = self.env["ir.model"].browse(names.mapped("res_id"))
        return [
            self.env[model.model]
            for model in models
            if model.model.startswith("mcp.") and not self.env[model.model]._abstract
        ]

    def test_every_model_has_access_rights_for_our_groups_alone(self):
        models = self.own_models()
        self.assertGreaterEqual(len(models), 6)
        for model in models:
            with self.subTest(model=model._name):
                rights = self.env["ir.model.access"].search(
                    [("model_id.model", "=", model._name)]
                )
                self.assertTrue(rights)
                self.assertTrue(all(right.group_id for right in rights))

    def test_an_internal_user_has_no_access_to_anything(self):
        stranger = self.make_user("mcp_stranger")
        for model in self.own_models():
            for operation in ("read", "write", "create", "unlink"):
                with self.subTest(model=model._name, operation=operation):
                    self.assertFalse(model.with_user(stranger).has_access(operation))

    def test_portal_and_public_users_have_no_access_to_anything(self):
        portal = self.make_user("mcp_portal", "base.group_portal")
        public = self.env.ref("base.public_user")
        for model in self.own_models():
            for user in (portal, public):
                with self.subTest(model=model._name, user=user.login):
                    self.assertFalse(model.with_user(user).has_access("read"))

    def test_records_of_persons_have_rules_for_users_and_administrators(self):
        for name in ("mcp.api.key", "mcp.audit.log", "mcp.tool"):
            rules = self.env["ir.rule"].search([("model_id.model", "=", name)])
            groups = rules.groups
            with self.subTest(model=name):
                self.assertEqual(
                    groups, self.env.ref(USER) | self.env.ref(ADMINISTRATOR)
                )

    def test_a_portal_user_with_a_key_gets_nowhere(self):
        secret = self.make_key(self.make_user("mcp_portal", "base.group_portal"))
        bearer = {"Authorization": f"Bearer {secret}"}
        self.assertEqual(self.rpc("tools/list", headers=bearer).status_code, 403)

    def test_odoo_finds_our_neutralization(self):
        with file_open(f"{ADDON}/data/neutralize.sql") as file:
            wanted = file.read().strip()
        queries = [query.strip() for query in get_neutralization_queries([ADDON])]
        self.assertIn(wanted, queries)

    def test_a_copy_of_a_database_knows_no_key_and_no_anonymous_user(self):
        self.set_parameter("anonymous_user_id", self.developer.id)
        self.call("list_modules", limit=1)
        self.assertEqual(self.rpc("tools/list").status_code, 200)
        self.env.flush_all()
        for query in get_neutralization_queries([ADDON]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()
        self.assertFalse(self.env["mcp.api.key"].search([]))
        for header in (f"Bearer {self.secret}", None):
            with self.subTest(header=header):
                response = self.rpc("tools/list", headers={"Authorization": header})
                self.assertEqual(response.status_code, 401, response.text)
        self.assertTrue(self.entries(tool="list_modules"))
