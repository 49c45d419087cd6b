"""Resources and templates: records, read as the caller, audited and limited."""

import base64
import json

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ADMINISTRATOR, DEVELOPER, LEGACY, USER, McpHttpCase, unmarked

GUIDELINES = "odoo://guidelines"
RESOURCES = ["odoo://config", GUIDELINES, "odoo://modules", "odoo://system"]
TEMPLATES = [
    "odoo://files/{path}",
    "odoo://jobs/{job_id}",
    "odoo://logs/{service}",
    "odoo://schema/{table}",
]
BOTH = (
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
)


@tagged("post_install", "-at_install")
class TestResources(McpHttpCase):
    def bearer(self, secret):
        return {"Authorization": f"Bearer {secret or self.secret}"}

    def listed(self, secret=None):
        found = []
        for method, key in BOTH:
            result = self.rpc(method, headers=self.bearer(secret)).json()["result"]
            found += [row.get("uri") or row["uriTemplate"] for row in result[key]]
        return found

    def ask(self, uri, secret=None, **options):
        headers = self.bearer(secret)
        return self.rpc("resources/read", {"uri": uri}, headers=headers, **options)

    def content(self, uri, secret=None):
        response = self.ask(uri, secret)
        self.assertEqual(response.status_code, 200, response.text)
        (content,) = response.json()["result"]["contents"]
        self.assertEqual(content["uri"], uri)
        return content

    def told(self, uri):
        content = self.content(uri)
        self.assertEqual(content["mimeType"], "application/json")
        return unmarked(json.loads(content["text"]))

    def make_resource(self, uri, code, **values):
        tool = self.make_tool(f"made_{abs(hash(uri))}", code)
        action = tool.server_action_id.copy()
        values = {
            "uri": uri,
            "name": "made",
            "title": "Made",
            "description": "A resource of a test.",
            "toolset_id": tool.toolset_id.id,
            "server_action_id": action.id,
            **values,
        }
        return self.env["mcp.resource"].create(values)

    def test_a_developer_is_offered_the_built_in_resources(self):
        self.assertEqual(self.listed(), RESOURCES + TEMPLATES)

    def test_users_who_are_no_developers_are_offered_the_guidelines_alone(self):
        for group in (USER, ADMINISTRATOR):
            secret = self.make_key(self.make_user(f"mcp_{group[-4:]}", group))
            self.assertEqual(self.listed(secret), [GUIDELINES])
            response = self.ask("odoo://config", secret)
            self.assert_error(response, 400, -32602, "odoo://config")

    def test_resources_are_described(self):
        result = self.rpc("resources/list").json()["result"]
        for row in result["resources"]:
            self.assertLessEqual(
                {"uri", "name", "title", "description", "mimeType"}, set(row)
            )
        self.assertEqual(result["cacheScope"], "private")

    def test_config_has_the_shape_of_read_config(self):
        found = self.told("odoo://config")
        self.assertEqual(set(found), {"config_path", "values", "sources", "file"})

    def test_modules_are_those_installed(self):
        found = self.told("odoo://modules")
        self.assertEqual({row["state"] for row in found["modules"]}, {"installed"})
        self.assertIn("odoo_dev_mcp", {row["name"] for row in found["modules"]})

    def test_system_tells_all_that_it_promises(self):
        found = self.told("odoo://system")
        for name in (
            *("hostname", "os", "python_version", "odoo_version", "cpu_count"),
            *("postgresql_version", "addons_paths", "databases", "workers"),
        ):
            self.assertIn(name, found)
        self.assertGreater(found["memory_mb"]["total"], 100)
        self.assertGreater(found["disk_mb"]["free"], 1)
        self.assertIn(self.env.cr.dbname, found["databases"])

    def test_schema_of_a_table_or_model(self):
        for table in ("res_partner", "res.partner"):
            found = self.told(f"odoo://schema/{table}")
            self.assertEqual(found["table_name"], "res_partner")
            self.assertIn("columns", found)

    def test_values_in_a_uri_are_decoded(self):
        found = self.told("odoo://schema/res%5Fpartner")
        self.assertEqual(found["table_name"], "res_partner")

    def test_log_is_text(self):
        content = self.content("odoo://logs/odoo")
        self.assertEqual(content["mimeType"], "text/plain")
        self.assertIn("odoo", content["text"])

    def test_an_unknown_resource_is_told_as_each_revision_wants(self):
        for uri in (
            "odoo://nothing",
            "odoo://schema/",
            "odoo://schema/a/b",
            "x",
            "odoo://config/",
        ):
            with self.subTest(uri=uri):
                body = self.assert_error(self.ask(uri), 400, -32602, uri)
                self.assertEqual(body["error"]["data"], {"uri": uri})
                for revision in LEGACY:
                    response = self.ask(uri, revision=revision)
                    self.assert_error(response, 200, -32002, uri)

    def test_what_goes_wrong_is_told(self):
        response = self.ask("odoo://schema/res_partnr")
        self.assert_error(response, 200, -32603, "res_partnr", "Nearest")
        response = self.ask("odoo://logs/no-such")
        self.assert_error(response, 200, -32603, "nginx, odoo, postgresql")

    def test_readings_are_audited(self):
        self.content("odoo://schema/res_partner")
        self.ask("odoo://schema/no_such_table")
        self.ask("odoo://nothing")
        entries = self.entries(tool="resources/read")
        self.assertEqual(entries.mapped("status"), ["refused", "error", "success"])
        self.assertEqual(
            json.loads(entries[2].arguments), {"uri": "odoo://schema/res_partner"}
        )

    def test_readings_are_limited(self):
        rule = self.env["mcp.rate.limit"].create({"name": "Few", "calls": 1})
        self.env.ref("odoo_dev_mcp.mcp_resource_modules").rate_limit_id = rule
        self.content("odoo://modules")
        response = self.ask("odoo://modules")
        self.assert_error(response, 200, -32603, "'Few'")
        self.assertIn("Retry-After", response.headers)

    def test_a_resource_that_is_switched_off_is_gone_at_once(self):
        record = self.env.ref("odoo_dev_mcp.mcp_resource_system")
        record.active = False
        self.assertNotIn("odoo://system", self.listed())
        self.assert_error(self.ask("odoo://system"), 400, -32602)
        record.active = True
        record.toolset_id.active = False
        self.assertNotIn("odoo://system", self.listed())

    def test_a_key_for_one_toolset_reads_its_resources_alone(self):
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        secret = self.make_key(self.developer, toolset_ids=[(6, 0, toolset.ids)])
        self.assertEqual(self.listed(secret), ["odoo://schema/{table}"])

    def test_a_key_for_one_tool_reads_no_resource(self):
        """Ids of tools and of resources are not mixed up."""
        for tool in self.env["mcp.tool"].search([]):
            secret = self.make_key(self.developer, tool_ids=[(6, 0, tool.ids)])
            self.assertEqual(self.listed(secret), [])

    def test_a_read_only_key_reads_resources(self):
        secret = self.make_key(self.developer, read_only=True)
        self.assertEqual(self.listed(secret), RESOURCES + TEMPLATES)

    def test_an_administrators_own_resource_is_read_as_the_caller(self):
        self.make_resource(
            "test://{a}/of/{b}", "action = [env.user.login, env.su, arguments]"
        )
        guest = self.make_user("mcp_guest", USER)
        content = self.content("test://x%2Fy/of/z", self.make_key(guest))
        self.assertEqual(
            unmarked(json.loads(content["text"])),
            {"result": ["mcp_guest", False, {"a": "x/y", "b": "z"}]},
        )

    def test_binary_content_is_a_blob(self):
        self.make_resource(
            "test://binary", "action = b64decode('AP8=')", mime_type="image/png"
        )
        content = self.content("test://binary")
        self.assertEqual(content["mimeType"], "image/png")
        self.assertEqual(base64.b64decode(content["blob"]), b"\x00\xff")
        self.assertNotIn("text", content)

    def test_an_exact_uri_comes_before_a_template(self):
        self.make_resource("test://{any}", "action = 'template'")
        self.make_resource("test://this", "action = 'exact'")
        self.assertEqual(self.content("test://this")["text"], "exact")
        self.assertEqual(self.content("test://that")["text"], "template")

    def test_a_uri_is_checked_and_unique(self):
        with self.assertRaises(ValidationError):
            self.make_resource("no scheme", "action = 1")
        with self.assertRaises(ValidationError):
            self.make_resource("test://{a}/{a}", "action = 1")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.make_resource("odoo://config", "action = 1")

    def test_an_administrator_cannot_change_what_it_runs(self):
        administrator = self.make_user("mcp_administrator", ADMINISTRATOR)
        record = self.env.ref("odoo_dev_mcp.mcp_resource_system")
        record = record.with_user(administrator)
        record.active = False
        for values in (
            {"uri": "odoo://other"},
            {"group_ids": [(5,)]},
            {"completion_action_id": record.server_action_id.id},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                record.write(values)

    def complete(self, uri, name, value, secret=None):
        return self.rpc(
            "completion/complete",
            {
                "ref": {"type": "ref/resource", "uri": uri},
                "argument": {"name": name, "value": value},
            },
            headers=self.bearer(secret),
        )

    def proposals(self, uri, name, value):
        response = self.complete(uri, name, value)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["result"]["completion"]

    def test_tables_are_completed(self):
        found = self.proposals("odoo://schema/{table}", "table", "res_partner_b")
        self.assertEqual(
            found, {"values": ["res_partner_bank"], "total": 1, "hasMore": False}
        )
        found = self.proposals("odoo://schema/{table}", "table", "")
        self.assertEqual(len(found["values"]), 100)
        self.assertGreater(found["total"], 100)
        self.assertTrue(found["hasMore"])

    def test_services_are_completed(self):
        found = self.proposals("odoo://logs/{service}", "service", "n")
        self.assertEqual(found["values"], ["nginx"])

    def test_what_has_no_completion_has_no_proposals(self):
        self.make_resource("test://{a}", "action = 1")
        self.assertEqual(self.proposals("test://{a}", "a", "")["values"], [])

    def test_an_unknown_template_is_invalid_params(self):
        for uri in ("odoo://nothing/{x}", "odoo://config"):
            response = self.complete(uri, "x", "")
            self.assert_error(response, 400, -32602, uri)
        guest = self.make_key(self.make_user("mcp_guest", USER))
        response = self.complete("odoo://schema/{table}", "table", "", guest)
        self.assert_error(response, 400, -32602)

    def test_completions_are_advertised(self):
        result = self.rpc("server/discover").json()["result"]
        self.assertIn("completions", result["capabilities"])
        self.assertEqual(result["capabilities"]["resources"], {})

    def test_a_user_sees_records_of_the_resources_that_they_may_read(self):
        guest = self.make_user("mcp_guest", USER)
        developer = self.make_user("mcp_other", DEVELOPER)
        resources = self.env["mcp.resource"]
        self.assertEqual(resources.with_user(guest).search([]).uri, GUIDELINES)
        self.assertEqual(len(resources.with_user(developer).search([])), 8)
