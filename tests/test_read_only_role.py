"""The role that queries read as, as Settings make it; what it does in PostgreSQL is
proved by ``dev/tests/test_read_only_role.py``."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..models import read_only_role
from ..models.live_call import LiveCall
from ..models.parameters import parameter
from .common import ADMINISTRATOR, DEVELOPER, SETTINGS, McpCase, McpHttpCase

BUTTONS = ("action_mcp_make_reader", "action_mcp_forget_reader")
SECRETS = (
    ("auth_totp_device", "key"),
    ("ir_config_parameter", "value"),
    ("ir_mail_server", "smtp_pass"),
    ("mcp_api_key", "key_hash"),
    ("res_users", "password"),
    ("res_users", "totp_secret"),
    ("res_users_apikeys", "key"),
)


@tagged("post_install", "-at_install")
class TestReaderButtons(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles "
            "WHERE rolname = current_user"
        )
        cls.makes_roles = cls.env.cr.fetchone()[0]
        cls.boss = cls.make_user("mcp_boss", SETTINGS)

    def press(self, button, user=None, *, identified=True):
        self.log_in(user or self.boss, identified=identified)
        settings = self.env["res.config.settings"].create({})
        return self.call_kw("res.config.settings", button, settings.ids)

    def settings(self):
        self.env.invalidate_all()
        return self.env["res.config.settings"].create({})

    def test_settings_administrators_alone_press_the_buttons(self):
        for user in (
            self.make_user("mcp_governor", ADMINISTRATOR),
            self.make_user("mcp_other", DEVELOPER),
            self.make_user("mcp_nobody"),
        ):
            for button in BUTTONS:
                with self.subTest(user=user.login, button=button):
                    self.assert_denied(self.press(button, user))
        self.assertEqual(parameter(self.env, "reader_password"), "")

    def test_their_identity_is_asked_for_first(self):
        for button in BUTTONS:
            answer = self.press(button, identified=False)
            self.assertEqual(answer["result"]["res_model"], "res.users.identitycheck")
        self.assertEqual(parameter(self.env, "reader_password"), "")

    def test_what_odoos_role_may_not_a_superuser_is_told_to_execute(self):
        if self.makes_roles:
            self.skipTest("Odoo's role makes roles")
        self.assertFalse(self.settings().mcp_reads_sql)
        self.assertEqual(self.press(BUTTONS[0])["result"]["tag"], "soft_reload")
        settings = self.settings()
        role = read_only_role.name_for(self.env.cr.dbname)
        self.assertIn(f'CREATE ROLE "{role}" LOGIN PASSWORD', settings.mcp_reads_sql)
        self.assertIn("default_transaction_read_only = on;", settings.mcp_reads_sql)
        password = parameter(self.env, "reader_password")
        self.assertGreaterEqual(len(password), 40)
        self.assertNotIn(password, settings.mcp_reads_sql)
        # until it can log in, all is as before
        self.assertFalse(settings.mcp_reads_as)
        response = self.call("query_database", query="SELECT 1 AS n").json()
        self.assertEqual(response["result"]["structuredContent"]["rows"], [{"n": 1}])
        # and what was told stays true
        self.press(BUTTONS[0])
        self.assertEqual(parameter(self.env, "reader_password"), password)
        self.press(BUTTONS[1])
        self.assertEqual(parameter(self.env, "reader_password"), "")
        self.assertFalse(self.settings().mcp_reads_sql)


@tagged("post_install", "-at_install")
class TestReader(McpCase):
    def test_a_role_that_cannot_log_in_reads_nothing_and_nobody_reads_for_it(self):
        self.set_parameter("reader_role", "mcp_no_such_role")
        self.set_parameter("reader_password", "wrong")
        text = self.refused("query_database", query="SELECT 1")
        self.assertIn("mcp_no_such_role cannot log in", text)
        self.assertIn("Settings > MCP Server > Database", text)
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.mcp_reads_as, "mcp_no_such_role")
        self.assertIn("mcp_no_such_role", settings.mcp_reads_error)

    def test_saving_the_form_keeps_the_role(self):
        self.set_parameter("reader_role", "mcp_no_such_role")
        self.env["res.config.settings"].create({}).execute()
        self.env.invalidate_all()
        self.assertEqual(parameter(self.env, "reader_role"), "mcp_no_such_role")

    def test_nothing_is_taken_from_odoos_role_if_it_is_named_instead(self):
        cr = self.env.cr
        cr.execute("SELECT current_user::text")
        [owner] = cr.fetchone()
        read_only_role.refresh(cr, owner)
        self.assertTrue(read_only_role.forget(cr, owner))
        for privilege in ("SELECT", "UPDATE"):
            cr.execute("SELECT has_table_privilege('res_users', %s)", [privilege])
            self.assertTrue(cr.fetchone()[0])

    def test_no_tool_call_changes_it(self):
        boss = self.make_user("mcp_boss", SETTINGS)
        calling = self.env(user=boss, context={"mcp_call": LiveCall()})
        parameters = calling["ir.config_parameter"]
        for name in ("reader_role", "reader_password"):
            with self.assertRaises(AccessError):
                parameters.set_param(f"odoo_dev_mcp.{name}", "x")
            self.set_parameter(name, "kept")
            with self.assertRaises(AccessError):
                parameters.set_param(f"odoo_dev_mcp.{name}", False)
        with self.assertRaises(AccessError):
            calling["res.config.settings"]._mcp_require_governor()

    def test_what_is_secret_here_is_withheld(self):
        self.env.cr.execute(
            "SELECT relname, attname FROM pg_attribute a JOIN pg_class c "
            "ON c.oid = attrelid WHERE relkind = 'r' AND attnum > 0 "
            "AND relnamespace = current_schema()::regnamespace"
        )
        there = set(self.env.cr.fetchall())
        found = [pair for pair in SECRETS if pair in there]
        self.assertGreaterEqual(len(found), 4)
        for pair in SECRETS:
            with self.subTest(column=pair):
                self.assertTrue(read_only_role.is_withheld(*pair))

    def test_what_developers_read_is_not(self):
        for table, columns in (
            ("res_partner", ("name", "email", "vat", "signup_type")),
            ("ir_model_fields", ("name", "ttype", "compute")),
            ("ir_attachment", ("name", "access_token", "store_fname")),
            ("ir_ui_view", ("name", "arch_db", "key")),
            ("mcp_audit_log", ("arguments", "error", "client")),
        ):
            for column in columns:
                with self.subTest(table=table, column=column):
                    self.assertFalse(read_only_role.is_withheld(table, column))
