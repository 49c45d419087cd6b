"""What the audit log shows: to whom, which entries, in which words."""

import json

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..models.mcp_audit_log import STATUSES
from .audit_rows import insert_entries
from .common import ADMINISTRATOR, USER, McpCase, McpHelpers


@tagged("post_install", "-at_install")
class TestAuditViews(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR)
        cls.other = cls.make_user("mcp_other", USER)

    def log(self, user):
        return self.env["mcp.audit.log"].with_user(user)

    def test_arguments_are_shown_indented(self):
        self.ok("query_database", query="SELECT 'ä'")
        entry = self.entries(tool="query_database")[0]
        wanted = json.dumps({"query": "SELECT 'ä'"}, indent=2, ensure_ascii=False)
        self.assertEqual(entry.arguments_pretty, wanted)

    def test_arguments_that_are_no_json_are_shown_as_they_are(self):
        for arguments, shown in (("{cut", "{cut"), (None, False), ("[]", "[]")):
            entry = insert_entries(self.env, 1, arguments=arguments)
            found = self.env["mcp.audit.log"].browse(entry)
            self.assertEqual(found.arguments_pretty, shown)

    def test_writes_only_leaves_out_what_reads(self):
        self.ok("list_modules", limit=1)
        self.ok(
            "execute_sql", statement="UPDATE res_partner SET ref = ref WHERE id = 0"
        )
        insert_entries(self.env, 1, tool="resources/read")
        insert_entries(self.env, 1, tool="removed_since")
        log = self.env["mcp.audit.log"]
        tools = {"list_modules", "execute_sql", "resources/read", "removed_since"}
        writes = {"execute_sql", "removed_since"}
        for domain, wanted in (
            ([("changes", "=", True)], writes),
            ([("changes", "!=", True)], tools - writes),
            ([("changes", "=", False)], tools - writes),
            ([("changes", "in", [True])], writes),
        ):
            with self.subTest(domain=domain):
                found = log.search(domain)
                self.assertEqual({*found.mapped("tool")} & tools, wanted)
                self.assertEqual({*found.mapped("changes")}, {wanted == writes})

    def test_writes_only_takes_three_statements_for_any_number_of_entries(self):
        insert_entries(self.env, 50)
        entries = self.entries()
        with self.assertQueryCount(3):
            entries.mapped("changes")

    def test_each_status_has_its_badge(self):
        view = self.env["mcp.audit.log"].get_view(view_type="list")
        for status, _title in STATUSES:
            self.assertIn(f"'{status}'", view["arch"])

    def test_each_view_can_be_read_by_a_user(self):
        views = [(False, kind) for kind in ("list", "form", "search", "graph", "pivot")]
        found = self.log(self.other).get_views(views)
        self.assertEqual(len(found["views"]), len(views))

    def test_a_user_sees_own_entries_an_administrator_all(self):
        self.ok("list_modules", limit=1)
        mine = insert_entries(self.env, 1, user_id=self.other.id)
        self.assertEqual(self.log(self.other).search([]).ids, [mine])
        theirs = self.entries(user_id=self.developer.id)
        self.assertTrue(theirs)
        with self.assertRaises(AccessError):
            theirs.with_user(self.other).read(["arguments_pretty"])
        everything = self.log(self.administrator).search([])
        self.assertLessEqual({mine, *theirs.ids}, {*everything.ids})

    def test_a_user_who_has_no_mcp_group_sees_nothing(self):
        nobody = self.make_user("nobody")
        with self.assertRaises(AccessError):
            self.log(nobody).search([])


@tagged("post_install", "-at_install")
class TestAuditTour(McpHelpers, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR)
        insert_entries(
            cls.env, 1, tool="execute_sql", arguments='{"query": "UPDATE 1"}'
        )
        insert_entries(
            cls.env, 1, tool="query_database", status="error", message="no such table"
        )
        insert_entries(cls.env, 1, tool="no_such_tool", status="refused")

    def test_an_administrator_finds_a_failed_call_and_reads_why(self):
        self.start_tour("/odoo", "odoo_dev_mcp_audit", login="mcp_admin")

    def test_an_administrator_chooses_a_period_and_exports_it(self):
        self.start_tour("/odoo", "odoo_dev_mcp_audit_export", login="mcp_admin")
