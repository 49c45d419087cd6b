"""What must not get out of query_database, and what only looks as if it would."""

from odoo.tests import tagged

from ..models import gate
from .common import McpCase

STACKED = """
SELECT 1; SELECT 2
SELECT 1; DELETE FROM mcp_test
SELECT 1; COMMIT
COMMIT; DELETE FROM mcp_test
COMMIT
ROLLBACK
ROLLBACK; DELETE FROM mcp_test
BEGIN
ABORT
END
START TRANSACTION READ WRITE
SAVEPOINT x
RELEASE SAVEPOINT mcp_plan
ROLLBACK TO SAVEPOINT mcp_plan
PREPARE TRANSACTION 'x'
SELECT 1 /* ; */ ; DELETE FROM mcp_test
; DELETE FROM mcp_test
SELECT ';' ; DELETE FROM mcp_test
SELECT $x$;$x$; DELETE FROM mcp_test
"""

WRITES = """
INSERT INTO mcp_test (name) VALUES ('x')
INSERT INTO mcp_test (name) VALUES ('x') RETURNING id
UPDATE mcp_test SET name = 'x'
UPDATE mcp_test SET name = 'x' RETURNING name -- LIMIT 1
DELETE FROM mcp_test RETURNING *
MERGE INTO mcp_test USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE
WITH d AS (DELETE FROM mcp_test RETURNING *) SELECT * FROM d
WITH i AS (INSERT INTO mcp_test (name) VALUES ('x') RETURNING id) SELECT * FROM i
WITH a AS (SELECT 1), u AS (UPDATE mcp_test SET name = 'x') SELECT * FROM a
SELECT * FROM mcp_test FOR UPDATE
SELECT * FROM mcp_test FOR NO KEY UPDATE
SELECT * FROM mcp_test FOR SHARE
SELECT * FROM mcp_test FOR KEY SHARE SKIP LOCKED
SELECT * INTO mcp_test_copy FROM mcp_test
SELECT 1 AS x INTO TEMP mcp_test_copy
CREATE TABLE mcp_test_copy AS SELECT 1
CREATE TEMP TABLE mcp_test_copy (id int)
CREATE FUNCTION mcp_test_f() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE ROLE mcp_test_role
ALTER TABLE mcp_test ADD COLUMN x int
ALTER SYSTEM SET work_mem = '1MB'
DROP TABLE mcp_test
TRUNCATE mcp_test
GRANT ALL ON mcp_test TO PUBLIC
COMMENT ON TABLE mcp_test IS 'x'
REINDEX TABLE mcp_test
VACUUM mcp_test
ANALYZE mcp_test
CLUSTER mcp_test
CHECKPOINT
LOCK TABLE mcp_test
REFRESH MATERIALIZED VIEW mcp_test
IMPORT FOREIGN SCHEMA x FROM SERVER y INTO public
"""

COMMANDS = """
COPY mcp_test TO STDOUT
COPY mcp_test FROM PROGRAM 'true'
COPY (SELECT 1) TO PROGRAM 'true'
COPY (SELECT 1) TO '/tmp/mcp_test_copy'
DO $$ BEGIN DELETE FROM mcp_test; END $$
CALL mcp_test_procedure()
SET work_mem = '1MB'
SET LOCAL work_mem = '1MB'
SET TRANSACTION READ WRITE
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
SET ROLE postgres
RESET ALL
RESET transaction_read_only
DISCARD ALL
NOTIFY mcp_test
LISTEN mcp_test
UNLISTEN *
LOAD 'plpgsql'
PREPARE mcp_test_p AS SELECT 1
EXECUTE mcp_test_p
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT 1
CLOSE ALL
MOVE ALL FROM mcp_result
EXPLAIN ANALYZE DELETE FROM mcp_test
EXPLAIN (ANALYZE) UPDATE mcp_test SET name = 'x'
EXPLAIN (ANALYZE, FORMAT JSON) INSERT INTO mcp_test (name) VALUES ('x')
EXPLAIN ANALYZE CREATE TABLE mcp_test_copy AS SELECT 1
EXPLAIN ANALYZE EXECUTE mcp_test_p
EXPLAIN ANALYZE WITH d AS (DELETE FROM mcp_test RETURNING *) SELECT * FROM d
"""

