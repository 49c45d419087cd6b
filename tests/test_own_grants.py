"""What governs tool calls, no tool call changes, by whatever way it writes."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ADMINISTRATOR, DEVELOPER, SETTINGS, McpCase

SQL_LOG = "odoo.sql_db"


@tagged("post_install", "-at_install")
class TestOwnGrants(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls.make_user("mcp_boss", SETTINGS, "base.group_partner_manager")
        cls.boss_secret = cls.make_key(cls.boss)
        cls.other = cls.make_user("mcp_other")

    def governing(self):
        """Statements that change each thing that says what a call may do."""
        groups = [self.env.ref(name).id for name in (ADMINISTRATOR, DEVELOPER)]
        system = self.env.ref(SETTINGS).id
        tool, other = self.tool("list_modules").id, self.other.id
        action = self.tool("list_modules").server_action_id.id
        model = self.env["ir.model"]._get_id("mcp.tool")
        granting = "INSERT INTO res_groups_users_rel (uid, gid) VALUES"
        return {
            "a tool": f"UPDATE mcp_tool SET active = false WHERE id = {tool}",
            "the groups of a tool": "DELETE FROM mcp_tool_res_groups_rel",
            "what a tool runs": "UPDATE ir_act_server SET code = 'x' "
            f"WHERE id = {action}",
            "a key": "UPDATE mcp_api_key SET expiration_date = NULL",
            "no key left": "DELETE FROM mcp_api_key",
            "a limit": "UPDATE mcp_rate_limit SET calls = 1000000",
            "a count": "INSERT INTO mcp_rate_limit_counter (limit_id, subject, calls,"
            " window_end) SELECT id, 'x', 0, now() FROM mcp_rate_limit",
            "a resource": "UPDATE mcp_resource SET active = true",
            "a setting": "INSERT INTO ir_config_parameter (key, value) VALUES"
            " ('odoo_dev_mcp.allowed_hosts', 'evil.example')",
            "no setting": "DELETE FROM ir_config_parameter "
            "WHERE key LIKE 'odoo_dev_mcp.%'",
            "developers": f"{granting} ({other}, {groups[1]})",
            "administrators": f"{granting} ({other}, {groups[0]})",
            "Settings administrators": f"{granting} ({other}, {system})",
            "access": "UPDATE ir_model_access SET perm_write = true "
            f"WHERE model_id = {model}",
            "rules": "UPDATE ir_rule SET domain_force = '[]' WHERE model_id = "
            "(SELECT id FROM ir_model WHERE model = 'mcp.audit.log')",
            "a function": "CREATE OR REPLACE FUNCTION mcp_suspended() RETURNS boolean"
            " LANGUAGE sql AS 'SELECT false'",
            "later": "CREATE TABLE x_later (id integer); "
            "CREATE FUNCTION x_later() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN UPDATE mcp_tool SET active = false; RETURN NULL; END $$; "
            "CREATE CONSTRAINT TRIGGER x_later AFTER INSERT ON x_later "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION x_later(); "
            "INSERT INTO x_later VALUES (1)",
            "in disguise": "CREATE FUNCTION public.pg_stat_get_xact_tuples_updated(oid)"
            " RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'; "
            "SET LOCAL search_path = public, pg_catalog; "
            "UPDATE mcp_tool SET active = false",
        }

    def state(self):
        """What the statements above would have changed."""
        found = []
        for query in (
            "SELECT id, active, name FROM mcp_tool ORDER BY id",
            "SELECT id, calls FROM mcp_rate_limit ORDER BY id",
            "SELECT id, expiration_date, read_only FROM mcp_api_key ORDER BY id",
            "SELECT key, value FROM ir_config_parameter "
            "WHERE key LIKE 'odoo_dev_mcp.%' ORDER BY key",
            "SELECT uid, gid FROM res_groups_users_rel ORDER BY uid, gid",
            "SELECT prosrc FROM pg_proc WHERE proname = 'mcp_suspended'",
            "SELECT id, code FROM ir_act_server ORDER BY id",
        ):
            self.env.cr.execute(query)
            found.append(self.env.cr.fetchall())
        return found

    def assert_refused(self, name, secret, **arguments):
        before = self.state()
        with mute_logger(SQL_LOG):
            outcome = self.call(name, _secret=secret, **arguments)
        self.assertTrue(outcome.is_error, outcome.text)
        self.assertIn("governs tool calls", outcome.text)
        self.assertIn("do it in Odoo", outcome.text)
        self.env.invalidate_all()
        self.assertEqual(self.state(), before)

    def test_by_sql(self):
        for what, statement in self.governing().items():
            for secret in (self.secret, self.boss_secret):
                with self.subTest(what=what):
                    self.assert_refused("execute_sql", secret, statement=statement)

    def test_by_the_code_of_a_record(self):
        tool = self.make_tool("lift", "env.cr.execute(arguments['sql'])")
        for what, statement in self.governing().items():
            with self.subTest(what=what):
                self.assert_refused("lift", self.boss_secret, sql=statement)
        self.assertTrue(tool.exists())

    def test_by_records(self):
        for what, code in {
            "a tool": "env['mcp.tool'].search([], limit=1).write({'active': False})",
            "a new tool": "env.ref('odoo_dev_mcp.mcp_tool_read_file').copy("
            "{'name': 'mine'})",
            "a limit": "env['mcp.rate.limit'].search([]).write({'calls': 10**6})",
            "its key": "env['mcp.api.key'].sudo().search([]).write("
            "{'expiration_date': False, 'name': 'x'})",
            "a setting": "env['ir.config_parameter'].set_param("
            "'odoo_dev_mcp.query_rows', '7')",
            "a group": f"env['res.users'].browse({self.other.id}).write("
            "{'%s': [(4, env.ref('base.group_system').id)]})"
            % ("group_ids" if "group_ids" in self.other._fields else "groups_id"),
        }.items():
            with self.subTest(what=what):
                self.make_tool(f"lift_{len(what)}_{hash(what) % 999}", code)
                name = self.env["mcp.tool"].search([], order="id desc", limit=1).name
                self.assert_refused(name, self.boss_secret)

    def test_what_governs_nothing_is_changed(self):
        self.ok("execute_sql", statement="UPDATE res_partner SET ref = 'by MCP'")
        self.ok(
            "execute_sql",
            statement="INSERT INTO ir_config_parameter (key, value) "
            "VALUES ('mcp_test.other', '1')",
        )
        plain = self.env.ref("base.group_user").id
        self.make_tool(
            "make_partner", "action = {'id': model.create({'name': 'By MCP'}).id}"
        )
        boss = self.call("make_partner", _secret=self.boss_secret)
        self.assertFalse(boss.is_error, boss.text)
        self.ok(
            "execute_sql",
            statement="INSERT INTO res_groups_users_rel (uid, gid) VALUES "
            f"({self.other.id}, {plain}) ON CONFLICT DO NOTHING",
        )
