"""Bad input gets a clear answer, and the server goes on."""

import json

from odoo.tests import tagged

from .common import META, MODERN, McpHttpCase

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@tagged("post_install", "-at_install")
class TestTransport(McpHttpCase):
    def tearDown(self):
        """Whatever a test has sent, the server answers the next request."""
        self.assertEqual(self.rpc("tools/list").status_code, 200)
        super().tearDown()

    def test_other_http_methods_are_405_in_json_with_allow(self):
        for method in ("GET", "DELETE", "PUT", "PATCH"):
            with self.subTest(method=method):
                response = self.send(b"", method=method)
                self.assert_error(response, 405, -32600, "POST")
                self.assertIn("POST", response.headers["Allow"])

    def test_head_is_405_without_a_body(self):
        response = self.send(b"", method="HEAD")
        self.assertEqual(response.status_code, 405)
        self.assertEqual(response.content, b"")

    def test_options_is_answered_without_a_key(self):
        response = self.send(
            b"",
            {"Authorization": None, "Origin": self.base_url()},
            method="OPTIONS",
        )
        self.assertEqual(response.status_code, 204)
        self.assertIn("POST", response.headers["Allow"])
        self.assertEqual(
            response.headers["Access-Control-Allow-Origin"], self.base_url()
        )
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        for name in ("authorization", "mcp-protocol-version", "mcp-method", "mcp-name"):
            self.assertIn(name, allowed)

    def test_a_body_that_is_no_json_is_a_parse_error(self):
        deep = b"[" * 100_000
        bodies = [
            b"",
            b"{",
            b"nonsense",
            b"\xff\xfe\x00",
            b'{"jsonrpc": "2.0", "id": 1, "method": "ping",}',
            b'{"id": NaN}',
            b'{"id": Infinity}',
            b'{"jsonrpc": "2.0"} trailing',
            deep,
            b'{"a":' * 100_000,
            b"9" * 10_000,
        ]
        for body in bodies:
            with self.subTest(body=body[:40]):
                response = self.send(body)
                self.assert_error(response, 400, -32700)
                self.assertIsNone(response.json()["id"])

    def test_a_lone_surrogate_is_a_parse_error(self):
        for text in (r"\ud800", r"\udfff", r"a\ud83dz", r"\ude00\ud83d"):
            with self.subTest(text=text):
                body = f'{{"jsonrpc":"2.0","id":"{text}","method":"tools/list"}}'
                response = self.send(body.encode())
                self.assert_error(response, 400, -32700, "surrogate")

    def test_nested_arguments_within_reason_are_taken(self):
        arguments = {"query": "SELECT 1", "params": None}
        value = []
        for _level in range(50):
            value = [value]
        arguments["params"] = [value]
        response = self.call("query_database", **arguments)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertIn("result", response.json())

    def test_json_that_is_no_request_is_invalid(self):
        bodies = [
            1,
            "text",
            None,
            True,
            {},
            {"jsonrpc": "2.0"},
            {"jsonrpc": "2.0", "id": 1},
            {"jsonrpc": "1.0", "id": 1, "method": "ping"},
            {"id": 1, "method": "ping"},
            {"jsonrpc": "2.0", "id": 1, "method": 5},
            {"jsonrpc": "2.0", "id": None, "method": "ping"},
            {"jsonrpc": "2.0", "id": True, "method": "ping"},
            {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
            {"jsonrpc": "2.0", "id": {}, "method": "ping"},
            {"jsonrpc": "2.0", "id": [1], "method": "ping"},
            {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
            {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "x"},
        ]
        for body in bodies:
            with self.subTest(body=body):
                self.assert_error(self.send(body), 400, -32600)

    def test_the_id_of_an_invalid_request_comes_back_if_it_can(self):
        response = self.send({"jsonrpc": "2.0", "id": "mine", "method": 5})
        self.assertEqual(response.json()["id"], "mine")

    def test_ids_come_back_as_they_were(self):
        for given in (0, -1, 2**53, 10**30, "", "1", "ä\u2028\n", "x" * 1000):
            with self.subTest(id=given):
                response = self.rpc("tools/list", id=given)
                self.assertEqual(response.json()["id"], given)
                self.assertIs(type(response.json()["id"]), type(given))

    def test_a_wrong_content_type_is_415(self):
        for kind in (
            None,
            "",
            "text/plain",
            "text/json",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ):
            with self.subTest(kind=kind):
                response = self.send(LIST, {"Content-Type": kind})
                self.assert_error(response, 415, -32600, "application/json")

    def test_a_content_type_with_parameters_is_taken(self):
        for kind in ("application/json; charset=utf-8", "Application/JSON"):
            with self.subTest(kind=kind):
                response = self.send(LIST, {"Content-Type": kind})
                self.assertEqual(response.status_code, 200)

    def test_a_client_that_takes_no_json_is_406(self):
        for accept in ("text/html", "text/event-stream", "image/*, text/plain;q=0.5"):
            with self.subTest(accept=accept):
                response = self.send(LIST, {"Accept": accept})
                self.assert_error(response, 406, -32600, "application/json")

    def test_a_client_that_takes_json_is_answered(self):
        for accept in (None, "*/*", "application/json", "text/html, application/*"):
            with self.subTest(accept=accept):
                response = self.send(LIST, {"Accept": accept})
                self.assertEqual(response.status_code, 200)

    def test_a_body_of_20_megabytes_is_413(self):
        body = json.dumps({**LIST, "params": {"cursor": "x" * 20_000_000}}).encode()
        self.assert_error(self.send(body), 413, -32600, "too large", "16 MiB")

    def test_a_body_of_a_megabyte_is_taken(self):
        query = f"SELECT length('{'x' * 1_000_000}') AS length"
        response = self.call("query_database", query=query)
        rows = response.json()["result"]["structuredContent"]["rows"]
        self.assertEqual(rows, [{"length": 1_000_000}])

    def test_notifications_are_202_without_a_body(self):
        for revision in ("2025-11-25", MODERN):
            for method in ("notifications/initialized", "notifications/cancelled", "x"):
                with self.subTest(revision=revision, method=method):
                    response = self.send(
                        {"jsonrpc": "2.0", "method": method, "params": {}},
                        {"MCP-Protocol-Version": revision, "Mcp-Method": method},
                    )
                    self.assertEqual(response.status_code, 202, response.text)
                    self.assertEqual(response.content, b"")
                    self.assertNotIn("Content-Type", response.headers)

    def test_a_response_of_the_client_is_202(self):
        for answer in ({"result": {}}, {"error": {"code": 1, "message": "no"}}):
            with self.subTest(answer=answer):
                response = self.send({"jsonrpc": "2.0", "id": 1, **answer})
                self.assertEqual(response.status_code, 202, response.text)
                self.assertEqual(response.content, b"")

    def test_a_tool_call_without_an_id_does_not_run(self):
        response = self.send(
            {
                "jsonrpc": "2.0",
                "method": "tools/call",
                "params": {
                    "name": "list_modules",
                    "arguments": {},
                    "_meta": {
                        f"{META}/protocolVersion": MODERN,
                        f"{META}/clientCapabilities": {},
                    },
                },
            },
            {
                "MCP-Protocol-Version": MODERN,
                "Mcp-Method": "tools/call",
                "Mcp-Name": "list_modules",
            },
        )
        self.assertEqual(response.status_code, 202)
        self.assertFalse(self.entries(tool="list_modules"))

    def test_answers_are_not_stored_by_anyone(self):
        for response in (self.rpc("tools/list"), self.send(b"{")):
            self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_nul_in_the_arguments_is_told(self):
        response = self.call("query_database", query="SELECT 'a\0b'")
        result = response.json()["result"]
        self.assertTrue(result["isError"])
        self.assertIn("NUL", result["content"][0]["text"])

    def test_nul_in_a_name_is_an_unknown_tool(self):
        response = self.rpc(
            "tools/call", {"name": "a\0b"}, headers={"Mcp-Name": "=?base64?YQBi?="}
        )
        self.assert_error(response, 400, -32602, "Unknown tool")

    def test_text_beyond_ascii_survives_there_and_back(self):
        for text in ("äöü €", "日本語", "🦀", "\u202e\u2028\x7f", "'\"\\"):
            with self.subTest(text=text):
                response = self.call(
                    "query_database", query="SELECT %s AS t", params=[text]
                )
                rows = response.json()["result"]["structuredContent"]["rows"]
                self.assertEqual(rows, [{"t": text}])