LOCK = "pg_try_advisory_lock(4711)"

FUNCTIONS = f"""
SELECT nextval('mcp_test_id_seq')
SELECT setval('mcp_test_id_seq', 99)
SELECT set_config('work_mem', '1MB', false)
SELECT set_config('transaction_read_only', 'off', true)
SELECT pg_catalog.set_config('work_mem', '1MB', false)
SELECT {LOCK}
SELECT pg_advisory_lock(4711)
SELECT pg_advisory_xact_lock(4711)
SELECT pg_advisory_unlock_all()
SELECT mcp_query_open('mcp_plan', 'SELECT {LOCK}')
SELECT pg_terminate_backend(0)
SELECT pg_cancel_backend(0)
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_notify('mcp_test', 'x')
SELECT pg_read_file('/etc/hostname')
SELECT pg_read_binary_file('/etc/hostname')
SELECT pg_stat_file('/etc/hostname')
SELECT * FROM pg_ls_dir('.')
SELECT * FROM pg_ls_logdir()
SELECT pg_logical_emit_message(false, 'x', 'y')
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT pg_stat_reset()
SELECT pg_export_snapshot()
SELECT pg_create_physical_replication_slot('x')
SELECT lo_import('/etc/hostname')
SELECT lo_export(1, '/tmp/mcp_test_copy')
SELECT lo_create(0)
SELECT lo_from_bytea(0, 'x')
SELECT dblink_exec('dbname=postgres', 'DELETE FROM mcp_test')
SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(x int)
SELECT query_to_xml('SELECT {LOCK}', true, true, '')
SELECT database_to_xml(true, true, '')
SELECT * FROM ts_stat('SELECT {LOCK}::text::tsvector')
"""

HIDDEN = f"""
SELECT pg_try_advisory_lock/* */(4711)
SELECT "pg_try_advisory_lock"(4711)
SELECT PG_Try_Advisory_Lock (4711)
SELECT U&"pg\\005ftry_advisory_lock"(4711)
SELECT pg_catalog . pg_try_advisory_lock(4711)
SELECT * FROM {LOCK}
SELECT x FROM ROWS FROM ({LOCK}, generate_series(1, 2)) AS r(x, y)
SELECT * FROM mcp_test t, LATERAL (SELECT {LOCK} OFFSET 0) l
SELECT 1 FROM mcp_test WHERE {LOCK}
SELECT 1 FROM mcp_test ORDER BY {LOCK}
SELECT 1 FROM mcp_test GROUP BY {LOCK}
SELECT count(*) FILTER (WHERE {LOCK}) FROM mcp_test
SELECT max(id) FROM mcp_test HAVING {LOCK}
SELECT CASE WHEN {LOCK} THEN 1 END
SELECT COALESCE(NULL, {LOCK})
SELECT ARRAY[{LOCK}, true]
SELECT (SELECT {LOCK})
SELECT 1 WHERE 1 IN (SELECT {LOCK}::int)
SELECT a.id FROM mcp_test a JOIN mcp_test b ON a.id = b.id AND {LOCK}
WITH x AS MATERIALIZED (SELECT {LOCK}) SELECT * FROM x
SELECT 1 UNION ALL SELECT {LOCK}::int
VALUES ({LOCK})
VALUES ({LOCK}), (true)
SELECT * FROM (VALUES ({LOCK}), (true)) v
SELECT 1 FROM mcp_test WHERE true IN (VALUES ({LOCK}), (false))
SELECT 1 LIMIT {LOCK}::int
SELECT 1 OFFSET {LOCK}::int
SELECT 1 FETCH FIRST ({LOCK}::int) ROWS ONLY
SELECT sum(x) OVER (ROWS {LOCK}::int PRECEDING) FROM generate_series(1, 2) x
SELECT 1 FROM mcp_test TABLESAMPLE BERNOULLI (({LOCK}::int) * 100)
WITH "x'" AS MATERIALIZED (SELECT {LOCK}) SELECT * FROM "x'"
WITH "x'" AS MATERIALIZED (SELECT {LOCK} AS a, 'b' AS b) SELECT * FROM "x'"
WITH "x""q" AS MATERIALIZED (SELECT {LOCK} AS a) SELECT a AS "y" FROM "x""q"
EXPLAIN ANALYZE SELECT {LOCK}
EXPLAIN (ANALYZE, VERBOSE) SELECT {LOCK}
EXPLAIN ANALYZE VERBOSE SELECT {LOCK}
EXPLAIN /**/ ANALYZE SELECT {LOCK}
EXPLAIN ANALYZE SELECT 1 LIMIT {LOCK}::int
/**/ EXPLAIN /**/ ANALYZE SELECT {LOCK} /**/ SHOW
/* /* */ SHOW */ SELECT {LOCK}
/* /* */ SHOW */ EXPLAIN /**/ ANALYZE SELECT {LOCK}
/* SHOW */ SELECT {LOCK}
SHOW work_mem; SELECT {LOCK}
SELECT 'SHOW' FROM mcp_test WHERE {LOCK}
"""

