"""Parameters that a client repeats in headers, for who routes by them on the way."""

import json

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import LEGACY, MODERN, McpCase, McpHttpCase, unmarked


def schema(**properties):
    """An input schema with these properties."""
    return json.dumps({"type": "object", "properties": properties})


REGION = {"type": "string", "x-mcp-header": "Region"}
PLACE = {
    "type": "object",
    "properties": {"floor": {"type": "integer", "x-mcp-header": "Floor"}},
}
URGENT = {"type": "boolean", "x-mcp-header": "Urgent"}


@tagged("post_install", "-at_install")
class TestParameterHeaders(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_tool(
            "routed",
            "action = arguments",
            input_schema=schema(region=REGION, place=PLACE, urgent=URGENT),
        )

    def routed(self, arguments, revision=MODERN, **headers):
        """The response to a call of the tool, with these Mcp-Param-…"""
        return self.rpc(
            "tools/call",
            {"name": "routed", "arguments": arguments},
            revision=revision,
            headers={f"Mcp-Param-{name}": value for name, value in headers.items()},
        )

    def assert_taken(self, response, arguments):
        self.assertEqual(response.status_code, 200, response.text)
        found = response.json()["result"]["structuredContent"]
        self.assertEqual(unmarked(found), arguments)

    def test_a_call_whose_headers_say_what_its_arguments_say_is_run(self):
        for arguments, headers in (
            ({"region": "us-west1"}, {"Region": "us-west1"}),
            ({"region": "us-west1"}, {"REGION": "us-west1"}),
            ({"region": "us-west1"}, {"Region": "us-west1  "}),
            ({"region": "Hello"}, {"Region": "=?base64?SGVsbG8=?="}),
            ({"region": "ä"}, {"Region": "=?base64?w6Q=?="}),
            ({"region": " a\n"}, {"Region": "=?base64?IGEK?="}),
            ({"region": ""}, {"Region": ""}),
            # without its whole wrapping a value is taken as it is
            ({"region": "SGVsbG8="}, {"Region": "SGVsbG8="}),
            ({"region": "=?base64?SGVsbG8="}, {"Region": "=?base64?SGVsbG8="}),
            ({"place": {"floor": 42}}, {"Floor": "42"}),
            ({"place": {"floor": 42}}, {"Floor": "42.0"}),
            ({"place": {"floor": -7}}, {"Floor": "-7"}),
            ({"urgent": True}, {"Urgent": "true"}),
            ({"region": "a", "urgent": False}, {"Region": "a", "Urgent": "false"}),
            # of nothing nothing is expected
            ({}, {}),
            ({"place": {}}, {}),
            # what no parameter is marked with is nobody's business
            ({}, {"Colour": "red"}),
        ):
            with self.subTest(arguments=arguments, headers=headers):
                self.assert_taken(self.routed(arguments, **headers), arguments)

    def test_a_call_whose_headers_say_something_else_is_refused(self):
        for arguments, headers in (
            ({"region": "us-west1"}, {}),
            ({"region": "us-west1"}, {"Region": "us-east1"}),
            ({"region": "us-west1"}, {"Region": "US-WEST1"}),
            ({"region": "us-west1"}, {"Region": ""}),
            ({"region": "Hello"}, {"Region": "=?base64?SGVsbG8?="}),
            ({"region": "Hello"}, {"Region": "=?base64?SGVs!!!bG8=?="}),
            ({"region": "ä"}, {"Region": "ä".encode()}),
            ({"region": "ä"}, {"Region": "ä".encode("latin-1")}),
            ({}, {"Region": "us-west1"}),
            ({"region": None}, {"Region": "null"}),
            ({"place": {"floor": 42}}, {}),
            ({"place": {"floor": 42}}, {"Floor": "43"}),
            ({"place": {"floor": 42}}, {"Floor": "4_2"}),
            ({"place": {"floor": 42}}, {"Floor": "42x"}),
            ({"place": {"floor": 1}}, {"Floor": "true"}),
            ({"urgent": True}, {"Urgent": "True"}),
            ({"urgent": True}, {"Urgent": "1"}),
            ({"region": "a", "urgent": True}, {"Region": "a"}),
        ):
            with self.subTest(arguments=arguments, headers=headers):
                response = self.routed(arguments, **headers)
                self.assert_error(response, 400, -32020, "Mcp-Param-")
        self.assertFalse(self.entries(tool="routed"))

    def test_a_value_of_another_type_is_the_schemas_to_explain(self):
        result = self.routed({"region": ["us-west1"]}).json()["result"]
        self.assertTrue(result["isError"])
        self.assertIn("'region'", result["content"][0]["text"])

    def test_nothing_is_repeated_before_2026_07_28(self):
        arguments = {"region": "us-west1"}
        for revision in LEGACY:
            with self.subTest(revision=revision):
                response = self.routed(arguments, revision, Region="elsewhere")
                self.assert_taken(response, arguments)

    def test_the_mark_is_in_the_list_of_tools(self):
        tools = self.rpc("tools/list").json()["result"]["tools"]
        [told] = [tool for tool in tools if tool["name"] == "routed"]
        self.assertEqual(told["inputSchema"]["properties"]["region"], REGION)

    def test_a_browser_may_send_such_headers(self):
        response = self.send(b"", {"Origin": self.base_url()}, method="OPTIONS")
        allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
        self.assertIn("*", allowed)
        self.assertIn("Authorization", allowed)


@tagged("post_install", "-at_install")
class TestMarkedSchemas(McpCase):
    def test_a_mark_that_clients_must_refuse_is_not_taken(self):
        marked = {"type": "string", "x-mcp-header": "A"}
        for text, word in (
            (schema(a={"type": "string", "x-mcp-header": ""}), "'a'"),
            (schema(a={"type": "string", "x-mcp-header": "A B"}), "'a'"),
            (schema(a={"type": "string", "x-mcp-header": "A\r\nB"}), "'a'"),
            (schema(a={"type": "string", "x-mcp-header": 1}), "'a'"),
            (schema(a={"type": "number", "x-mcp-header": "A"}), "'a'"),
            (schema(a={"type": ["string", "null"], "x-mcp-header": "A"}), "'a'"),
            (schema(a={"x-mcp-header": "A"}), "'a'"),
            (schema(a=marked, b={**marked, "x-mcp-header": "a"}), "'b'"),
            (schema(a={"type": "array", "items": marked}), "properties"),
            (schema(a={"anyOf": [marked]}), "properties"),
        ):
            with self.subTest(text=text):
                with self.assertRaises(ValidationError) as refused:
                    self.make_tool("marked", "pass", input_schema=text)
                self.assertIn(word, str(refused.exception))

    def test_a_parameter_may_be_called_like_the_mark(self):
        text = schema(**{"x-mcp-header": {"type": "string"}})
        self.assertTrue(self.make_tool("named", "pass", input_schema=text))
