"""Batches: for revision 2025-03-26, and for clients that name none."""

from odoo.tests import tagged

from .common import LEGACY, MODERN, McpHttpCase

PING = {"jsonrpc": "2.0", "method": "ping"}
NOTE = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@tagged("post_install", "-at_install")
class TestBatch(McpHttpCase):
    def batch(self, *messages, revision="2025-03-26", **headers):
        return self.send(list(messages), {"MCP-Protocol-Version": revision, **headers})

    def test_each_request_is_answered_in_order(self):
        response = self.batch({**PING, "id": "a"}, NOTE, {**PING, "id": 2})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            response.json(),
            [
                {"jsonrpc": "2.0", "id": "a", "result": {}},
                {"jsonrpc": "2.0", "id": 2, "result": {}},
            ],
        )

    def test_a_client_that_names_no_revision_may_send_one(self):
        response = self.batch({**PING, "id": 1}, revision=None)
        self.assertEqual(response.json(), [{"jsonrpc": "2.0", "id": 1, "result": {}}])

    def test_errors_stand_beside_results(self):
        response = self.batch(
            {**PING, "id": 1}, {"jsonrpc": "2.0", "id": 2, "method": "no/such"}
        )
        first, second = response.json()
        self.assertEqual(first["result"], {})
        self.assertEqual(second["error"]["code"], -32601)

    def test_notifications_alone_are_202_without_a_body(self):
        response = self.batch(NOTE, NOTE)
        self.assertEqual(response.status_code, 202)
        self.assertEqual(response.content, b"")

    def test_other_revisions_have_none(self):
        for revision in (*LEGACY[2:], MODERN, "2031-01-01"):
            with self.subTest(revision=revision):
                response = self.batch({**PING, "id": 1}, revision=revision)
                self.assert_error(response, 400, -32600, "2025-03-26")

    def test_an_empty_or_too_large_batch_is_refused(self):
        for size in (0, 51, 5000):
            with self.subTest(size=size):
                messages = [{**PING, "id": number} for number in range(size)]
                self.assert_error(self.batch(*messages), 400, -32600, "1 to 50")

    def test_fifty_messages_are_taken(self):
        messages = [{**PING, "id": number} for number in range(50)]
        self.assertEqual(len(self.batch(*messages).json()), 50)

    def test_nothing_runs_of_a_batch_with_a_message_that_is_none(self):
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "list_modules", "arguments": {}},
        }
        for wrong in (1, "x", None, [], [call], {}, {"jsonrpc": "2.0", "id": 1}):
            with self.subTest(wrong=wrong):
                self.assert_error(self.batch(call, wrong), 400, -32600)
        self.assertFalse(self.entries(tool="list_modules"))

    def test_each_call_of_a_batch_has_its_own_audit_entry(self):
        calls = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "tools/call",
                "params": {"name": "list_modules", "arguments": {"limit": number}},
            }
            for number in (1, 2)
        ]
        answers = self.batch(*calls).json()
        counts = [a["result"]["structuredContent"]["returned_count"] for a in answers]
        self.assertEqual(counts, [1, 2])
        self.assertEqual(len(self.entries(tool="list_modules", status="success")), 2)

    def test_a_batch_without_a_key_is_401_and_not_a_list(self):
        for messages in ([{**PING, "id": 1}], [NOTE], [], [1]):
            with self.subTest(messages=messages):
                response = self.batch(*messages, Authorization=None)
                self.assert_error(response, 401, -32003)
                self.assertIn("WWW-Authenticate", response.headers)

    def test_a_refused_call_in_a_batch_is_an_isError_result(self):
        response = self.batch(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "list_modules", "arguments": {"limit": "x"}},
            }
        )
        self.assertTrue(response.json()[0]["result"]["isError"])