HARMLESS = (
    ("SELECT 'COMMIT;' AS t", [{"t": "COMMIT;"}]),
    ("SELECT 'pg_terminate_backend(1)' AS t", [{"t": "pg_terminate_backend(1)"}]),
    ("SELECT $$ set_config('a', 'b', true) $$ AS t", None),
    ("SELECT 'it''s lo_import(1)' || upper('x') AS t", [{"t": "it's lo_import(1)X"}]),
    ("SELECT E'\\' pg_notify(' || upper('a') AS t", [{"t": "' pg_notify(A"}]),
    ("SELECT upper('a') AS \"pg_notify(1)\"", [{"pg_notify(1)": "A"}]),
    ("SELECT 1 AS pg_read_file", [{"pg_read_file": 1}]),
    ("SELECT lower('A') AS set_config", [{"set_config": "a"}]),
    ("SELECT 1 AS a -- ; DELETE FROM mcp_test", [{"a": 1}]),
    ("SELECT 1 AS a; -- DELETE FROM mcp_test", [{"a": 1}]),
    ("SELECT /* COMMIT; */ 1 AS a;", [{"a": 1}]),
    ("SELECT 1 AS a ; ;;  -- end", None),
    ("TABLE mcp_test", [{"id": 1, "name": "kept"}]),
    ("VALUES (1, 'a'), (2, 'b')", None),
    ("VALUES (abs(-1)), (2)", [{"column1": 1}, {"column1": 2}]),
    ("SELECT id FROM mcp_test LIMIT greatest(1, 0)", [{"id": 1}]),
    ("(SELECT 1 AS a) UNION (SELECT 2) ORDER BY 1", [{"a": 1}, {"a": 2}]),
    ("WITH x AS (SELECT 1 AS a) SELECT * FROM x", [{"a": 1}]),
    (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
        "SELECT max(n) AS n FROM r",
        [{"n": 3}],
    ),
    ("SHOW transaction_read_only", [{"transaction_read_only": "on"}]),
    ("-- (\nSHOW transaction_read_only", [{"transaction_read_only": "on"}]),
    ("SELECT current_setting('transaction_read_only') AS r", [{"r": "on"}]),
    ("SELECT pg_sleep(0) IS NULL AS s", None),
    ("SELECT count(*) AS n FROM mcp_test", [{"n": 1}]),
    ("EXPLAIN SELECT count(*) FROM mcp_test", None),
    ("EXPLAIN ANALYZE SELECT count(*) FROM mcp_test", None),
    ("EXPLAIN (ANALYZE, FORMAT JSON) SELECT upper(name) FROM mcp_test", None),
    ("EXPLAIN DELETE FROM mcp_test", None),
    ("SELECT currval FROM (SELECT 1 AS currval) t", [{"currval": 1}]),
)


