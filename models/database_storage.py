"""What takes room in this database, and which statements take its time."""

from psycopg2.errors import ObjectNotInPrerequisiteState
from psycopg2.extras import RealDictCursor

from .redaction import redact_text

MOST = 10
LONGEST_QUERY = 300

TABLES = """
SELECT relname AS "table", pg_total_relation_size(relid) AS size_bytes,
       coalesce(nullif((SELECT reltuples::bigint FROM pg_class
                         WHERE oid = relid), -1), n_live_tup) AS rows,
       n_dead_tup AS dead_rows,
       to_char(greatest(last_vacuum, last_autovacuum) AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS vacuumed,
       to_char(greatest(last_analyze, last_autoanalyze) AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS analyzed,
       seq_scan, idx_scan
  FROM (SELECT *, row_number() OVER (ORDER BY pg_total_relation_size(relid) DESC) AS n
          FROM pg_stat_user_tables) t
 WHERE n <= %(most)s OR (n_dead_tup > 1000 AND n_dead_tup > n_live_tup / 5)
 ORDER BY size_bytes DESC LIMIT 2 * %(most)s"""
"""https://www.postgresql.org/docs/current/routine-vacuuming.html"""

UNUSED = """
SELECT s.relname AS "table", s.indexrelname AS "index",
       pg_relation_size(s.indexrelid) AS size_bytes
  FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
 WHERE s.idx_scan = 0 AND NOT i.indisunique AND i.indisvalid
   AND pg_relation_size(s.indexrelid) > 100 * 1024
 ORDER BY size_bytes DESC LIMIT %s"""

DUPLICATE = """
SELECT i.indrelid::regclass::text AS "table",
       array_agg(i.indexrelid::regclass::text
                 ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid)
           AS same,
       sum(pg_relation_size(i.indexrelid))::bigint AS size_bytes
  FROM pg_index i JOIN pg_stat_user_indexes s USING (indexrelid)
  JOIN pg_class c ON c.oid = i.indexrelid
 GROUP BY i.indrelid, c.relam, i.indkey, i.indclass, i.indcollation, i.indoption,
          pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
HAVING count(*) > 1
 ORDER BY size_bytes DESC LIMIT %s"""

SINCE = """
SELECT to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM pg_stat_database WHERE datname = current_database()"""

STATEMENTS = """
SELECT calls, round({total}::numeric, 1)::float AS total_ms,
       round(({total} / greatest(calls, 1))::numeric, 2)::float AS mean_ms,
       rows, query
  FROM {view}
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND query <> '<insufficient privilege>'
 ORDER BY {total} DESC LIMIT %s"""

NO_STATEMENTS = (
    "Costly statements need pg_stat_statements: set shared_preload_libraries = "
    "'pg_stat_statements' in postgresql.conf, restart PostgreSQL, and run CREATE "
    "EXTENSION pg_stat_statements as its superuser."
)
"""https://www.postgresql.org/docs/current/pgstatstatements.html"""


def tables(cr, models: dict[str, str], most: int = MOST) -> list[dict]:
    """Return the largest tables, and those with many dead rows.

    :param models: of Odoo, by the names of their tables
    """
    cr.execute(TABLES, {"most": most})
    return [
        _without_none({**row, "model": models.get(row["table"])})
        for row in cr.dictfetchall()
    ]


def indexes(cr) -> dict:
    """Return the indexes that nothing has used, and those that are there twice."""
    cr.execute(UNUSED, [MOST])
    unused = cr.dictfetchall()
    cr.execute(DUPLICATE, [MOST])
    duplicate = cr.dictfetchall()
    cr.execute(SINCE)
    [since] = cr.fetchone()
    found = {"unused": unused, "duplicate": duplicate}
    if unused:
        # a standby that reads has figures of its own
        found["counted_since"] = since or "the database was made"
    return {name: value for name, value in found.items() if value}


def statements(cr) -> list[dict] | None:
    """Return the statements that took most time; None: PostgreSQL does not count."""
    cr.execute(
        "SELECT quote_ident(n.nspname) || '.pg_stat_statements', EXISTS ("
        "SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relname = 'pg_stat_statements' AND a.attname = 'total_exec_time') "
        "FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'pg_stat_statements'"
    )
    found = cr.fetchone()
    if not found:
        return None
    view, newer = found
    # PostgreSQL 12 has one time for planning and execution
    total = "total_exec_time" if newer else "total_time"
    # not by Odoo's cursor, which would call it an error in the log
    with cr.connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("SAVEPOINT mcp_statements")
        try:
            cursor.execute(STATEMENTS.format(view=view, total=total), [MOST])
        except ObjectNotInPrerequisiteState:  # the library is not loaded
            cursor.execute("ROLLBACK TO SAVEPOINT mcp_statements")
            return None
        rows = cursor.fetchall()
    return [{**row, "query": _short(row["query"])} for row in rows]


def _short(query: str) -> str:
    text = " ".join((query or "").split())
    return redact_text(
        text[:LONGEST_QUERY] + ("…" if len(text) > LONGEST_QUERY else "")
    )


def _without_none(row: dict) -> dict:
    return {name: value for name, value in row.items() if value is not None}
