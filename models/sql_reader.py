"""Read SQL as PostgreSQL understands it, and nothing but read.

The statement is handed over as a setting and opened as a cursor by PL/pgSQL, in a
READ ONLY transaction that is always rolled back: what is more than one statement, or
no query, PostgreSQL itself refuses. No text is looked at to decide it.
https://www.postgresql.org/docs/current/plpgsql-cursors.html#PLPGSQL-CURSOR-OPENING
"""

import json
import re
import time
from contextlib import contextmanager

import psycopg2

from . import sql_functions
from .exceptions import ToolError
from .sql_errors import READ_ONLY, tool_error
from .sql_values import register_types, size, to_json

OPEN = """
DO $$ DECLARE c refcursor := 'mcp_result';
BEGIN OPEN c FOR EXECUTE current_setting('mcp.query'); END $$"""

EXPLAIN = """
DO $$ DECLARE c refcursor := 'mcp_plan';
BEGIN OPEN c FOR EXECUTE
    'EXPLAIN (VERBOSE, COSTS OFF) ' || current_setting('mcp.plan'); END $$"""

BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
LEADING_SHOW = re.compile(BLANK + r"SHOW\b", re.I | re.S)
LEADING_EXPLAIN = re.compile(
    BLANK + r"EXPLAIN\b\s*(?:\([^()]*\)|(?:(?:ANALYZE|ANALYSE|VERBOSE)\b\s*)*)",
    re.I | re.S,
)

CHUNK = 500
"""Rows that are fetched at once: what is over the byte cap stays in PostgreSQL."""


@contextmanager
def read_only(cr, timeout: float):
    """Give a psycopg2 cursor in a READ ONLY transaction, rolled back at the end.

    :param cr: an Odoo cursor that belongs to this call alone
    :param timeout: seconds that each statement may take
    :raise ToolError: what PostgreSQL said to the statement
    """
    milliseconds = str(round(timeout * 1000))
    cr.execute("SET TRANSACTION READ ONLY")
    try:
        with cr.connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true),"
                " set_config('lock_timeout', %s, true),"
                " set_config('idle_in_transaction_session_timeout', %s, true)",
                [milliseconds, milliseconds, str(round(timeout * 2000))],
            )
            yield cursor
    except psycopg2.DatabaseError as error:
        raise tool_error(error) from error
    finally:
        if not cr.connection.closed:
            cr.rollback()


def fetch(cursor, query: str, params: list, limit: int, most_bytes: int, end: float):
    """Run a query and return its columns and as many rows as the caps allow.

    :param params: values for the placeholders; none: the text is taken as it is
    :param end: monotonic time after which no further rows are fetched
    :return: names of the columns, rows as dicts, whether there are more
    """
    text = bind(cursor, query, params)
    planned = "(" not in text or _check_functions(cursor, text)
    cursor.execute("SELECT set_config('mcp.query', %s, true)", [text])
    cursor.execute(OPEN)
    if not planned and not LEADING_SHOW.match(text):
        raise ToolError(READ_ONLY)
    register_types(cursor)
    rows, used, columns = [], 0, []
    while True:
        wanted = min(CHUNK, limit + 1 - len(rows))
        cursor.execute(f"FETCH FORWARD {wanted} FROM mcp_result")
        columns = unique([column.name for column in cursor.description])
        found = cursor.fetchall()
        for row in found:
            row = dict(zip(columns, map(to_json, row), strict=True))
            used += size(row)
            if len(rows) == limit or (used > most_bytes and rows):
                return columns, rows, True
            rows.append(row)
        if len(found) < wanted:
            return columns, rows, False
        if time.monotonic() > end:
            return columns, rows, True


def bind(cursor, query: str, params: list) -> str:
    """Return the query with its parameters in place, quoted by psycopg2.

    :raise ToolError: they do not fit, or hold what PostgreSQL cannot
    """
    if "\0" in query:
        raise ToolError("PostgreSQL text cannot hold NUL (\\u0000): leave it out.")
    if not params:
        return query
    params = [
        json.dumps(value) if isinstance(value, dict) else value for value in params
    ]
    try:
        return cursor.mogrify(query, params).decode()
    except (IndexError, TypeError, ValueError) as error:
        raise ToolError(
            f"The query and its {len(params)} params do not fit: {error}. Write one "
            "%s for each value, and a literal % as %%."
        ) from error


def _check_functions(cursor, text: str) -> bool:
    """Refuse functions that act; tell whether there was a plan to look at.

    EXPLAIN ANALYZE runs what it explains, so that is what is looked at. A statement
    without a plan is left to be refused when it is opened, which runs nothing yet.
    """
    explain = LEADING_EXPLAIN.match(text)
    statement = text[explain.end() :] if explain else text
    cursor.execute(
        "SAVEPOINT mcp_plan; SELECT set_config('mcp.plan', %s, true)", [statement]
    )
    try:
        cursor.execute(EXPLAIN)
        cursor.execute("FETCH ALL FROM mcp_plan")
    except psycopg2.DatabaseError:
        cursor.execute("ROLLBACK TO SAVEPOINT mcp_plan")
        return False
    sql_functions.check_plan("\n".join(line for (line,) in cursor.fetchall()))
    return True


def unique(names: list[str]) -> list[str]:
    """Return the names with repeated ones numbered, so that no value is lost.

    >>> unique(["id", "name", "id"])
    ['id', 'name', 'id_2']
    """
    found: list[str] = []
    for name in names:
        number, candidate = 1, name
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found
