"""execute_sql: one statement or several, all or nothing, and what came of it."""

from odoo.tests import tagged

from .common import McpCase

ENDS = """
COMMIT
ROLLBACK
BEGIN
END
ABORT
START TRANSACTION
SAVEPOINT x
ROLLBACK TO SAVEPOINT mcp_statement
PREPARE TRANSACTION 'x'
VACUUM mcp_test
CREATE DATABASE mcp_test_database
DO $$ BEGIN COMMIT; END $$
CALL mcp_test_procedure()
COPY mcp_test FROM STDIN
"""


@tagged("post_install", "-at_install")
class TestExecuteSql(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(
            """
            CREATE TABLE mcp_test (id serial PRIMARY KEY, name text);
            INSERT INTO mcp_test (name) VALUES ('a'), ('b'), ('c');
            CREATE PROCEDURE mcp_test_procedure() LANGUAGE plpgsql
                AS 'BEGIN DELETE FROM mcp_test; COMMIT; END'
            """
        )

    def sql(self, statement, **arguments):
        return self.ok("execute_sql", statement=statement, **arguments)

    def rows(self):
        self.env.cr.execute("SELECT name FROM mcp_test ORDER BY id")
        return [name for (name,) in self.env.cr.fetchall()]

    def test_the_answer_has_the_fields_of_1_0(self):
        result = self.sql("UPDATE mcp_test SET name = 'x' WHERE id < 3")
        self.assertEqual(result["affected_rows"], 2)
        self.assertEqual(result["status_message"], "OK 2")
        self.assertGreaterEqual(result["duration_ms"], 0)
        self.assertEqual(self.rows(), ["x", "x", "c"])

    def test_several_statements_are_told_apart_and_counted_together(self):
        result = self.sql(
            "INSERT INTO mcp_test (name) VALUES ('d;'); -- one; two\n"
            "UPDATE mcp_test SET name = upper(name); ; "
            "DELETE FROM mcp_test WHERE name = 'D;'"
        )
        self.assertEqual(
            result["statements"],
            [
                {"command": "INSERT", "affected_rows": 1},
                {"command": "UPDATE", "affected_rows": 4},
                {"command": "DELETE", "affected_rows": 1},
            ],
        )
        self.assertEqual(result["affected_rows"], 6)
        self.assertEqual(self.rows(), ["A", "B", "C"])

    def test_params_are_values(self):
        text = "x'); DELETE FROM mcp_test; --"
        result = self.sql("INSERT INTO mcp_test (name) VALUES (%s)", params=[text])
        self.assertEqual(result["affected_rows"], 1)
        self.assertEqual(self.rows()[-1], text)

    def test_returning_rows_are_told_and_cut_but_counted(self):
        insert = "INSERT INTO mcp_test (name) SELECT 'n' FROM generate_series(1, 50)"
        result = self.sql(f"{insert} RETURNING id, name", limit=3)
        self.assertEqual(result["columns"], ["id", "name"])
        self.assertEqual((len(result["rows"]), result["row_count"]), (3, 3))
        self.assertTrue(result["truncated"])
        self.assertEqual(result["affected_rows"], 50)
        self.assertEqual(len(self.rows()), 53)

    def test_rows_of_the_last_statement_that_has_any_are_told(self):
        result = self.sql("SELECT 1 AS a; SELECT 2 AS b; DELETE FROM mcp_test")
        self.assertEqual(result["rows"], [{"b": 2}])
        self.assertEqual(result["statements"][2]["affected_rows"], 3)

    def test_data_modifying_ctes_return_their_rows(self):
        result = self.sql(
            "WITH d AS (DELETE FROM mcp_test RETURNING name) SELECT * FROM d ORDER BY 1"
        )
        self.assertEqual([row["name"] for row in result["rows"]], ["a", "b", "c"])
        self.assertEqual(self.rows(), [])

    def test_function_bodies_with_semicolons_are_one_statement(self):
        result = self.sql(
            "CREATE FUNCTION mcp_test_one() RETURNS int LANGUAGE plpgsql AS $f$ "
            "BEGIN PERFORM 1; RETURN 1; END $f$; SELECT mcp_test_one() AS one"
        )
        self.assertEqual(result["rows"], [{"one": 1}])

    def test_a_body_in_standard_sql_is_taken_whole(self):
        self.sql(
            "CREATE FUNCTION mcp_test_two() RETURNS int LANGUAGE sql "
            "BEGIN ATOMIC SELECT 1; SELECT 2; END"
        )
        self.assertEqual(self.sql("SELECT mcp_test_two() AS n")["rows"], [{"n": 2}])

    def test_a_dry_run_tells_all_and_changes_nothing(self):
        statement = (
            "DELETE FROM mcp_test; CREATE TABLE mcp_test_new (id int); "
            "SELECT count(*) AS n FROM mcp_test"
        )
        result = self.sql(statement, dry_run=True)
        self.assertEqual(result["rows"], [{"n": 0}])
        self.assertTrue(result["dry_run"])
        self.assertEqual(self.rows(), ["a", "b", "c"])
        self.env.cr.execute("SELECT to_regclass('mcp_test_new')")
        self.assertEqual(self.env.cr.fetchone(), (None,))

    def test_nothing_ends_the_transaction(self):
        for statement in ENDS.strip().split("\n"):
            with self.subTest(statement=statement):
                text = self.refused(
                    "execute_sql", statement=f"DELETE FROM mcp_test; {statement}"
                )
                self.assertNotIn("internal error", text)
                self.assertIn("execute_sql is one transaction", text)

    def test_an_error_in_the_last_statement_is_told_with_its_place(self):
        text = self.refused(
            "execute_sql", statement="UPDATE mcp_test SET name = 'x';\nSELEC 1"
        )
        self.assertIn("42601", text)
        self.assertIn("SELEC 1", text)

    def test_what_is_no_statement_is_told(self):
        for statement in (";", " ; -- nothing", "/* */"):
            with self.subTest(statement=statement):
                text = self.refused("execute_sql", statement=statement)
                self.assertIn("no SQL statement", text)

    def test_a_statement_that_takes_too_long_is_stopped(self):
        self.set_parameter("query_timeout", 1)
        text = self.refused("execute_sql", statement="SELECT pg_sleep(60)")
        self.assertIn("57014", text)

    def test_statements_share_the_time(self):
        self.set_parameter("query_timeout", 1)
        text = self.refused("execute_sql", statement="SELECT pg_sleep(0.4);" * 5)
        self.assertTrue("57014" in text or "too long" in text, text)

    def test_nothing_of_the_session_stays(self):
        self.sql(
            "CREATE TEMP TABLE res_partner (id int); LISTEN mcp_test; "
            "SELECT pg_advisory_lock(4711); PREPARE mcp_test_p AS SELECT 1"
        )
        self.env.cr.execute(
            "SELECT to_regclass('pg_temp.res_partner'), "
            "(SELECT count(*) FROM pg_listening_channels()), "
            "(SELECT count(*) FROM pg_prepared_statements), "
            "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
            "AND objid = 4711 AND pid = pg_backend_pid())"
        )
        self.assertEqual(self.env.cr.fetchone(), (None, 0, 0, 0))

    def test_a_rule_of_dashes_is_no_riddle(self):
        found = self.sql(f"SELECT E'x' {'-' * 5000}\n AS v")
        self.assertEqual(found["rows"], [{"v": "x"}])

    def test_columns_that_odoo_does_not_know_are_warned_about(self):
        for statement in (
            "ALTER TABLE res_partner ADD COLUMN mcp_test_column int",
            "ALTER TABLE res_partner DROP COLUMN website",
            "ALTER TABLE res_partner ALTER COLUMN website TYPE text",
        ):
            with self.subTest(statement=statement):
                result = self.sql(statement, dry_run=True)
                (warning,) = result["warnings"]
                self.assertIn("res_partner", warning)
                self.assertIn("upgrade_module", warning)

    def test_a_table_that_odoo_needs_and_that_is_gone_is_warned_about(self):
        result = self.sql("ALTER TABLE res_bank RENAME TO mcp_bank", dry_run=True)
        self.assertTrue(any("res_bank" in text for text in result["warnings"]))

    def test_tables_of_ones_own_are_not_warned_about(self):
        result = self.sql(
            "CREATE TABLE mcp_test_own (id int); CREATE INDEX ON res_partner (website)",
            dry_run=True,
        )
        self.assertEqual(result["warnings"], [])

    def test_records_are_read_anew_afterwards(self):
        partner = self.env["res.partner"].create({"name": "before"})
        query = "UPDATE res_partner SET name = 'after' WHERE id = %s"
        self.sql(query, params=[partner.id])
        self.assertEqual(partner.name, "after")
