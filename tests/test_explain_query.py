"""explain_query: what it finds in real plans, and that it only reads."""

from unittest.mock import patch

from odoo.tests import tagged

from ..models import hypothetical_indexes, mcp_toolset_database_explain
from ..models.guardrails import Guardrails
from .common import McpCase
from .test_query_escape import COMMANDS, FUNCTIONS, STACKED, WRITES

ROWS = 30_000

HARMLESS = {"DECLARE c CURSOR FOR SELECT 1"}
"""What EXPLAIN ANALYZE takes, and only selects."""

SET_UP = f"""
CREATE TABLE mcp_big (id serial PRIMARY KEY, email text, parent_id int, kind int);
INSERT INTO mcp_big (email, parent_id, kind)
SELECT md5(n::text), n / 10, n % 3 FROM generate_series(1, {ROWS}) n;
CREATE TABLE mcp_test (id serial, name text);
INSERT INTO mcp_test (name) VALUES ('one');
ANALYZE mcp_big;
"""


@tagged("post_install", "-at_install")
class TestExplainQuery(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(SET_UP)
        cls.env.cr.execute("SET LOCAL max_parallel_workers_per_gather = 0")

    def explain(self, query, **arguments):
        return self.ok("explain_query", query=query, **arguments)

    def test_a_plan_is_estimated_and_nothing_is_run(self):
        found = self.explain("SELECT pg_sleep(100), id FROM res_users")
        self.assertIs(found["estimated"], True)
        self.assertGreater(found["cost"], 0)
        self.assertNotIn("execution_ms", found)
        self.assertIn("Seq Scan on res_users", found["plan"])

    def test_a_plan_that_is_run_has_times_and_rows(self):
        found = self.explain("SELECT id FROM mcp_big WHERE kind = 1", analyze=True)
        self.assertEqual(found["rows"], ROWS / 3)
        self.assertGreater(found["execution_ms"], 0)
        self.assertIn("Seq Scan on mcp_big", found["slowest"][0]["step"])
        self.assertIn(f"removed {ROWS - ROWS // 3}", found["plan"])

    def test_a_scan_of_a_large_table_is_told_with_the_index_that_it_lacks(self):
        query = "SELECT id FROM mcp_big WHERE email = %s"
        for analyze in (False, True):
            with self.subTest(analyze=analyze):
                found = self.explain(query, params=["x"], analyze=analyze)
                [scan] = [text for text in found["findings"] if "Reads all" in text]
                self.assertIn("mcp_big", scan)
                self.assertIn("email", scan)
                self.assertEqual(
                    found["missing_indexes"],
                    [{"create": "CREATE INDEX ON mcp_big (email)"}],
                )

    def test_the_index_of_a_column_of_odoo_is_named_as_its_field(self):
        self.env.cr.execute(
            "INSERT INTO res_partner (name, city, active) "
            f"SELECT 'p' || n, 'city ' || n, true FROM generate_series(1, {ROWS}) n;"
            "ANALYZE res_partner"
        )
        found = self.explain("SELECT id FROM res_partner p WHERE p.city = 'city 7'")
        [missing] = found["missing_indexes"]
        self.assertEqual(missing["create"], "CREATE INDEX ON res_partner (city)")
        self.assertIn("index=True on the field res.partner.city", missing["odoo"])
        self.assertIn("module base", missing["odoo"])
        field = self.env["res.partner"]._fields["city"]
        self.assertFalse(field.index)
        found = self.explain("SELECT id FROM res_partner WHERE city ILIKE '%city 77%'")
        self.assertIn("index='trigram'", found["missing_indexes"][0]["odoo"])

    def test_no_index_is_proposed_where_there_is_one_or_it_would_not_help(self):
        for query in (
            "SELECT * FROM mcp_big WHERE id = 7",
            "SELECT * FROM mcp_big WHERE kind = 1",
            "SELECT count(*) FROM mcp_big",
            "SELECT * FROM mcp_test WHERE name = 'one'",
        ):
            with self.subTest(query):
                self.assertNotIn("missing_indexes", self.explain(query))

    def test_the_column_of_a_join_without_an_index_is_told(self):
        self.env.cr.execute("SET LOCAL enable_mergejoin = off")
        found = self.explain(
            "SELECT b.id FROM res_users u JOIN mcp_big b ON b.parent_id = u.id"
        )
        self.assertEqual(
            [row["create"] for row in found["missing_indexes"]],
            ["CREATE INDEX ON mcp_big (parent_id)"],
        )

    def test_estimates_that_are_far_off_are_told(self):
        found = self.explain(
            "SELECT id FROM mcp_big WHERE kind = 1 AND kind + 0 = 1 AND kind * 1 = 1",
            analyze=True,
        )
        [text] = [text for text in found["findings"] if text.startswith("Expected")]
        self.assertIn(f"got {ROWS // 3}", text)
        self.assertIn("ANALYZE mcp_big", text)

    def test_a_sort_that_does_not_fit_into_memory_is_told(self):
        self.env.cr.execute("SET LOCAL work_mem = '64kB'")
        found = self.explain("SELECT * FROM mcp_big ORDER BY email", analyze=True)
        self.assertTrue([t for t in found["findings"] if "Sorts on disk" in t])

    def test_a_loop_that_is_run_often_is_told(self):
        for name in ("hashjoin", "mergejoin", "material", "memoize"):
            self.env.cr.execute(f"SET LOCAL enable_{name} = off")
        found = self.explain(
            "SELECT count(*) FROM mcp_big a JOIN mcp_big b ON b.id = a.parent_id",
            analyze=True,
        )
        self.assertTrue([t for t in found["findings"] if "nested loop" in t])

    def test_hypothetical_indexes_are_tried_where_the_extension_is(self):
        query = "SELECT id FROM mcp_big WHERE email = 'x'"
        self.env.cr.execute("SELECT FROM pg_extension WHERE extname = 'hypopg'")
        if not self.env.cr.rowcount:
            text = self.refused(
                "explain_query", query=query, indexes=["mcp_big(email)"]
            )
            self.assertIn("CREATE EXTENSION hypopg", text)
        text = self.refused(
            "explain_query", query=query, indexes=["mcp_big(email)"], analyze=True
        )
        self.assertIn("'analyze'", text)

    def test_an_index_that_is_none_is_refused(self):
        for text in ("mcp_big", "mcp_big(lower(email))", "x(y); DROP TABLE x"):
            self.assertIsNone(hypothetical_indexes.FORM.fullmatch(text))

    def test_an_explain_is_explained_once(self):
        found = self.explain("EXPLAIN (ANALYZE) SELECT pg_sleep(100)")
        self.assertIs(found["estimated"], True)

    def test_what_is_wrong_is_told_with_its_place(self):
        for query, words in (
            ("SELECT nam FROM mcp_big", ("nam", "get_db_schema")),
            ("SELECT * FROM mcp_bigg", ("mcp_bigg", "get_db_schema")),
            ("SELECT 1; SELECT 2", ("one statement",)),
            ("SHOW timezone", ("syntax error",)),
            ("", ("syntax error",)),
        ):
            with self.subTest(query):
                text = self.refused("explain_query", query=query)
                for word in words:
                    self.assertIn(word, text)

    def test_a_query_that_takes_too_long_is_told_to_be_planned_only(self):
        self.set_parameter("query_timeout", 1)
        text = self.refused("explain_query", query="SELECT pg_sleep(100)", analyze=True)
        self.assertIn("Without 'analyze'", text)

    def test_where_queries_are_forbidden_none_is_explained(self):
        rails = Guardrails(disabled_tools=frozenset({"query_database"}))
        with patch.object(
            mcp_toolset_database_explain, "guardrails", return_value=rails
        ):
            text = self.refused("explain_query", query="SELECT 1", analyze=True)
        self.assertIn("forbids query_database", text)

    def test_nothing_that_writes_or_acts_is_run(self):
        for text in (*STACKED.splitlines(), *WRITES.splitlines(),
                     *COMMANDS.splitlines(), *FUNCTIONS.splitlines()):  # fmt: skip
            if not text.strip():
                continue
            for analyze in (False, True):
                with self.subTest(text, analyze=analyze):
                    outcome = self.call("explain_query", query=text, analyze=analyze)
                    if analyze and text not in HARMLESS:
                        self.assertTrue(outcome.is_error, outcome.text)
                    self.env.cr.execute("SELECT name FROM mcp_test")
                    self.assertEqual(self.env.cr.fetchall(), [("one",)])
        self.env.cr.execute("SELECT FROM pg_locks WHERE objid = 4711")
        self.assertFalse(self.env.cr.rowcount)
