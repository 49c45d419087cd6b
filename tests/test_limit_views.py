"""Where a rate limit stands is seen by administrators, and by nobody else."""

from odoo.exceptions import AccessError
from odoo.tests import Form, HttpCase, tagged

from .common import ADMINISTRATOR, DEVELOPER, USER, McpCase, McpHelpers


class LimitHelpers(McpHelpers):
    """A rule, and windows of it."""

    @classmethod
    def _set_up_limit(cls):
        cls.rule = cls.env["mcp.rate.limit"].create(
            {"name": "Slowly", "calls": 3, "period": 60, "scope": "key"}
        )
        cls.administrator = cls.make_user("mcp_administrator", ADMINISTRATOR)
        cls.key = cls.env["mcp.api.key"].search(
            [("user_id", "=", cls.developer.id)], limit=1
        )

    def count(self, subject, calls=1, rule=None):
        """Count calls of a subject, as an admission does."""
        rule = rule or self.rule
        for _call in range(calls):
            self.env.cr.execute(
                "SELECT mcp_rate_limit_count(%s, %s, %s, %s)",
                [rule.id, subject, rule.calls, rule.period],
            )
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestLimitViews(LimitHelpers, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_limit()

    def windows(self, user=None):
        rule = self.rule.with_user(user or self.administrator)
        return [(row.who, row.calls, row.allowed) for row in rule.counter_ids]

    def end(self, seconds):
        self.env.cr.execute(
            "UPDATE mcp_rate_limit_counter SET window_end = "
            "clock_timestamp() AT TIME ZONE 'UTC' + %s * interval '1 second'",
            [seconds],
        )
        self.env.invalidate_all()

    def test_subjects_have_the_names_that_people_know(self):
        for subject, name in (
            (f"key:{self.key.id}", "key of mcp_developer of mcp_developer"),
            (f"user:{self.developer.id}", "mcp_developer"),
            ("database", "Everybody"),
            ("key:999999999", "A key that is gone"),
            ("user:999999999", "A user who is gone"),
        ):
            self.count(subject)
            with self.subTest(subject=subject):
                self.assertIn((name, 1, 3), self.windows())

    def test_a_call_is_seen_in_its_window(self):
        self.tool("list_modules").rate_limit_id = self.rule
        self.ok("list_modules", limit=1)
        self.ok("list_modules", limit=1)
        self.env.invalidate_all()
        self.assertEqual(self.windows(), [(*self.windows()[0][:1], 2, 3)])
        rule = self.rule.with_user(self.administrator)
        self.assertEqual(rule.calls_now, 2)
        self.assertTrue(55 <= rule.counter_ids.seconds_left <= 60)

    def test_the_fullest_window_is_first_and_told_in_the_list(self):
        self.count("user:1", 1)
        self.count("user:2", 3)
        self.assertEqual([calls for _who, calls, _most in self.windows()], [3, 1])
        self.assertEqual(self.rule.with_user(self.administrator).calls_now, 3)

    def test_only_windows_that_run_are_told(self):
        self.count("database")
        # ended; left from a clock that stepped back
        for seconds in (-1, 7200):
            self.end(seconds)
            with self.subTest(seconds=seconds):
                self.assertEqual(self.windows(), [])
                self.assertEqual(self.rule.with_user(self.administrator).calls_now, 0)

    def test_a_window_that_is_reset_lets_calls_in_again(self):
        self.tool("list_modules").rate_limit_id = self.rule
        for _call in range(3):
            self.ok("list_modules", limit=1)
        self.refused("list_modules", limit=1)
        self.env.invalidate_all()
        self.count("user:1")
        rule = self.rule.with_user(self.administrator)
        rule.counter_ids[0].action_reset()
        self.assertEqual(len(rule.counter_ids), 1)
        self.ok("list_modules", limit=1)
        self.env.invalidate_all()
        rule.action_reset()
        self.assertFalse(rule.counter_ids)

    def test_counters_are_for_administrators_alone(self):
        self.count("database")
        counter = self.env["mcp.rate.limit.counter"].search([])
        for group in (USER, DEVELOPER):
            user = self.make_user(f"mcp_{group[-4:]}", group)
            rule = self.rule.with_user(user)
            self.assertEqual(rule.read(["calls"])[0]["calls"], 3)
            for look in (
                lambda rule=rule: rule.read(["counter_ids"]),
                lambda rule=rule: rule.read(["calls_now"]),
                lambda user=user: counter.with_user(user).read(["calls"]),
                lambda user=user: counter.with_user(user).action_reset(),
                lambda rule=rule: rule.action_reset(),
            ):
                with self.subTest(group=group), self.assertRaises(AccessError):
                    look()
        self.assertTrue(counter.exists())

    def test_nobody_writes_a_counter(self):
        self.count("database")
        counter = self.env["mcp.rate.limit.counter"].search([])
        counter = counter.with_user(self.administrator)
        for method, arguments in (
            ("create", [{"limit_id": self.rule.id, "subject": "x"}]),
            ("write", [{"calls": 0}]),
            ("unlink", []),
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(counter, method)(*arguments)

    def test_a_new_rule_needs_but_a_name(self):
        form = Form(self.env["mcp.rate.limit"].with_user(self.administrator))
        form.name = "New"
        rule = form.save()
        self.assertEqual((rule.calls, rule.period, rule.scope), (60, 60, "key"))


@tagged("post_install", "-at_install")
class TestLimitTour(LimitHelpers, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls._set_up_limit()

    def test_an_administrator_sees_and_resets_where_a_limit_stands(self):
        self.count(f"key:{self.key.id}", 2)
        self.start_tour("/odoo", "odoo_dev_mcp_limits", login=self.administrator.login)
        self.assertFalse(self.env["mcp.rate.limit.counter"].search([]))
