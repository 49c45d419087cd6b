"""Read SQL as PostgreSQL understands it, and nothing but read.

The statement is handed over as a value and opened as a cursor by PL/pgSQL, in a READ
ONLY transaction that is always rolled back: what is more than one statement, or
no query, PostgreSQL itself refuses. No text is looked at to decide it.
https://www.postgresql.org/docs/current/plpgsql-cursors.html#PLPGSQL-CURSOR-OPENING
"""

import json
import re
import time
from contextlib import contextmanager
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import (
    ISOLATION_LEVEL_REPEATABLE_READ,
    STATUS_READY,
    TRANSACTION_STATUS_IDLE,
)

from . import sql_functions
from .exceptions import ToolError
from .kept_connections import KeptConnection
from .live_call import LiveCall
from .sql_errors import NO_NUL, READ_ONLY, tool_error
from .sql_lexer import tokens
from .sql_secrets import check_quiet, secrets_of
from .sql_session import ends_with_client
from .sql_values import PLAIN, register_types, shortened, size, to_json

OPEN_FUNCTION = """
CREATE FUNCTION mcp_query_open(name refcursor, query text)
RETURNS refcursor LANGUAGE plpgsql AS $$
BEGIN
    OPEN name FOR EXECUTE query;
    RETURN name;
END $$
"""
"""Kept in the database: a DO block would be compiled with each query."""

OPEN = "SELECT mcp_query_open('mcp_result', %s)"

EXPLAIN = """
SAVEPOINT mcp_plan;
SELECT mcp_query_open('mcp_plan', 'EXPLAIN (VERBOSE, COSTS OFF) ' || %s);
FETCH ALL FROM mcp_plan"""

# https://www.postgresql.org/docs/current/sql-explain.html
LEGACY_OPTIONS = frozenset({"analyze", "analyse", "verbose"})
OPTIONS = LEGACY_OPTIONS | {
    *("buffers", "costs", "format", "generic_plan", "memory", "serialize", "settings"),
    *("summary", "timing", "wal"),
}

FIRST_CHUNK, CHUNK = 2, 500
"""Rows that are fetched at first, to know their size, and then at most: what is over
the byte cap stays in PostgreSQL."""

LEAST_BYTES = 10_000
"""A single row up to this size is told whole, however low the cap."""


TOO_DEEP = "JSON in it is nested too deep to be told: select a part of it (-> or #>)."

UNLOCK = b"SELECT pg_advisory_unlock_all();"
"""A lock of the session outlives a transaction, and its connection is kept."""


class Rows(NamedTuple):
    """What a query returned.

    :param columns: their names, each once
    :param truncated: something is left out of ``rows``
    :param fetched: how many rows PostgreSQL has handed over
    """

    columns: list[str]
    rows: list[dict]
    truncated: bool
    fetched: int


@contextmanager
def read_only(cr, timeout: float, withheld: str | None = None):
    """Give a psycopg2 cursor in a READ ONLY transaction, rolled back at the end.

    :param cr: an Odoo cursor that belongs to this call alone
    :param timeout: seconds that each statement may take
    :param withheld: the remedy for what its role may not
    :raise ToolError: what PostgreSQL said to the statement
    """
    connection = cr.connection
    milliseconds = str(round(timeout * 1000))
    begin = ""
    # else it has begun, and is a test's
    if own := connection.status == STATUS_READY:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT")
        connection.autocommit = True
    else:
        cr.execute("SET TRANSACTION READ ONLY")
    try:
        with connection.cursor() as cursor:
            settings = cursor.mogrify(
                f"{begin} SELECT set_config('statement_timeout', %s, true),"
                " set_config('lock_timeout', %s, true),"
                # the rule by which sql_lexer tells strings from code
                " set_config('standard_conforming_strings', 'on', true),"
                " set_config('idle_in_transaction_session_timeout', %s, true)"
                + ends_with_client(connection)
                + ";",
                [milliseconds, milliseconds, str(round(timeout * 2000))],
            )
            later(cursor, settings)
            yield cursor
    except psycopg2.DatabaseError as error:
        raise tool_error(error, READ_ONLY, withheld) from error
    finally:
        if not connection.closed:
            if own:
                _roll_back(connection)
                connection.autocommit = False
                connection.set_session(
                    isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True
                )
            cr.rollback()
            if not own and isinstance(connection, KeptConnection):
                connection.first += UNLOCK


def later(cursor, statements: bytes) -> None:
    """Execute statements that return nothing of interest, if possible together with the
    next one."""
    connection = cursor.connection
    if isinstance(connection, KeptConnection) and connection.autocommit:
        connection.first += statements
    else:
        cursor.execute(statements)


def _roll_back(connection) -> None:
    if connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
        if isinstance(connection, KeptConnection):
            connection.first = b""  # nothing was begun
        return
    with connection.cursor() as cursor:
        later(cursor, b"ROLLBACK;" + UNLOCK)


def fetch(
    cursor,
    query: str,
    params: list,
    limit: int,
    most_bytes: int,
    end: float,
    call: LiveCall,
) -> Rows:
    """Run a query and return its columns and as many rows as the caps allow.

    :param params: values for the placeholders; none: the text is taken as it is
    :param end: monotonic time after which no further rows are fetched
    :param call: it hears how many rows there are, and may stop the query
    """
    text = bind(cursor, query, params)
    if not _check_functions(cursor, text):
        # opened, PostgreSQL says best why it does not like it
        cursor.execute(OPEN, [text])
        if first_word(text) != "show":
            raise ToolError(READ_ONLY)
        return collect(cursor, text, limit, most_bytes, end, call)
    later(cursor, cursor.mogrify(f"{OPEN};", [text]))
    return collect(cursor, text, limit, most_bytes, end, call)


