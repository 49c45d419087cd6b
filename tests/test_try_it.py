"""Odoo's own web client is a client, too: with a session instead of a key."""

import json

from odoo.tests import HttpCase, tagged

from .common import ADMINISTRATOR, USER, McpHelpers

SESSION = "/mcp/v1/session"


@tagged("post_install", "-at_install")
class TestSession(McpHelpers, HttpCase):
    """Whoever is logged in to Odoo calls as they are, from Odoo's own pages alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls.user = cls.make_user("mcp_user", USER)

    def ask(self, method="tools/list", params=None, **headers):
        """Status and answer of a request of the web client."""
        message = {"jsonrpc": "2.0", "id": "own", "method": method}
        response = self.url_open(
            SESSION,
            data=json.dumps({**message, "params": params or {}}),
            headers={"Content-Type": "application/json", **headers},
        )
        return response.status_code, response.json()

    def test_a_session_calls_as_its_user_and_the_audit_says_so(self):
        self.authenticate("mcp_developer", "mcp_developer")
        called = {"name": "query_database", "arguments": {"query": "SELECT 7 AS n"}}
        status, answer = self.ask("tools/call", called)
        self.assertEqual(status, 200)
        self.assertEqual(answer["result"]["structuredContent"]["rows"], [{"n": 7}])
        entry = self.entries(tool="query_database", user_id=self.developer.id)[:1]
        self.assertEqual((entry.status, entry.request_id), ("success", '"own"'))
        self.assertEqual(entry.client, "Odoo web client")
        self.assertFalse(entry.key_id)

    def test_a_session_may_no_more_than_its_user(self):
        self.authenticate("mcp_user", "mcp_user")
        _status, answer = self.ask()
        names = [tool["name"] for tool in answer["result"]["tools"]]
        self.assertNotIn("query_database", names)
        called = {"name": "query_database", "arguments": {"query": "SELECT 7 AS n"}}
        _status, answer = self.ask("tools/call", called)
        self.assertIn("Unknown tool", answer["error"]["message"])

    def test_a_key_adds_nothing_to_a_session(self):
        self.authenticate("mcp_user", "mcp_user")
        _status, answer = self.ask(Authorization=f"Bearer {self.secret}")
        names = [tool["name"] for tool in answer["result"]["tools"]]
        self.assertNotIn("query_database", names)

    def test_without_a_session_there_is_no_answer(self):
        for headers in ({}, {"Authorization": f"Bearer {self.secret}"}):
            status, answer = self.ask(**headers)
            self.assertEqual(status, 401)
            self.assertIn("Log in", answer["error"]["message"])

    def test_a_page_of_another_origin_does_not_use_a_session(self):
        self.authenticate("mcp_developer", "mcp_developer")
        for origin in (
            "https://example.com",
            "http://localhost:1",
            "null",
            "",
            "http://[",
        ):
            status, answer = self.ask(Origin=origin)
            self.assertEqual(status, 403, origin)
            self.assertIn("session", answer["error"]["message"])
        status, _answer = self.ask(Origin=self.base_url())
        self.assertEqual(status, 200)

    def test_a_form_of_another_page_does_not_use_a_session(self):
        self.authenticate("mcp_developer", "mcp_developer")
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            status, _answer = self.ask(**{"Content-Type": kind})
            self.assertEqual(status, 415, kind)

    def test_a_user_of_odoo_who_is_no_mcp_user_is_refused(self):
        self.make_user("employee")
        self.authenticate("employee", "employee")
        status, answer = self.ask()
        self.assertEqual(status, 403)
        self.assertIn("MCP User", answer["error"]["message"])

    def test_the_session_of_an_archived_user_is_over(self):
        user = self.make_user("leaving", USER)
        self.authenticate("leaving", "leaving")
        self.assertEqual(self.ask()[0], 200)
        user.active = False
        self.assertEqual(self.ask()[0], 401)

    def test_an_administrator_who_may_not_run_a_tool_cannot_try_it(self):
        self.make_user("governor", ADMINISTRATOR)
        self.authenticate("governor", "governor")
        called = {"name": "odoo_shell", "arguments": {"code": "1"}}
        _status, answer = self.ask("tools/call", called)
        self.assertIn("Unknown tool", answer["error"]["message"])
