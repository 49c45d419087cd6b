"""So many calls in so many seconds, and a refusal that says when to come back."""

from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import convert_file, mute_logger

from ..models.caller import Caller
from .common import DEVELOPER, McpHttpCase

CALLS = 3
PERIOD = 60


@tagged("post_install", "-at_install")
class TestRateLimit(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env["mcp.rate.limit"].create(
            {"name": "Slowly", "calls": CALLS, "period": PERIOD, "scope": "key"}
        )
        cls.make_tool("ticket", "action = 'taken'", rate_limit_id=cls.rule.id)

    def take(self, secret=None):
        """Whether a call went through."""
        result = self.call("ticket", _secret=secret).json()["result"]
        return not result.get("isError")

    def use_up(self, secret=None):
        self.assertEqual([self.take(secret) for _call in range(CALLS)], [True] * CALLS)
        self.assertFalse(self.take(secret))

    def count(self, caller):
        """Count a call as an admission does; the seconds to wait."""
        rule = self.env["mcp.rate.limit"]._rule(self.rule.id)
        self.env.cr.execute(
            "SELECT mcp_rate_limit_count(%s, %s, %s, %s)",
            [rule.id, rule.subject(caller), rule.calls, rule.period],
        )
        return self.env.cr.fetchone()[0]

    def shift(self, seconds):
        """Move the end of each window, as if that much time had gone by."""
        self.env.cr.execute(
            "UPDATE mcp_rate_limit_counter SET window_end = window_end "
            "+ %s * interval '1 second' WHERE limit_id = %s",
            [seconds, self.rule.id],
        )

    def test_the_call_over_the_limit_is_refused_with_rule_and_seconds(self):
        for _call in range(CALLS):
            response = self.call("ticket")
            self.assertNotIn("isError", response.json()["result"])
            self.assertNotIn("Retry-After", response.headers)
        response = self.call("ticket")
        self.assertEqual(response.status_code, 200)
        result = response.json()["result"]
        self.assertTrue(result["isError"])
        text = result["content"][0]["text"]
        seconds = int(response.headers["Retry-After"])
        self.assertTrue(1 <= seconds <= PERIOD, seconds)
        for words in ("'Slowly'", f"{CALLS} calls", f"{PERIOD} s", f"{seconds} s"):
            self.assertIn(words, text)

    def test_a_refused_call_does_not_run_and_is_audited(self):
        self.use_up()
        entries = self.entries(tool="ticket")
        self.assertEqual(entries.mapped("status"), ["refused"] + ["success"] * CALLS)
        self.assertEqual(entries[0].error_class, "LimitReached")
        self.assertIn("Slowly", entries[0].message)

    def test_a_refused_call_is_not_counted(self):
        self.use_up()
        for _call in range(5):
            self.assertFalse(self.take())
        self.env.cr.execute(
            "SELECT calls FROM mcp_rate_limit_counter WHERE limit_id = %s",
            [self.rule.id],
        )
        self.assertEqual(self.env.cr.fetchall(), [(CALLS,)])

    def test_bad_arguments_count_as_calls(self):
        tool = self.tool("list_modules")
        tool.rate_limit_id = self.rule
        for _call in range(CALLS):
            self.call("list_modules", limit="x")
        response = self.call("list_modules")
        self.assertIn("Retry-After", response.headers)

    def test_keys_are_counted_apart(self):
        other = self.make_key(self.developer)
        self.use_up()
        self.use_up(other)

    def test_keys_of_a_user_are_counted_together(self):
        self.rule.scope = "user"
        other = self.make_key(self.developer)
        self.use_up()
        self.assertFalse(self.take(other))
        self.use_up(self.make_key(self.make_user("mcp_other", DEVELOPER)))

    def test_everybody_is_counted_together(self):
        self.rule.scope = "database"
        self.use_up()
        another = self.make_key(self.make_user("mcp_other", DEVELOPER))
        self.assertFalse(self.take(another))

    def test_calls_without_a_key_are_counted_for_their_user(self):
        anonymous = Caller(uid=self.developer.id, login="x", address="127.0.0.1")
        self.assertEqual([self.count(anonymous) for _call in range(CALLS)], [0] * CALLS)
        self.assertGreater(self.count(anonymous), 0)
        self.assertTrue(self.take())

    def test_tools_of_one_rule_are_counted_together(self):
        self.make_tool("other_ticket", "action = 'taken'", rate_limit_id=self.rule.id)
        self.use_up()
        result = self.call("other_ticket").json()["result"]
        self.assertTrue(result["isError"])

    def test_rules_are_counted_apart(self):
        rule = self.rule.copy({"name": "Another"})
        self.make_tool("other_ticket", "action = 'taken'", rate_limit_id=rule.id)
        self.use_up()
        self.assertNotIn("isError", self.call("other_ticket").json()["result"])

    def test_a_window_that_has_ended_begins_anew(self):
        self.use_up()
        self.shift(-PERIOD)
        self.use_up()

    def test_the_window_begins_with_its_first_call(self):
        self.assertTrue(self.take())
        self.shift(-PERIOD / 2)
        for _call in range(CALLS - 1):
            self.assertTrue(self.take())
        response = self.call("ticket")
        self.assertLessEqual(int(response.headers["Retry-After"]), PERIOD / 2)

    def test_a_clock_that_stepped_back_locks_nobody_out(self):
        self.use_up()
        self.shift(7200)
        self.use_up()

    def test_a_shorter_period_takes_effect_at_once(self):
        self.use_up()
        self.rule.period = 1
        self.assertTrue(self.take())

    def test_a_higher_limit_takes_effect_at_once(self):
        self.use_up()
        self.rule.calls = CALLS + 1
        self.assertTrue(self.take())
        self.assertFalse(self.take())

    def test_a_rule_that_is_switched_off_or_deleted_limits_nothing(self):
        self.use_up()
        self.rule.active = False
        self.assertTrue(self.take())
        self.rule.active = True
        self.assertFalse(self.take())
        self.rule.unlink()
        self.assertTrue(self.take())

    def test_a_rule_allows_something(self):
        for values in ({"calls": 0}, {"calls": -1}, {"period": 0}, {"period": -5}):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.rule.write(values)
                self.env.flush_all()

    def test_the_defaults_are_those_of_the_design(self):
        defaults = {
            "commands": 10,
            "queries": 100,
            "writes": 50,
            "shell": 5,
            "file_reads": 50,
            "file_writes": 30,
        }
        # tests widen the rules; what an installation gets is in the data file
        self.env["ir.model.data"].search(
            [("module", "=", "odoo_dev_mcp"), ("model", "=", "mcp.rate.limit")]
        ).unlink()
        path = "data/mcp_rate_limit_data.xml"
        convert_file(self.env, "odoo_dev_mcp", path, {}, mode="init")
        for name, calls in defaults.items():
            rule = self.env.ref(f"odoo_dev_mcp.mcp_rate_limit_{name}")
            with self.subTest(rule=name):
                self.assertEqual((rule.calls, rule.period), (calls, 60))
