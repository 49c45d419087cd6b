"""Steps by which whoever holds a little would hold more, by Odoo's RPC."""

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .attacks.privileges import (
    DEVELOPER,
    READING,
    RPC,
    SEALED,
    VALUES,
    WRITES,
    WRITING,
)
from .common import FOR_USERS, USER, McpHttpCase

LOUD = (
    *("odoo.http", "odoo.sql_db", "odoo.models", "odoo.addons.base.models.ir_rule"),
    "odoo.addons.base.models.ir_actions",
)
GUARDED = (
    *("ir_act_server", "ir_config_parameter", "ir_cron", "ir_model_access", "ir_rule"),
    *("ir_ui_view", "res_groups", "res_groups_users_rel", "res_groups_implied_rel"),
    *("ir_module_module", "res_users"),
)
"""Odoo's tables that say who may do what."""


@tagged("post_install", "-at_install")
class TestAttacksPrivileges(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.make_user("mcp_guest", USER)
        cls.make_key(cls.guest)

    def state(self):
        """A digest of each table that says who may do what, and of all our own."""
        self.env.cr.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relname LIKE 'mcp\\_%%' AND relname <> 'mcp_metric' "
            "UNION SELECT unnest(%s) ORDER BY 1",
            [list(GUARDED)],
        )
        found = {}
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(
                SQL(
                    "SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
                    " FROM %s t",
                    SQL.identifier(table),
                )
            )
            found[table] = self.env.cr.fetchone()[0]
        return found

    def fill(self, value, known):
        if isinstance(value, str):
            if value in known:
                return known[value]
            for name in known:
                value = value.replace(name, str(known[name]))
            return value
        if isinstance(value, list):
            return [self.fill(item, known) for item in value]
        if isinstance(value, dict):
            return {
                self.fill(name, known): self.fill(item, known)
                for name, item in value.items()
            }
        return value

    def test_nobody_below_an_administrator_writes_any_of_our_records(self):
        self.call("list_modules", limit=1)
        before = self.state()
        for user in (self.guest, self.developer):
            self.log_in(user)
            for model in SEALED:
                records = self.env[model].with_context(active_test=False)
                fields = self.env[model]._fields
                known = {
                    "{id}": records.search([], limit=1).id or 1,
                    "{values}": {n: v for n, v in VALUES.items() if n in fields},
                }
                for write in WRITES:
                    args = self.fill(write.args, known)
                    with self.subTest(
                        user=user.login, model=model, method=write.method
                    ):
                        with mute_logger(*LOUD):
                            answer = self.call_kw(
                                model, write.method, *args, **write.kwargs
                            )
                        # load() tells what it refused in its result
                        loaded = write.method == "load" and answer.get("result")
                        refused = "error" in answer or (loaded and not loaded["ids"])
                        self.assertTrue(refused, answer)
        self.assertEqual(self.state(), before)

    def test_no_rpc_gives_a_user_or_a_developer_more_than_they_have(self):
        action = self.tool("list_modules").server_action_id
        parameter = self.env["ir.config_parameter"].search([], limit=1)
        others = self.env["mcp.api.key"].search([("user_id", "=", self.developer.id)])
        before = self.state()
        for user in (self.guest, self.developer):
            self.log_in(user)
            other = (
                others
                if user == self.guest
                else self.env["mcp.api.key"].search([("user_id", "=", self.guest.id)])
            )
            known = {
                "{me}": user.id,
                "{group}": self.env.ref(DEVELOPER).id,
                "{action}": action.id,
                "{parameter}": parameter.id,
                "{key}": other.id,
            }
            for attack in RPC:
                with self.subTest(user=user.login, attack=attack[:4]):
                    args = self.fill(attack.args, known)
                    with mute_logger(*LOUD):
                        answer = self.call_kw(
                            attack.model, attack.method, *args, **attack.kwargs
                        )
                    self.assertIn("error", answer, answer)
        self.assertEqual(self.state(), before)

    def test_a_plain_users_key_calls_no_developer_tool_by_any_method(self):
        secret = self.make_key(self.guest)
        bearer = {"Authorization": f"Bearer {secret}"}
        before = self.state()
        for name, arguments in {
            **WRITING,
            **{n: r[0] for n, r in READING.items()},
        }.items():
            if name.endswith("by_code") or name in FOR_USERS:
                continue
            with self.subTest(name=name):
                response = self.call(name, _secret=secret, **arguments)
                self.assert_error(response, 400, -32602, "Unknown tool")
        for uri in (
            *("odoo://config", "odoo://modules", "odoo://system", "odoo://logs/odoo"),
            *(
                "odoo://files/%2Fetc%2Fpasswd",
                "odoo://schema/res_users",
                "odoo://jobs/1",
            ),
        ):
            with self.subTest(uri=uri):
                response = self.rpc("resources/read", {"uri": uri}, headers=bearer)
                self.assert_error(response, 400, -32602)
        after = self.state()
        # that they tried is all that there is
        self.assertEqual(
            {table for table in after if after[table] != before.get(table)},
            {"mcp_audit_log"},
        )
        self.assertFalse(
            self.entries(user_id=self.guest.id).filtered(
                lambda e: e.status != "refused"
            )
        )
