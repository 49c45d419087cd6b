"""One switch refuses whoever calls, before anything of a call is looked at."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..models.live_call import LiveCall
from ..models.parameters import parameter
from .common import ADMINISTRATOR, DEVELOPER, LEGACY, SETTINGS, McpHttpCase

SUSPENDED = -32005


@tagged("post_install", "-at_install")
class TestKillSwitch(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls.make_user("mcp_boss", SETTINGS, DEVELOPER)

    def switch(self, how, user=None):
        settings = self.env["res.config.settings"].with_user(user or self.boss)
        getattr(settings, f"action_mcp_{how}")()
        self.env.invalidate_all()

    def assert_suspended(self, response):
        self.assert_error(response, 503, SUSPENDED, "suspended", "Settings")

    def test_whoever_calls_is_refused_with_503_and_the_remedy(self):
        self.switch("suspend")
        for revision in (*LEGACY, "2026-07-28"):
            for method in ("tools/list", "ping", "no/such", "prompts/list"):
                with self.subTest(revision=revision, method=method):
                    self.assert_suspended(self.rpc(method, revision=revision))
        self.assert_suspended(self.call("list_modules"))

    def test_it_is_looked_at_before_the_key_and_the_message(self):
        self.switch("suspend")
        for headers in ({"Authorization": None}, {"Authorization": "Bearer wrong"}):
            self.assert_suspended(self.rpc("tools/list", headers=headers))
        self.assert_suspended(self.send(b"no JSON"))
        self.assert_suspended(self.send(b"", method="GET"))
        for path in ("/mcp/v1/capabilities", "/mcp/v1/metrics"):
            self.assert_suspended(self.send(b"", method="GET", path=path))

    def test_host_and_origin_are_looked_at_first(self):
        self.switch("suspend")
        foreign = {"Host": "evil.example"}
        self.assert_error(self.rpc("ping", headers=foreign), 403, -32004, "Host")
        foreign = {"Origin": "https://evil.example"}
        self.assert_error(self.rpc("ping", headers=foreign), 403, -32004, "Origin")

    def test_a_page_of_a_browser_can_read_why(self):
        self.switch("suspend")
        origin = {"Origin": self.base_url()}
        asked = self.send(b"", origin, method="OPTIONS")
        self.assertEqual(asked.status_code, 204)
        refused = self.rpc("ping", headers=origin)
        self.assert_suspended(refused)
        allowed = refused.headers["Access-Control-Allow-Origin"]
        self.assertEqual(allowed, self.base_url())

    def test_nothing_of_a_refused_call_is_done_or_written(self):
        self.make_tool("mark", "env['res.partner'].create({'name': 'mcp mark'})")
        self.switch("suspend")
        self.assert_suspended(self.call("mark"))
        self.assertFalse(self.env["res.partner"].search([("name", "=", "mcp mark")]))
        self.assertFalse(self.entries(tool="mark"))

    def test_a_process_that_does_not_know_yet_lets_no_call_in(self):
        # what is committed, where the caches are of before
        self.assertEqual(self.call("list_modules", limit=1).status_code, 200)
        self.env.cr.execute(
            "INSERT INTO ir_config_parameter (key, value) "
            "VALUES ('odoo_dev_mcp.suspended', '1')"
        )
        self.assert_suspended(self.call("list_modules", limit=1))
        self.assertEqual(len(self.entries(tool="list_modules")), 1)

    def test_it_is_as_before_when_access_is_resumed(self):
        self.switch("suspend")
        self.assert_suspended(self.call("list_modules", limit=1))
        self.switch("resume")
        response = self.call("list_modules", limit=1)
        self.assertNotIn("isError", response.json()["result"])

    def test_health_says_so(self):
        for how, says_so in (("suspend", True), ("resume", False)):
            self.switch(how)
            response = self.send(b"", method="GET", path="/mcp/v1/health")
            self.assertEqual(response.status_code, 200)
            with self.subTest(how=how):
                self.assertEqual(response.json()["status"] == "suspended", says_so)

    def test_settings_administrators_alone_switch_it(self):
        governor = self.make_user("mcp_governor", ADMINISTRATOR)
        for user in (governor, self.developer, self.make_user("mcp_nobody")):
            for how in ("suspend", "resume"):
                with (
                    self.subTest(user=user.login, how=how),
                    self.assertRaises(AccessError),
                ):
                    self.switch(how, user)
            self.assertEqual(parameter(self.env, "suspended"), 0)

    def test_no_tool_call_switches_it(self):
        boss = self.boss.with_context(mcp_call=LiveCall())
        name = "odoo_dev_mcp.suspended"
        parameters = self.env["ir.config_parameter"].with_env(boss.with_user(boss).env)
        other = parameters.create({"key": "mcp.test", "value": "1"})
        for switch in (
            lambda: parameters.env["res.config.settings"].action_mcp_suspend(),
            lambda: parameters.set_param(name, "1"),
            lambda: parameters.create({"key": name, "value": "1"}),
            lambda: other.write({"key": name}),
        ):
            with self.assertRaises(AccessError):
                switch()
        self.switch("suspend")
        with self.assertRaises(AccessError):
            parameters.search([("key", "=", name)]).unlink()

    def test_saving_a_form_that_was_opened_before_does_not_resume(self):
        form = self.env["res.config.settings"].with_user(self.boss).create({})
        self.switch("suspend")
        form.execute()
        self.env.invalidate_all()
        self.assertEqual(parameter(self.env, "suspended"), 1)
