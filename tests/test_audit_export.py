"""An auditor takes entries away: the right ones, in files that do no harm."""

import csv
import io
import json
from datetime import date

from odoo.tests import tagged

from ..models import audit_export
from ..wizards.mcp_audit_log_export import URL
from .audit_rows import PERIOD, AuditCase
from .common import McpHttpCase

TODAY = date.today()


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
            {"date_to": "9999-12-31"},
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
