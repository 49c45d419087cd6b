"""Calls that ask their client, from 2026-07-28 on: they end, and are made again.

How a client is asked before, over the stream of its call, is proven from outside.
"""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import META, USER, McpHttpCase

NAME = """
answer = mcp.elicit("Your name?", {"type": "object", "required": ["name"],
    "properties": {"name": {"type": "string"}}}, key="who")
action = answer["action"] + " " + answer.get("content", {}).get("name", "-")
"""
TWICE = """
form = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
first = mcp.elicit("First?", form, key="first")["content"]["x"]
second = mcp.elicit("Second?", form, key="second")["content"]["x"]
action = first + second
"""
WRITES = """
env["res.partner"].sudo().search([], limit=1).write({"comment": arguments["mark"]})
mcp.elicit("Sure?", {"type": "object", "properties": {}}, key="sure")
action = "done"
"""
ALL = {"elicitation": {}, "sampling": {}, "roots": {}}


@tagged("post_install", "-at_install")
class TestAsking(McpHttpCase):
    def ask(self, name, can=ALL, secret=None, arguments=None, **params):
        """The response to a call by a client that can be asked so."""
        meta = {f"{META}/clientCapabilities": can}
        return self.rpc(
            "tools/call",
            {"name": name, "arguments": arguments or {}, "_meta": meta, **params},
            headers={"Authorization": f"Bearer {secret or self.secret}"},
        )

    def question(self, name, **params):
        """The result of a call that must have asked."""
        result = self.ask(name, **params).json()["result"]
        self.assertEqual(result["resultType"], "input_required", result)
        return result

    def done(self, name, **params):
        """The text of a call that must have come to an end."""
        result = self.ask(name, **params).json()["result"]
        self.assertEqual(result["resultType"], "complete", result)
        return result["content"][0]["text"]

    def test_a_question_ends_the_call_and_its_answer_completes_the_next(self):
        self.make_tool("name", NAME)
        asked = self.question("name")
        params = asked["inputRequests"]["who"]["params"]
        self.assertEqual(params["message"], "Your name?")
        self.assertEqual(params["requestedSchema"]["required"], ["name"])
        for answer, text in (
            ({"action": "accept", "content": {"name": "Ada"}}, "accept Ada"),
            ({"action": "decline"}, "decline -"),
            ({"action": "cancel"}, "cancel -"),
        ):
            found = self.done(
                "name",
                inputResponses={"who": answer},
                requestState=asked["requestState"],
            )
            self.assertEqual(found, text)

    def test_earlier_answers_are_kept_for_the_call_by_its_client(self):
        self.make_tool("twice", TWICE)
        first = self.question("twice")
        self.assertEqual(list(first["inputRequests"]), ["first"])
        second = self.question(
            "twice",
            inputResponses={"first": {"action": "accept", "content": {"x": 40}}},
            requestState=first["requestState"],
        )
        self.assertEqual(list(second["inputRequests"]), ["second"])
        found = self.done(
            "twice",
            inputResponses={"second": {"action": "accept", "content": {"x": 2}}},
            requestState=second["requestState"],
        )
        self.assertEqual(found, "42")

    def test_an_earlier_answer_cannot_be_changed_later(self):
        self.make_tool("twice", TWICE)
        first = self.question("twice")
        second = self.question(
            "twice",
            inputResponses={"first": {"action": "accept", "content": {"x": 40}}},
            requestState=first["requestState"],
        )
        found = self.done(
            "twice",
            inputResponses={
                "first": {"action": "accept", "content": {"x": 0}},
                "second": {"action": "accept", "content": {"x": 2}},
            },
            requestState=second["requestState"],
        )
        self.assertEqual(found, "42")

    def test_what_was_written_before_a_question_is_rolled_back(self):
        self.make_tool("writes", WRITES)
        partner = self.env["res.partner"].search([], limit=1)
        arguments = {"mark": "<p>before the answer</p>"}
        asked = self.question("writes", arguments=arguments)
        self.env.invalidate_all()
        self.assertNotIn("before the answer", partner.comment or "")
        self.done(
            "writes",
            arguments=arguments,
            inputResponses={"sure": {"action": "accept"}},
            requestState=asked["requestState"],
        )
        self.env.invalidate_all()
        self.assertIn("before the answer", partner.comment)

    def test_an_answer_that_does_not_fit_is_asked_for_again(self):
        self.make_tool("name", NAME)
        state = self.question("name")["requestState"]
        for responses in (
            {},
            {"other": {"action": "accept", "content": {"name": "Ada"}}},
            {"who": {"action": "accept", "content": {"name": 7}}},
            {"who": {"action": "accept"}},
        ):
            with self.subTest(responses):
                self.question("name", inputResponses=responses, requestState=state)
        response = self.ask("name", inputResponses={"who": 7}, requestState=state)
        self.assert_error(response, 400, -32602, "inputResponses")

    def test_several_questions_are_asked_at_once(self):
        self.make_tool(
            "several",
            "form = {'type': 'object', 'properties': {}}\n"
            "found = mcp.ask({'a': mcp.elicitation('A?', form),"
            " 'b': mcp.sampling('B?', 5), 'c': mcp.listing_roots()})\n"
            "action = [found['b']['content']['text'], found['c']['roots'][0]['uri']]",
        )
        asked = self.question("several")["inputRequests"]
        methods = {key: question["method"] for key, question in asked.items()}
        self.assertEqual(
            methods,
            {
                "a": "elicitation/create",
                "b": "sampling/createMessage",
                "c": "roots/list",
            },
        )
        content = {"type": "text", "text": "said"}
        responses = {
            "a": {"action": "accept", "content": {}},
            "b": {"role": "assistant", "content": content, "model": "m"},
            "c": {"roots": [{"uri": "file:///work"}]},
        }
        found = self.done("several", inputResponses=responses)
        self.assertIn('"result":["said","file:///work"]', found)

    def test_state_that_is_not_ours_for_this_call_is_refused(self):
        self.make_tool("name", NAME)
        self.make_tool("twin", NAME)
        other = self.make_key(self.make_user("mcp_other", USER))
        second_key = self.make_key(self.developer)
        state = self.question("name")["requestState"]
        answer = {"who": {"action": "accept", "content": {"name": "Ada"}}}
        for what, params in (
            ("tampered", {"name": "name", "requestState": state + "-TAMPERED"}),
            ("cut", {"name": "name", "requestState": state[:-4]}),
            ("empty", {"name": "name", "requestState": ""}),
            ("no base64", {"name": "name", "requestState": "ä"}),
            ("of another tool", {"name": "twin", "requestState": state}),
            (
                "of other arguments",
                {"name": "name", "arguments": {"a": 1}, "requestState": state},
            ),
            ("another's", {"name": "name", "secret": other, "requestState": state}),
            (
                "another key's",
                {"name": "name", "secret": second_key, "requestState": state},
            ),
        ):
            with self.subTest(what):
                response = self.ask(inputResponses=answer, **params)
                self.assert_error(response, 400, -32602, "requestState")
        refused = self.entries(status="refused", error_class="InvalidState")
        self.assertEqual(len(refused), 8)
        self.assertFalse(self.entries(status="open"))

    def test_state_lives_for_minutes(self):
        self.make_tool("name", NAME)
        with freeze_time(fields.Datetime.now() - timedelta(hours=1)):
            state = self.question("name")["requestState"]
        answer = {"who": {"action": "accept", "content": {"name": "Ada"}}}
        response = self.ask("name", inputResponses=answer, requestState=state)
        self.assert_error(response, 400, -32602, "too old")

    def test_a_client_that_cannot_be_asked_is_not(self):
        for code, capability in (
            (NAME, "elicitation"),
            ("mcp.sample('?', 5)", "sampling"),
            ("mcp.roots()", "roots"),
        ):
            self.make_tool(f"asks_{capability}", code)
            for can in ({}, {name: {} for name in ALL if name != capability}):
                body = self.assert_error(
                    self.ask(f"asks_{capability}", can=can), 400, -32021, capability
                )
                required = {"requiredCapabilities": {capability: {}}}
                self.assertEqual(body["error"]["data"], required)
        # it has declared to show addresses, no forms
        response = self.ask("asks_elicitation", can={"elicitation": {"url": {}}})
        self.assert_error(response, 400, -32021)

    def test_a_client_of_before_without_a_stream_is_told_why_not(self):
        self.make_tool("name", NAME)
        result = self.call("name", _revision="2025-11-25").json()["result"]
        self.assertTrue(result["isError"])
        self.assertIn("elicitation", result["content"][0]["text"])

    def test_the_code_can_see_what_its_client_can(self):
        self.make_tool(
            "can", "action = [mcp.can(x) for x in ('elicitation','sampling','roots')]"
        )
        text = self.done("can", can={"sampling": {}})
        self.assertIn('"result":[false,true,false]', text)

    def test_a_question_that_is_none_fails_with_its_fault(self):
        self.make_tool("wrong", "mcp.elicit(7, {'type': 'object', 'properties': {}})")
        with mute_logger("odoo.addons.odoo_dev_mcp.models.outcomes"):
            result = self.ask("wrong").json()["result"]
        self.assertTrue(result["isError"])
        self.assertIn("message", result["content"][0]["text"])

    def test_no_except_of_the_code_swallows_a_question(self):
        code = "try:\n    mcp.roots()\nexcept Exception:\n    pass\naction = 'went on'"
        self.make_tool("swallows", code)
        self.question("swallows")

    def test_a_resource_asks_too(self):
        tool = self.make_tool("of_roots", "action = mcp.roots()[0]['uri']")
        self.env["mcp.resource"].create(
            {
                "uri": "test://roots",
                "name": "roots",
                "title": "Roots",
                "description": "The client's.",
                "toolset_id": tool.toolset_id.id,
                "server_action_id": tool.server_action_id.id,
            }
        )
        params = {"uri": "test://roots", "_meta": {f"{META}/clientCapabilities": ALL}}
        asked = self.rpc("resources/read", params).json()["result"]
        self.assertEqual(asked["resultType"], "input_required")
        self.assertNotIn("ttlMs", asked)
        params["inputResponses"] = {"roots": {"roots": [{"uri": "file:///work"}]}}
        params["requestState"] = asked["requestState"]
        found = self.rpc("resources/read", params).json()["result"]
        self.assertEqual(found["contents"][0]["text"], "file:///work")

    def test_each_round_has_its_entry(self):
        self.make_tool("name", NAME)
        state = self.question("name")["requestState"]
        answer = {"who": {"action": "decline"}}
        self.done("name", inputResponses=answer, requestState=state)
        statuses = self.entries(tool="name").mapped("status")
        self.assertEqual(statuses, ["success", "input_required"])
