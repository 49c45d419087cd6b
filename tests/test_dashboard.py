"""The figures are right, and nobody sees another's."""

import json
from contextlib import suppress
from datetime import datetime, timedelta

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..models.exceptions import UnknownTool
from ..models.user_time import day_begins, today
from .audit_rows import as_owner, insert_entries
from .common import ADMINISTRATOR, USER, McpCase, McpHelpers, McpHttpCase

PERIODS = (1, 7, 30)


@tagged("post_install", "-at_install")
class TestDashboard(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with as_owner(cls.env):
            cls.env.cr.execute("DELETE FROM mcp_audit_log")
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR)
        cls.other = cls.make_user("mcp_other", USER)
        cls.noon = day_begins(cls.env, today(cls.env)) + timedelta(hours=12)

    def insert(self, count=1, *, days_ago=0, **columns):
        moment = self.noon - timedelta(days_ago)
        values = {"create_date": moment, "user_id": self.developer.id, **columns}
        return insert_entries(self.env, count, **values)

    def dashboard(self, user=None, days=7):
        self.env.invalidate_all()
        dashboards = self.env["mcp.dashboard"].with_user(user or self.administrator)
        return dashboards.browse(days)

    def figures(self, dashboard):
        names = ("calls", "errors", "refusals", "users", "keys", "clients")
        return tuple(dashboard[name] for name in names)

    def test_real_calls_are_counted_by_how_they_ended(self):
        self.ok("query_database", query="SELECT 1")
        self.ok("list_modules", limit=1)
        self.refused("query_database", query="SELECT nothing_here")
        with suppress(UnknownTool):  # assertRaises would take the entry back
            self.call("no_such_tool")
        for days in PERIODS:
            with self.subTest(days=days):
                found = self.figures(self.dashboard(days=days))
                self.assertEqual(found, (4, 1, 1, 1, 1, 1))

    def test_a_period_has_its_days_and_no_more(self):
        for days_ago in (0, 1, 6, 7, 29, 30):
            self.insert(days_ago=days_ago)
        counted = [self.dashboard(days=days).calls for days in PERIODS]
        self.assertEqual(counted, [1, 3, 5])

    def test_today_begins_at_the_midnight_of_the_user(self):
        self.administrator.tz = "Pacific/Kiritimati"
        env = self.env(user=self.administrator)
        midnight = day_begins(env, today(env))
        self.insert(create_date=midnight - timedelta(seconds=1))
        self.insert(2, create_date=midnight)
        dashboard = self.dashboard(days=1)
        self.assertEqual(dashboard.calls, 2)
        bars = json.loads(dashboard.calls_graph)[0]["values"]
        self.assertEqual(bars[0], {"label": "00:00", "value": 2, "type": "future"})

    def test_the_average_is_of_calls_that_ran(self):
        self.insert(3, duration_ms=10)
        self.insert(duration_ms=50, status="error")
        self.insert(5, duration_ms=0, status="refused")
        self.insert(5, duration_ms=0, status="lost")
        self.insert(5, duration_ms=None, status="open")
        dashboard = self.dashboard()
        self.assertEqual(dashboard.duration_ms, 20)
        self.assertEqual((dashboard.errors, dashboard.refusals), (6, 5))
        self.assertEqual(dashboard.running, 5)

    def test_the_graphs_have_a_bar_for_each_day_or_hour(self):
        self.insert(3)
        self.insert(2, status="refused", days_ago=2)
        self.insert(1, status="error", days_ago=2)
        for days, bars in ((1, 24), (7, 7), (30, 30)):
            graph = json.loads(self.dashboard(days=days).calls_graph)[0]["values"]
            self.assertEqual(len(graph), bars)
        dashboard = self.dashboard()
        calls, failures = (
            [bar["value"] for bar in json.loads(graph)[0]["values"]]
            for graph in (dashboard.calls_graph, dashboard.failures_graph)
        )
        self.assertEqual(calls, [0, 0, 0, 0, 3, 0, 3])
        self.assertEqual(failures, [0, 0, 0, 0, 3, 0, 0])
        self.assertEqual(str(dashboard.graph_table).count("<tr>"), 8)

    def test_the_tables_name_the_most_used_and_the_slowest(self):
        self.insert(3, tool="quick", duration_ms=0)
        self.insert(1, tool="slow", duration_ms=700)
        self.insert(1, tool="slow", duration_ms=500)
        dashboard = self.dashboard()
        used, slow = dashboard._most_used()["rows"], dashboard._slowest()["rows"]
        self.assertEqual(used, [("quick", 3, 0, 0), ("slow", 2, 0, 0)])
        self.assertEqual(slow, [("slow", 600, 700), ("quick", 0, 0)])
        self.assertIn(">600<", "".join(str(dashboard.tables).split()))

    def test_the_tables_name_refusals_keys_and_clients(self):
        self.insert(2, status="refused", error_class="LimitReached", tool="t")
        self.insert(1, key_name=None, client="B")
        dashboard = self.dashboard()
        name = self.developer.display_name
        self.assertEqual(dashboard._refused()["rows"], [("t", "LimitReached", 2)])
        self.assertEqual(dashboard._by_key()["rows"], [("a key", name, 2)])
        self.assertEqual(dashboard._by_client()["rows"], [("Tester 1", 2), ("B", 1)])

    def test_a_name_of_a_client_is_no_markup(self):
        self.insert(client="<script>alert(1)</script>", key_name="<b>k</b>")
        tables = str(self.dashboard().tables)
        self.assertNotIn("<script", tables)
        self.assertNotIn("<b>", tables)
        self.assertIn("&lt;script&gt;", tables)

    def test_a_user_sees_own_figures_an_administrator_all(self):
        self.insert(3, tool="of_the_developer", status="error", client="Secret")
        self.insert(1, user_id=self.other.id)
        self.insert(1, status="open")
        own = self.dashboard(self.other)
        self.assertEqual(self.figures(own)[:4], (1, 0, 0, 1))
        self.assertEqual(own.running, 0)
        self.assertNotIn("of_the_developer", own.tables)
        self.assertNotIn("Secret", own.tables)
        self.assertEqual(self.figures(self.dashboard())[:4], (5, 3, 0, 2))

    def test_the_report_has_own_calls_for_users_and_all_for_administrators(self):
        self.insert(3)
        self.insert(2, user_id=self.other.id, status="refused")
        for user, wanted in ((self.other, (2, 2)), (self.administrator, (5, 2))):
            report = self.env["mcp.call.report"].with_user(user)
            [found] = report._read_group([], [], ["calls:sum", "refusals:sum"])
            self.assertEqual(found, wanted)

    def test_the_report_knows_the_toolset_of_a_tool(self):
        self.insert(1, tool="query_database")
        self.insert(1, tool="no_such_tool")
        report = self.env["mcp.call.report"]
        found = dict(report._read_group([], ["toolset_id"], ["__count"]))
        toolset = self.tool("query_database").toolset_id
        self.assertEqual(found, {toolset: 1, toolset.browse(): 1})

    def test_how_listener_and_registry_do_is_for_administrators(self):
        self.set_parameter("listener_enabled", 0)
        self.set_parameter("phone_home_url", "")
        dashboard = self.dashboard()
        self.assertIn("Switched off", dashboard.listener_state)
        self.assertIn("Not configured", dashboard.registry_state)
        for name in ("listener_state", "registry_state"):
            with self.assertRaises(AccessError):
                self.dashboard(self.other).read([name])
            arch = self.env["mcp.dashboard"].with_user(self.other).get_view()["arch"]
            self.assertNotIn(name, arch)

    def test_the_buttons_lead_to_another_period_and_to_the_entries(self):
        dashboard = self.dashboard()
        action = dashboard.with_context(days=30).action_period()
        self.assertEqual((action["res_model"], action["res_id"]), (dashboard._name, 30))
        action = dashboard.with_context(filter="refused").action_entries()
        self.assertEqual(action["context"], {"search_default_refused": 1})
        since = datetime.combine(today(self.env) - timedelta(6), datetime.min.time())
        self.assertEqual(action["domain"], [("create_date", ">=", since)])

    def test_nobody_writes_figures(self):
        with self.assertRaises(AccessError):
            self.dashboard().write({"days": 8})
        with self.assertRaises(AccessError):
            self.env["mcp.call.report"].with_user(self.administrator).create({})


