"""Every revision at the one URL, each in its own words."""

from odoo.tests import tagged

from .common import LEGACY, META, MODERN, McpHttpCase

LISTS = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}


@tagged("post_install", "-at_install")
class TestRevision(McpHttpCase):
    def result(self, method, params=None, *, revision):
        """The result, once the official types have accepted it for the revision."""
        from mcp_types.methods import parse_server_result

        response = self.rpc(method, params, revision=revision)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertIn("result", response.json(), response.text)
        result = response.json()["result"]
        parse_server_result(method, revision, result)
        return result

    def handshake(self, revision):
        return {
            "protocolVersion": revision,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }

    def test_initialize_agrees_on_each_known_legacy_revision(self):
        for revision in LEGACY:
            with self.subTest(revision=revision):
                result = self.result(
                    "initialize", self.handshake(revision), revision=revision
                )
                self.assertEqual(result["protocolVersion"], revision)
                self.assertEqual(result["serverInfo"]["name"], "odoo_dev_mcp")
                self.assertEqual(set(result["capabilities"]), {*LISTS_CAPABILITIES})
                self.assertIn("query_database", result["instructions"])

    def test_initialize_offers_the_newest_handshake_for_an_unknown_revision(self):
        for asked in ("1999-01-01", "2099-01-01", "zzz", MODERN):
            with self.subTest(asked=asked):
                params = self.handshake(asked)
                result = self.result("initialize", params, revision="2025-11-25")
                self.assertEqual(result["protocolVersion"], "2025-11-25")

    def test_no_session_id_is_given(self):
        response = self.rpc("initialize", self.handshake(LEGACY[-1]), revision="x")
        self.assertEqual(response.status_code, 200)
        self.assertNotIn("Mcp-Session-Id", response.headers)
        self.assertNotIn("Set-Cookie", response.headers)

    def test_initialize_with_a_modern_header_is_not_found(self):
        response = self.rpc(
            "initialize",
            self.handshake(LEGACY[-1]),
            headers={"MCP-Protocol-Version": MODERN},
        )
        self.assert_error(response, 404, -32601, "initialize")

    def test_discover_tells_what_the_server_is(self):
        result = self.result("server/discover", revision=MODERN)
        self.assertEqual(result["supportedVersions"], [MODERN])
        self.assertEqual(result["resultType"], "complete")
        self.assertNotIn("listChanged", str(result["capabilities"]))
        self.assertNotIn("subscribe", str(result["capabilities"]))

    def test_discover_and_ping_belong_to_one_era_each(self):
        response = self.rpc("ping")
        self.assert_error(response, 404, -32601, "ping")
        response = self.rpc("server/discover", revision=LEGACY[-1])
        self.assert_error(response, 200, -32601, "server/discover")

    def test_ping_answers_in_the_legacy_revisions(self):
        for revision in LEGACY:
            with self.subTest(revision=revision):
                self.assertEqual(self.result("ping", revision=revision), {})

    def test_lists_are_valid_in_every_revision(self):
        for revision in (*LEGACY, MODERN):
            for method, key in LISTS.items():
                with self.subTest(revision=revision, method=method):
                    result = self.result(method, revision=revision)
                    self.assertTrue(result[key])
                    self.assertEqual("ttlMs" in result, revision == MODERN)
                    if revision == MODERN:
                        self.assertEqual(result["resultType"], "complete")
                        self.assertEqual(result["cacheScope"], "private")
                        self.assertIn(f"{META}/serverInfo", result["_meta"])

    def test_a_tool_call_is_valid_in_every_revision(self):
        params = {"name": "query_database", "arguments": {"query": "SELECT 1 AS one"}}
        for revision in (*LEGACY, MODERN):
            with self.subTest(revision=revision):
                result = self.result("tools/call", params, revision=revision)
                self.assertEqual(result["structuredContent"]["rows"], [{"one": 1}])
                self.assertNotIn("isError", result)

    def test_each_built_in_tool_says_all_of_itself(self):
        tools = self.result("tools/list", revision=MODERN)["tools"]
        names = [tool["name"] for tool in tools]
        self.assertLessEqual(
            {"query_database", "get_db_schema", "list_modules", "get_module_info"},
            set(names),
        )
        for tool in tools:
            with self.subTest(tool=tool["name"]):
                self.assertTrue(tool["title"])
                self.assertTrue(tool["description"])
                self.assertEqual(tool["inputSchema"]["type"], "object")
                # a schema is listed where 1.0 had one: each costs every conversation
                told = tool.get("outputSchema", {"type": "object"})
                self.assertEqual(told["type"], "object")
                self.assertEqual(
                    set(tool["annotations"]),
                    {
                        "readOnlyHint",
                        "destructiveHint",
                        "idempotentHint",
                        "openWorldHint",
                    },
                )

    def test_an_unsupported_version_is_told_what_is_supported(self):
        supported = self.result("server/discover", revision=MODERN)["supportedVersions"]
        meta = {f"{META}/protocolVersion": "2031-01-01"}
        response = self.rpc(
            "tools/list",
            {"_meta": meta},
            headers={"MCP-Protocol-Version": "2031-01-01"},
        )
        body = self.assert_error(response, 400, -32022)
        self.assertEqual(
            body["error"]["data"], {"supported": supported, "requested": "2031-01-01"}
        )

    def test_a_missing_meta_is_invalid_params(self):
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
        whole = {f"{META}/protocolVersion": MODERN, f"{META}/clientCapabilities": {}}
        for missing in (None, *whole):
            kept = {key: value for key, value in whole.items() if key != missing}
            params = {} if missing is None else {"_meta": kept}
            with self.subTest(missing=missing):
                response = self.send(
                    {
                        "jsonrpc": "2.0",
                        "id": 7,
                        "method": "tools/list",
                        "params": params,
                    },
                    headers,
                )
                body = self.assert_error(response, 400, -32602, "_meta")
                self.assertEqual(body["id"], 7)

    def test_a_header_that_contradicts_the_body_is_refused(self):
        call = {"name": "list_modules", "arguments": {}}
        wrong = [
            {"MCP-Protocol-Version": None},
            {"MCP-Protocol-Version": "2025-11-25"},
            {"Mcp-Method": None},
            {"Mcp-Method": "tools/list"},
            {"Mcp-Method": "TOOLS/CALL"},
            {"Mcp-Name": None},
            {"Mcp-Name": ""},
            {"Mcp-Name": "query_database"},
            {"Mcp-Name": "=?base64?cXVlcnlfZGF0YWJhc2U=?="},
            {"Mcp-Name": "=?base64?!!!?="},
            {"Mcp-Name": "=?base64?/w==?="},
        ]
        for headers in wrong:
            with self.subTest(headers=headers):
                response = self.rpc("tools/call", call, headers=headers)
                self.assert_error(response, 400, -32020, *headers)
        self.assertFalse(self.entries(tool="list_modules"))

    def test_a_name_header_in_base64_is_decoded(self):
        response = self.rpc(
            "tools/call",
            {"name": "list_modules", "arguments": {"limit": 1}},
            headers={"Mcp-Name": "=?base64?bGlzdF9tb2R1bGVz?="},
        )
        self.assertEqual(
            response.json()["result"]["structuredContent"]["returned_count"], 1
        )

    def test_an_unknown_method_is_404_modern_and_200_legacy(self):
        for method in ("no/such", "tools", "", "__class__", "tasks/list"):
            with self.subTest(method=method):
                self.assert_error(self.rpc(method), 404, -32601)
                response = self.rpc(method, revision=LEGACY[-1])
                self.assert_error(response, 200, -32601)

    def test_session_headers_of_older_revisions_are_ignored(self):
        response = self.rpc(
            "tools/list", headers={"Mcp-Session-Id": "abc", "Last-Event-ID": "9"}
        )
        self.assertEqual(response.status_code, 200)

    def test_wrong_params_of_a_known_method_are_named(self):
        for params, word in (
            ({}, "name"),
            ({"name": 5}, "name"),
            ({"name": "list_modules", "arguments": [1]}, "arguments"),
        ):
            for revision in ("2025-11-25", MODERN):
                with self.subTest(params=params, revision=revision):
                    mirror = {"Mcp-Name": str(params.get("name", ""))}
                    response = self.rpc(
                        "tools/call", params, revision=revision, headers=mirror
                    )
                    if revision == MODERN and params.get("name") == 5:
                        self.assertEqual(response.status_code, 400, response.text)
                        continue
                    status = 400 if revision == MODERN else 200
                    self.assert_error(response, status, -32602, word)


LISTS_CAPABILITIES = ("tools", "resources", "prompts", "completions", "logging")
