"""An auditor chooses a period, and reads a report that says what happened in it."""

import io

from lxml import html

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from ..models import audit_export
from ..wizards.mcp_audit_log_export import URL
from .audit_rows import PERIOD, AuditCase
from .common import McpCase


@tagged("post_install", "-at_install")
class TestAuditExportWizard(AuditCase, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_auditors()

    def export(self, user, **values):
        exports = self.env["mcp.audit.log.export"].with_user(user)
        return exports.create({**PERIOD, **values})

    def printed(self, user, **values):
        """The report as the user sees it: its words, with single spaces."""
        export = self.export(user, file_format="pdf", **values)
        reports = self.env["ir.actions.report"].with_user(user)
        name = "odoo_dev_mcp.mcp_audit_log_report_document"
        page, _kind = reports._render_qweb_html(name, export.ids)
        return " ".join(html.fromstring(page).text_content().split())

    def test_the_period_is_of_days_as_the_user_counts_them(self):
        self.administrator.tz = "Pacific/Auckland"  # 13 hours ahead in January
        moments = ("2019-12-31 10:59", "2019-12-31 11:00", "2020-01-31 10:59")
        entries = [self.insert(create_date=moment) for moment in moments]
        self.insert(create_date="2020-01-31 11:00")
        export = self.export(self.administrator)
        found = self.env["mcp.audit.log"].search(export._domain(), order="id")
        self.assertEqual(found.ids, entries[1:])
        self.assertEqual(export.entry_count, 2)

    def test_the_button_leads_to_the_download_or_the_report(self):
        action = self.export(self.other).action_export()
        self.assertEqual(action["target"], "download")
        wanted = "?date_from=2020-01-01&date_to=2020-01-31&file_format=csv"
        self.assertEqual(action["url"], URL + wanted)
        action = self.export(self.other, file_format="pdf").action_export()
        self.assertEqual(action["type"], "ir.actions.report")

    def test_the_default_is_the_last_30_days(self):
        export = self.env["mcp.audit.log.export"].with_user(self.other).create({})
        self.assertEqual((export.date_to - export.date_from).days, 29)

    def test_a_period_ends_after_it_begins(self):
        with self.assertRaisesRegex(ValidationError, "swap"):
            self.export(self.other, date_to="2019-12-31")

    def test_who_has_no_mcp_group_exports_nothing(self):
        nobody = self.make_user("nobody")
        with self.assertRaises(AccessError):
            self.export(nobody)
        unsaved = self.env["mcp.audit.log.export"].with_user(nobody).new(PERIOD)
        with self.assertRaises(AccessError):
            unsaved._write_to(io.BytesIO())

    def test_no_more_than_a_batch_is_held(self):
        self.insert(audit_export.BATCH + 1)
        domain = self.export(self.administrator)._domain()
        batches = audit_export.batches(self.env["mcp.audit.log"], domain)
        self.assertEqual([len(rows) for rows in batches], [audit_export.BATCH, 1])

    def test_the_report_counts_the_calls_of_its_period(self):
        self.insert(3, duration_ms=10)
        self.insert(1, duration_ms=50, status="error", message="no such table")
        self.insert(2, duration_ms=0, status="refused", tool="no_tool", key_name=None)
        self.insert(create_date="2020-02-01 12:00", tool="too_late")
        text = self.printed(self.administrator)
        for words in (
            self.env.cr.dbname,
            "6 calls",
            "(mcp_admin)",
            "query_database 4 1 0 20",
            "no_tool 2 0 2",
            "Success 3 0 0 10",
            "Refused 2 0 2",
            "a key 4 1 0 20",
            "(none) 2 0 2",
            "no such table",
        ):
            self.assertIn(words, text)
        self.assertNotIn("too_late", text)

    def test_the_report_of_a_user_tells_of_own_calls_alone(self):
        self.insert(3, tool="of_the_developer")
        self.insert(1, user_id=self.other.id)
        text = self.printed(self.other)
        self.assertIn("1 calls", text)
        self.assertIn("of this user alone", text)
        self.assertNotIn("of_the_developer", text)

    def test_an_empty_period_is_said_to_be_empty(self):
        self.assertIn("No call in this period.", self.printed(self.other))