@tagged("post_install", "-at_install")
class TestDashboardRpc(McpHttpCase):
    def test_a_user_is_told_own_figures_over_rpc(self):
        other = self.make_user("mcp_other", USER)
        insert_entries(self.env, 3, user_id=self.developer.id)
        insert_entries(self.env, 1, user_id=other.id)
        self.log_in(other)
        fields = {"calls": {}, "users": {}}
        answer = self.call_kw("mcp.dashboard", "web_read", [7], fields)
        self.assertEqual(answer["result"], [{"id": 7, "calls": 1, "users": 1}])
        answer = self.call_kw("mcp.call.report", "search_count", [])
        self.assertEqual(answer["result"], 1)
        self.log_in(self.make_user("nobody"))
        for model in ("mcp.dashboard", "mcp.call.report"):
            self.assert_denied(self.call_kw(model, "search_count", []))


@tagged("post_install", "-at_install")
class TestDashboardTour(McpHelpers, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR)
        cls.other = cls.make_user("mcp_other", USER)
        insert_entries(cls.env, 3)
        insert_entries(cls.env, 2, tool="no_such_tool", status="refused")

    def test_an_administrator_goes_from_a_figure_to_its_calls(self):
        self.start_tour("/odoo", "odoo_dev_mcp_dashboard", login="mcp_admin")

    def test_a_user_sees_a_dashboard_without_the_server(self):
        self.start_tour("/odoo", "odoo_dev_mcp_dashboard_user", login="mcp_other")
