"""An auditor takes entries away: the right ones, in files that do no harm."""

import csv
import io
import json
from datetime import date, datetime

from lxml import html

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from ..models import audit_export
from ..wizards.mcp_audit_log_export import URL
from .audit_rows import insert_entries
from .common import ADMINISTRATOR, USER, McpCase, McpHttpCase

TODAY = date.today()
PERIOD = {"date_from": "2020-01-01", "date_to": "2020-01-31"}
IN_PERIOD = datetime(2020, 1, 15, 12, 30, 5)


class AuditCase:
    """An administrator, a plain user, and the export of a period of its own."""

    @classmethod
    def _set_up_auditors(cls):
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR)
        cls.other = cls.make_user("mcp_other", USER)

    def insert(self, count=1, **columns):
        values = {"create_date": IN_PERIOD, "user_id": self.developer.id, **columns}
        return insert_entries(self.env, count, **values)


@tagged("post_install", "-at_install")
class TestAuditExport(AuditCase, McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_auditors()

    def get(self, **params):
        return self.opener.get(
            self.base_url() + URL,
            params={**PERIOD, "file_format": "csv", **params},
            allow_redirects=False,
            timeout=60,
        )

    def rows(self, **params):
        response = self.get(**params)
        self.assertEqual(response.status_code, 200, response.text)
        return list(csv.DictReader(io.StringIO(response.text, newline="")))

    def objects(self, **params):
        response = self.get(file_format="jsonl", **params)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertTrue(response.text.isascii())
        return [json.loads(line) for line in response.text.splitlines()]

    def test_a_call_is_exported_with_all_that_is_known_of_it(self):
        self.call("query_database", query="SELECT generate_series(1, 3)")
        entry = self.entries()[0]
        self.log_in(self.administrator)
        period = {"date_from": str(TODAY), "date_to": str(TODAY)}
        exported = self.objects(**period)[-1]
        self.assertEqual(exported["id"], entry.id)
        self.assertEqual(exported["create_date"], f"{entry.create_date.isoformat()}Z")
        self.assertEqual(exported["tool"], "query_database")
        self.assertEqual(
            exported["arguments"], {"query": "SELECT generate_series(1, 3)"}
        )
        self.assertEqual((exported["row_count"], exported["status"]), (3, "success"))
        as_csv = self.rows(**period)[-1]
        self.assertEqual(as_csv["id"], str(entry.id))
        self.assertEqual(as_csv["create_date"], exported["create_date"])
        self.assertEqual(tuple(as_csv), audit_export.COLUMNS)

    def test_the_file_is_named_after_database_and_period(self):
        self.log_in(self.administrator)
        for kind, content_type in (("csv", "text/csv"), ("jsonl", "application/jsonl")):
            response = self.get(file_format=kind)
            name = f"mcp_audit_{self.env.cr.dbname}_2020-01-01_2020-01-31.{kind}"
            said = response.headers["Content-Disposition"]
            self.assertTrue(said.startswith("attachment;"))
            self.assertIn(name, said)
            self.assertIn(content_type, response.headers["Content-Type"])
            self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_more_entries_than_a_batch_are_exported_once_each(self):
        last = self.insert(2 * audit_export.BATCH + 1)
        self.log_in(self.administrator)
        found = [int(row["id"]) for row in self.rows()]
        self.assertEqual(found, [*range(last - 2 * audit_export.BATCH, last + 1)])

    def test_a_user_takes_own_entries_an_administrator_all(self):
        theirs = self.insert()
        mine = self.insert(user_id=self.other.id)
        self.log_in(self.other)
        self.assertEqual([entry["id"] for entry in self.objects()], [mine])
        self.assertEqual([row["id"] for row in self.rows()], [str(mine)])
        self.log_in(self.administrator)
        self.assertEqual([entry["id"] for entry in self.objects()], [theirs, mine])

    def test_who_has_no_mcp_group_takes_nothing(self):
        self.insert()
        self.log_in(self.make_user("nobody"))
        with self.assertLogs("odoo.http", "WARNING"):
            response = self.get()
        self.assertEqual(response.status_code, 403)
        self.assertNotIn("query_database", response.text)

    def test_who_is_not_logged_in_is_sent_to_log_in(self):
        response = self.get()
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])

    def test_what_is_no_period_is_refused_with_what_is_wanted(self):
        self.log_in(self.administrator)
        for params in (
            {"date_from": "yesterday"},
            {"date_from": ""},
            {"date_to": "2019-12-31"},
            {"file_format": "xlsx"},
        ):
            with self.subTest(**params):
                response = self.get(**params)
                self.assertEqual(response.status_code, 400)
                self.assertIn("YYYY-MM-DD", response.text)

    def test_no_cell_is_a_formula(self):
        texts = ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "a\n=1", 'x",=1', "ok"]
        for text in texts:
            self.insert(client=text)
        self.log_in(self.administrator)
        response = self.get()
        cells = [row["client"] for row in self.rows()]
        shown = [
            "'=1+1",
            "'+1",
            "'-1",
            "'@a",
            "'\\t=1",
            "'\\r=1",
            "a\\n=1",
            'x",=1',
            "ok",
        ]
        self.assertEqual(cells, shown)
        self.assertEqual(len(response.text.splitlines()), len(texts) + 1)
        self.assertEqual([entry["client"] for entry in self.objects()], texts)

    def test_arguments_that_are_no_json_stay_a_text(self):
        given = ['{"a": 1}', "{cut", '{"a": NaN}', None]
        for arguments in given:
            self.insert(arguments=arguments)
        self.log_in(self.administrator)
        found = [entry["arguments"] for entry in self.objects()]
        self.assertEqual(found, [{"a": 1}, *given[1:]])


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