def statements(text):
    """One statement a line."""
    return text.strip().split("\n")


@tagged("post_install", "-at_install")
class TestQueryEscape(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(
            """
            CREATE TABLE mcp_test (id serial PRIMARY KEY, name text);
            INSERT INTO mcp_test (name) VALUES ('kept');
            CREATE PROCEDURE mcp_test_procedure() LANGUAGE sql
                AS 'DELETE FROM mcp_test'
            """
        )

    def setUp(self):
        super().setUp()
        # a lock of the session would outlive the test's transaction
        self.addCleanup(self.env.cr.execute, "SELECT pg_advisory_unlock_all()")

    def state(self):
        """All that a statement could change, as the test's session sees it."""
        self.env.cr.execute(
            f"""
            SELECT (SELECT array_agg(t::text) FROM mcp_test t),
                   (SELECT last_value FROM mcp_test_id_seq),
                   (SELECT count(*) FROM pg_class),
                   (SELECT count(*) FROM pg_proc),
                   (SELECT count(*) FROM pg_roles),
                   (SELECT count(*) FROM pg_attribute),
                   (SELECT count(*) FROM pg_largeobject_metadata),
                   (SELECT count(*) FROM pg_prepared_statements),
                   (SELECT count(*) FROM pg_replication_slots),
                   (SELECT count(*) FROM pg_listening_channels()),
                   (SELECT array_agg(mode) FROM pg_locks WHERE pid = pg_backend_pid()
                       AND (locktype = 'advisory' AND classid <> {gate.LOCK[0]}
                            OR relation = 'mcp_test'::regclass AND mode LIKE '%Row%')),
                   current_user, current_setting('work_mem'),
                   current_setting('transaction_read_only')
            """
        )
        return self.env.cr.fetchone()

    def assert_all_refused(self, text):
        before = self.state()
        for statement in statements(text):
            with self.subTest(statement=statement):
                outcome = self.call("query_database", query=statement)
                found = self.state()
                self.env.cr.execute("SELECT pg_advisory_unlock_all()")
                self.assertEqual(found, before)
                self.assertTrue(outcome.is_error, outcome.text)
                self.assertNotIn("internal error", outcome.text)

    def test_one_statement_at_a_time(self):
        self.assert_all_refused(STACKED)

    def test_nothing_is_written(self):
        self.assert_all_refused(WRITES)

    def test_nothing_is_commanded(self):
        self.assert_all_refused(COMMANDS)

    def test_functions_that_act_are_refused(self):
        self.assert_all_refused(FUNCTIONS)

    def test_functions_that_act_cannot_be_hidden(self):
        self.assert_all_refused(HIDDEN)

    def test_functions_in_parameters_are_text(self):
        rows = self.ok("query_database", query="SELECT %s AS t", params=[LOCK])["rows"]
        self.assertEqual(rows, [{"t": LOCK}])
        text = "x'; DELETE FROM mcp_test; --"
        before = self.state()
        rows = self.ok("query_database", query="SELECT %s AS t", params=[text])["rows"]
        self.assertEqual(rows, [{"t": text}])
        self.assertEqual(self.state(), before)

    def test_harmless_look_alikes_pass(self):
        for statement, rows in HARMLESS:
            with self.subTest(statement=statement):
                result = self.ok("query_database", query=statement)
                self.assertTrue(result["rows"])
                if rows is not None:
                    self.assertEqual(result["rows"], rows)

    def test_enough_is_tried(self):
        tried = [
            statement
            for text in (STACKED, WRITES, COMMANDS, FUNCTIONS, HIDDEN)
            for statement in statements(text)
        ]
        self.assertGreaterEqual(len(tried), 150)
        self.assertEqual(len(tried), len(set(tried)))