def collect(
    cursor, query: str, limit: int, most_bytes: int, end: float, call: LiveCall
) -> Rows:
    """Fetch from the cursor ``mcp_result`` as much as the caps allow.

    :param query: the statement that it is open for
    """
    register_types(cursor)
    rows, used, fetched, chunk = [], 0, 0, FIRST_CHUNK
    secrets = None
    while True:
        wanted = min(chunk, limit + 1 - len(rows))
        found = _fetched(cursor, query, wanted)
        if secrets is None:
            columns = unique([column.name for column in cursor.description])
            secrets = secrets_of(cursor, query, columns)
            hiding = any(secrets)
        fetched += len(found)
        for values in found:
            if len(rows) == limit:
                return Rows(columns, rows, True, fetched)
            row = {
                name: value if type(value) in PLAIN else to_json(value)
                for name, value in zip(columns, values, strict=True)
            }
            if hiding:
                secrets.hide(row)
            used += size(row)
            if used > most_bytes and rows:
                return Rows(columns, rows, True, fetched)
            if used > max(most_bytes, LEAST_BYTES):
                row = shortened(row, most_bytes)
                return Rows(columns, [row], True, fetched)
            rows.append(row)
        if len(found) < wanted:
            return Rows(columns, rows, False, fetched)
        if time.monotonic() > end:
            return Rows(columns, rows, True, fetched)
        call.check()
        call.report(len(rows), None, f"{len(rows)} rows")
        chunk = max(1, min(CHUNK, (most_bytes - used) * len(rows) // (used or 1)))


def _fetched(cursor, query: str, wanted: int) -> list[tuple]:
    try:
        cursor.execute(f"FETCH FORWARD {wanted} FROM mcp_result")
    except psycopg2.DataError as error:
        check_quiet(error, query)
        raise
    try:
        return cursor.fetchall()
    except RecursionError as error:
        raise ToolError(TOO_DEEP) from error


def bind(cursor, query: str, params: list) -> str:
    """Return the query with its parameters in place, quoted by psycopg2.

    :raise ToolError: they do not fit, or hold what PostgreSQL cannot
    """
    if "\0" in query:
        raise ToolError(NO_NUL)
    if not params:
        return query
    try:
        if "s" not in re.findall(r"%(.)", query, re.DOTALL):
            raise ValueError("there is no %s")
        return cursor.mogrify(query, adapted(params)).decode()
    except (IndexError, TypeError, ValueError) as error:
        raise ToolError(
            f"The query and its {len(params)} params do not fit: {error}. Write one "
            "%s for each value, and a literal % as %%."
        ) from error


def adapted(value):
    """Return a parameter as psycopg2 takes it: JSON objects as their text."""
    if isinstance(value, list):
        return [adapted(item) for item in value]
    return json.dumps(value) if isinstance(value, dict) else value


def _check_functions(cursor, text: str) -> bool:
    """Refuse functions that act; tell whether PostgreSQL could plan the statement.

    EXPLAIN ANALYZE runs what it explains, so that is what is looked at. A statement
    without a plan is left to be refused when it is opened, which runs nothing yet.
    """
    statement = explained(text)
    if statement != text and makes_table(statement):
        raise ToolError(READ_ONLY)  # in vain, but PostgreSQL would run it
    if not sql_functions.may_call(text):
        return True
    sql_functions.check_calls(text)
    try:
        cursor.execute(EXPLAIN, [statement])
    except psycopg2.DatabaseError:
        cursor.execute("ROLLBACK TO SAVEPOINT mcp_plan")
        return False
    sql_functions.check_calls("\n".join(line for (line,) in cursor.fetchall()))
    return True


def first_word(sql: str) -> str | None:
    r"""Return the keyword that a statement begins with, in lower case.

    >>> first_word("/* /* */ SHOW */ -- EXPLAIN\nSelect 1")
    'select'
    """
    return next((token.name for token in tokens(sql)), None)


def makes_table(sql: str) -> bool:
    """Tell whether a statement makes a table of what it selects.

    INTO is a reserved word: as a name it is quoted.

    >>> makes_table("CREATE TABLE a AS SELECT 1"), makes_table("SELECT 1 INTO a")
    (True, True)
    >>> makes_table("INSERT INTO a SELECT 1"), makes_table('SELECT "into" FROM a')
    (False, False)
    """
    before = first_word(sql)
    if before == "create":
        return True
    for token in tokens(sql):
        word = token.name if token.kind == "word" else None
        if word == "into" and before not in ("insert", "merge"):
            return True
        before = word
    return False


def explained(sql: str) -> str:
    """Return the statement that an EXPLAIN is about; any other one as it is.

    >>> explained("EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1")
    'SELECT 1'
    >>> explained("EXPLAIN ANALYZE VERBOSE (SELECT 1)")
    '(SELECT 1)'
    >>> explained("SELECT 1")
    'SELECT 1'
    """
    if first_word(sql) != "explain":
        return sql
    found = tokens(sql)
    next(found)
    token = next(found, None)
    if token and token.text == "(" and first_word(sql[token.start + 1 :]) in OPTIONS:
        while token and token.text != ")":
            token = next(found, None)
        token = next(found, None)
    while token and token.name in LEGACY_OPTIONS:
        token = next(found, None)
    return sql[token.start :] if token else ""


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
