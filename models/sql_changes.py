"""What a transaction has changed so far, as PostgreSQL itself counts it.

https://www.postgresql.org/docs/current/monitoring-stats.html
"""

import contextlib

from psycopg2.errors import LockNotAvailable, UndefinedTable

from odoo.tools import SQL, mute_logger

MOST_IDS = 100
MOST_COMPARED = 1_000_000


def changed_rows(cr, open_cursor) -> list[dict]:
    """Return the rows of each table that this transaction would create or change.

    A row version has the id of the transaction, or of a part of it, that wrote it:
    never older than the transaction itself. What is deleted is what others still see.

    :param open_cursor: opens a cursor of another connection
    """
    cr.execute(
        "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del, n_tup_del "
        "FROM pg_stat_xact_user_tables WHERE schemaname = 'public' "
        "AND n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relname"
    )
    touched = cr.fetchall()
    with open_cursor() as others:
        # what this transaction has locked the others cannot see
        others.execute("SET lock_timeout = '500ms'")
        found = [_changes(cr, others, *table) for table in touched]
    return [change for change in found if change["rows"]]


def _changes(cr, others, table: str, count: int, deletions: int) -> dict:
    """Return what happened to one table; of one without ``id`` only how much."""
    if not has_id(cr, table) or not _is_visible(others, table):
        created = updated = deleted = set()
    else:
        written = _ids(cr, table, SQL("age(xmin) <= 0"))
        updated = _ids(others, table, SQL("id = ANY(%s)", list(written)))
        created = written - updated
        everything = SQL("TRUE")
        deleted = set()
        if deletions and is_small(cr, table):
            deleted = _ids(others, table, everything) - _ids(cr, table, everything)
        count = len(written) + len(deleted)
    rows = {"created": created, "updated": updated, "deleted": deleted}
    return {
        "table": table,
        **{how: sorted(ids)[:MOST_IDS] for how, ids in rows.items()},
        "rows": count,
    }


def _is_visible(others, table: str) -> bool:
    """Tell whether the others can look at a table: not while it is locked here."""
    # a table that is missing there is one that this transaction makes
    try:
        with (
            contextlib.suppress(UndefinedTable),
            others.savepoint(flush=False),
            mute_logger("odoo.sql_db"),
        ):
            others.execute(SQL("SELECT 1 FROM %s LIMIT 1", SQL.identifier(table)))
    except LockNotAvailable:
        return False
    return True


def is_small(cr, table: str) -> bool:
    """Tell whether all ids of a table may be compared."""
    cr.execute("SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [table])
    return cr.fetchone()[0] < MOST_COMPARED


def _ids(cr, table: str, condition: SQL) -> set[int]:
    if not has_id(cr, table):
        return set()  # the others do not have the table yet
    cr.execute(SQL("SELECT id FROM %s WHERE %s", SQL.identifier(table), condition))
    return {row for (row,) in cr.fetchall()}


def has_id(cr, table: str) -> bool:
    cr.execute(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) "
        "AND attname = 'id' AND NOT attisdropped",
        [f'public."{table}"'],
    )
    return bool(cr.rowcount)
