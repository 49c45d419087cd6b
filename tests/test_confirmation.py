"""Tools that a person at the client confirms before they run."""

from odoo.tests import tagged

from .common import META, McpHttpCase

CAN = {f"{META}/clientCapabilities": {"elicitation": {}}}
YES = {"confirmation": {"action": "accept", "content": {}}}


@tagged("post_install", "-at_install")
class TestConfirmation(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.make_tool(
            "marks",
            "env['res.partner'].sudo().browse(arguments['id']).write("
            "{'ref': 'marked'})\n"
            "action = 'done'",
            needs_confirmation=True,
        )
        cls.partner = cls.env["res.partner"].create({"name": "to be marked"})

    def call_it(self, meta=CAN, revision="2026-07-28", **params):
        arguments = {"id": self.partner.id}
        params = {"name": "marks", "arguments": arguments, "_meta": meta, **params}
        found = self.rpc("tools/call", params, revision=revision)
        self.env.invalidate_all()
        return found

    def test_it_runs_after_the_person_has_said_yes_and_not_before(self):
        asked = self.call_it().json()["result"]
        self.assertEqual(asked["resultType"], "input_required")
        message = asked["inputRequests"]["confirmation"]["params"]["message"]
        self.assertIn("marks", message)
        self.assertIn(self.env.cr.dbname, message)
        self.assertIn(str(self.partner.id), message)
        self.assertFalse(self.partner.ref)
        found = self.call_it(inputResponses=YES, requestState=asked["requestState"])
        self.assertEqual(found.json()["result"]["content"][0]["text"], "done")
        self.assertEqual(self.partner.ref, "marked")

    def test_it_does_not_run_after_a_no(self):
        state = self.call_it().json()["result"]["requestState"]
        for action in ("decline", "cancel"):
            no = {"confirmation": {"action": action}}
            found = self.call_it(inputResponses=no, requestState=state)
            result = found.json()["result"]
            self.assertTrue(result["isError"])
            self.assertIn("did not confirm", result["content"][0]["text"])
        self.assertFalse(self.partner.ref)
        statuses = self.entries(tool="marks").mapped("status")
        self.assertEqual(statuses, ["refused", "refused", "input_required"])

    def test_a_yes_that_nobody_was_asked_for_does_not_count(self):
        result = self.call_it(inputResponses=YES).json()["result"]
        self.assertEqual(result["resultType"], "input_required")
        self.assertFalse(self.partner.ref)

    def test_a_yes_to_other_arguments_does_not_count(self):
        state = self.call_it().json()["result"]["requestState"]
        other = {"id": self.env.user.partner_id.id}
        found = self.call_it(inputResponses=YES, requestState=state, arguments=other)
        self.assert_error(found, 400, -32602, "requestState")

    def test_it_is_refused_where_the_client_cannot_ask(self):
        self.assert_error(self.call_it(meta={}), 400, -32021, "elicitation")
        for revision in ("2024-11-05", "2025-11-25"):
            result = self.call_it(meta={}, revision=revision).json()["result"]
            self.assertTrue(result["isError"])
            self.assertIn("elicitation", result["content"][0]["text"])
        self.assertFalse(self.partner.ref)
        self.assertEqual(set(self.entries(tool="marks").mapped("status")), {"refused"})

    def test_the_person_sees_what_arguments_would_hide(self):
        self.record.input_schema = '{"type": "object"}'
        hidden = {"id": 1, "note": "a\n\u202ereversed\u200b"}
        asked = self.call_it(arguments=hidden).json()["result"]["inputRequests"]
        message = asked["confirmation"]["params"]["message"]
        self.assertIn(r"a\n\u202ereversed\u200b", message)

    def test_long_arguments_are_cut_in_the_middle_and_the_cut_is_told(self):
        long = {"id": 1, "note": "b" * 10_000 + "the end"}
        asked = self.call_it(arguments=long).json()["result"]["inputRequests"]
        message = asked["confirmation"]["params"]["message"]
        self.assertLess(len(message), 4000)
        self.assertIn("characters", message)
        self.assertIn("the end", message)
