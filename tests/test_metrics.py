"""Calls are counted as they end, by names that are few, for those who may see it."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..controllers.exposition import Family, Sample, render
from ..dev.tests.exposition import CONTENT_TYPE, Exposition
from ..models.health import JOB_STATES
from .audit_rows import as_owner
from .common import ADMINISTRATOR, DEVELOPER, ENDPOINT, USER, McpHttpCase

PROXIED = {"X-Forwarded-For": "203.0.113.7"}
DURATION = "odoo_mcp_call_duration_seconds"
QUERY = "query_database"


@tagged("post_install", "-at_install")
class TestMetrics(McpHttpCase):
    def ask(self, secret=None, *, method="GET", **headers):
        sent = {"Authorization": f"Bearer {secret}" if secret else None, **headers}
        return self.send(b"", sent, method=method, path=f"{ENDPOINT}/metrics")

    def told(self):
        response = self.ask()
        self.assertEqual(response.status_code, 200, response.text)
        return Exposition(response.text)

    def test_it_is_the_text_format_of_prometheus_without_a_session(self):
        response = self.ask()
        self.assertEqual(response.headers["Content-Type"], CONTENT_TYPE)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", response.headers)
        told = Exposition(response.text)
        self.assertEqual(told.kinds["odoo_mcp_calls_total"], "counter")
        self.assertEqual(told.kinds[DURATION], "histogram")
        [info] = [dict(row) for name, row in told.values if name == "odoo_mcp_info"]
        self.assertEqual(set(info), {"version", "odoo_version"})

    def test_any_text_can_be_a_label(self):
        for text in ('a"b', "a\\b", "a\nb", "\\n", "ä 🦀", "", 'x",y="'):
            with self.subTest(text=text):
                told = render(
                    [Family("n", "gauge", "A\nb\\.", [Sample(1, {"a": text})])]
                )
                self.assertEqual(Exposition(told).value("n", a=text), 1)

    def test_head_has_no_body_and_other_methods_are_405(self):
        response = self.ask(method="HEAD")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], CONTENT_TYPE)
        self.assertEqual(response.content, b"")
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method=method):
                response = self.ask(method=method)
                self.assert_error(response, 405, -32600, "GET")
                self.assertEqual(response.headers["Allow"], "GET, HEAD")

    def test_each_end_of_a_call_is_counted_with_the_time_it_took(self):
        before = self.told()
        self.call(QUERY, query="SELECT pg_sleep(0.15)")
        self.call(QUERY, query="SELECT 1")
        self.call(QUERY, query="SELECT nonsense")
        after = self.told()
        grown = [
            after.calls(QUERY, status) - before.calls(QUERY, status)
            for status in ("success", "error", "refused", "lost")
        ]
        self.assertEqual(grown, [2, 1, 0, 0])
        name = f"{DURATION}_bucket"
        slow = [
            told.value(name, tool=QUERY, le="+Inf")
            - told.value(name, tool=QUERY, le="0.1")
            for told in (before, after)
        ]
        self.assertGreaterEqual(slow[1] - slow[0], 1)
        sums = [told.value(f"{DURATION}_sum", tool=QUERY) for told in (before, after)]
        self.assertGreaterEqual(sums[1] - sums[0], 0.15)

    def test_a_refusal_is_counted_and_took_no_time(self):
        self.call(QUERY, query="SELECT 1")
        rule = {"name": "once", "calls": 1, "period": 600}
        limit = self.env["mcp.rate.limit"].create(rule)
        self.tool(QUERY).rate_limit_id = limit
        self.call(QUERY, query="SELECT 1")
        before = self.told()
        self.call(QUERY, query="SELECT 1")
        after = self.told()
        refused = after.calls(QUERY, "refused") - before.calls(QUERY, "refused")
        self.assertEqual(refused, 1)
        counts = [
            told.value(f"{DURATION}_count", tool=QUERY) for told in (before, after)
        ]
        self.assertEqual(*counts)

    def test_names_that_clients_make_up_share_one_label(self):
        before = self.told()
        for name in ("no_such_tool", "evil{}", 'x"y', "unknown", "n" * 500):
            self.rpc("tools/call", {"name": name}, revision="2025-11-25")
        after = self.told()
        grown = after.calls("unknown", "refused") - before.calls("unknown", "refused")
        self.assertEqual(grown, 5)
        names = self.env["mcp.tool"].search([]).mapped("name")
        expected = {*names, "resources/read", "prompts/get", "unknown"}
        self.assertEqual(after.label("odoo_mcp_calls_total", "tool"), expected)

    def test_resources_share_one_label_whatever_the_uri(self):
        before = self.told().calls("resources/read")
        for uri in ("odoo://modules", "odoo://schema/res_partner"):
            response = self.rpc("resources/read", {"uri": uri})
            self.assertIn("result", response.json())
        self.assertEqual(self.told().calls("resources/read") - before, 2)

    def test_a_tool_that_was_never_called_is_told_with_zero(self):
        self.make_tool("brand_new", "action = {}")
        told = self.told()
        for status in ("success", "error", "refused", "lost"):
            self.assertEqual(told.calls("brand_new", status), 0)
        self.assertEqual(told.value(f"{DURATION}_count", tool="brand_new"), 0)

    def test_counts_outlive_the_audit_entries_and_the_tool(self):
        tool = self.make_tool("short_lived", "action = {}")
        self.call("short_lived")
        tool.unlink()
        self.env.flush_all()
        with as_owner(self.env):
            self.env.cr.execute("DELETE FROM mcp_audit_log")
        self.assertEqual(self.told().calls("short_lived"), 1)

    def test_a_lost_call_is_counted_once(self):
        self.call("list_modules", limit=1)
        before = self.told()
        entry = self.entries()[0]
        with as_owner(self.env):
            self.env.cr.execute(
                "UPDATE mcp_audit_log SET status = 'open' WHERE id = %s", [entry.id]
            )
        self.assertEqual(self.told().value("odoo_mcp_calls_open"), 1)
        for _turn in range(2):
            self.env["mcp.audit.log"]._close(entry.id, "lost", duration_ms=0)
        after = self.told()
        lost = [told.calls("list_modules", "lost") for told in (before, after)]
        self.assertEqual(lost[1] - lost[0], 1)
        self.assertEqual(after.value("odoo_mcp_calls_open"), 0)

    def test_a_count_goes_on_past_31_bits(self):
        self.call("list_modules", limit=1)
        self.env.cr.execute("UPDATE mcp_metric SET calls = 2147483647, seconds = 1e10")
        before = self.told().calls("list_modules")
        self.call("list_modules", limit=1)
        self.assertEqual(self.told().calls("list_modules"), before + 1)

    def test_counting_draws_no_id_once_there_is_a_row(self):
        self.call("list_modules", limit=1)
        draw = "SELECT nextval('mcp_metric_id_seq')"
        count = "SELECT mcp_metric_count('list_modules', 'success', '0.005', 0.001)"
        self.env.cr.execute(count)
        self.env.cr.execute(draw)
        (before,) = self.env.cr.fetchone()
        for _turn in range(10):
            self.env.cr.execute(count)
        self.env.cr.execute(draw)
        self.assertEqual(self.env.cr.fetchone()[0], before + 1)

    def test_jobs_are_told_where_there_is_their_table(self):
        self.env.cr.execute("CREATE SCHEMA mcp_test")
        self.env.cr.execute("CREATE TABLE mcp_test.mcp_job (state varchar)")
        self.env.cr.execute(
            "INSERT INTO mcp_test.mcp_job VALUES ('running'), ('running'), ('lost')"
        )
        self.env.cr.execute("SET LOCAL search_path TO mcp_test, public")
        told = self.told()
        counts = {
            state: told.value("odoo_mcp_jobs", state=state) for state in JOB_STATES
        }
        self.assertEqual(
            counts, dict.fromkeys(JOB_STATES, 0) | {"running": 2, "lost": 1}
        )

    def test_the_listener_is_up_down_or_switched_off(self):
        self.assertEqual(self.told().value("odoo_mcp_listener_up"), 0)
        self.set_parameter("listener_enabled", 0)
        self.assertIsNone(self.told().value("odoo_mcp_listener_up"))

    def test_a_stranger_without_a_key_is_401(self):
        for headers in (PROXIED, {"Forwarded": "for=127.0.0.1"}):
            response = self.ask(**headers)
            self.assert_error(response, 401, -32003)
            self.assertIn("Bearer", response.headers["WWW-Authenticate"])
            self.assertNotIn(QUERY, response.text)
        self.assert_error(self.ask("odoo_mcp_" + "x" * 43, **PROXIED), 401, -32003)

    def test_a_stranger_needs_the_key_of_an_administrator_or_a_developer(self):
        for group, status in ((ADMINISTRATOR, 200), (DEVELOPER, 200), (USER, 403)):
            with self.subTest(group=group):
                user = self.make_user(group.rpartition("_")[2], group)
                response = self.ask(self.make_key(user, read_only=True), **PROXIED)
                self.assertEqual(response.status_code, status, response.text)
        self.assert_error(response, 403, -32004, "MCP Developer")

    def test_a_key_is_good_from_its_networks_alone(self):
        secret = self.make_key(self.developer, networks="192.0.2.0/24")
        self.assert_error(self.ask(secret, **PROXIED), 403, -32004)

    def test_a_web_page_is_refused_on_this_host_too(self):
        for headers in (
            {"Host": "rebound.example"},
            {"Origin": "https://evil.example"},
        ):
            self.assert_error(self.ask(**headers), 403, -32004)

    def test_nobody_changes_a_count_through_odoo(self):
        self.call("list_modules", limit=1)
        metric = self.env["mcp.metric"].search([], limit=1)
        self.assertTrue(metric)
        for attack in (
            lambda: metric.sudo().write({"calls": 0}),
            lambda: metric.sudo().unlink(),
            lambda: metric.sudo().create({"tool": "x"}),
        ):
            with self.assertRaisesRegex(AccessError, "by the MCP server alone"):
                attack()
        user = self.make_user("mcp_reader", USER)
        with self.assertRaises(AccessError):
            metric.with_user(user).read(["calls"])
