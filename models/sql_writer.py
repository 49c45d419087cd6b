"""Run SQL that may write: one statement or several, all or nothing.

Each statement goes through PL/pgSQL, as a cursor where it returns rows, else by
EXECUTE: PostgreSQL itself refuses there whatever would end the transaction.
https://www.postgresql.org/docs/current/plpgsql-statements.html#PLPGSQL-STATEMENTS-EXECUTING-DYN
"""

import time
from contextlib import contextmanager
from typing import NamedTuple

import psycopg2
from psycopg2 import errors

from .exceptions import ToolError
from .live_call import LiveCall
from .sql_errors import NO_COMMIT, tool_error
from .sql_lexer import statements
from .sql_reader import OPEN, Rows, bind, collect, first_word
from .sql_session import ends_with_client

EXECUTE = """
SELECT set_config('mcp.query', %s, true);
DO $$ DECLARE n bigint;
BEGIN
    EXECUTE current_setting('mcp.query');
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM set_config('mcp.affected', n::text, true);
END $$"""

READING = frozenset({"select", "table", "values", "show", "explain"})


class Written(NamedTuple):
    """What the statements did.

    :param statements: ``command`` and ``affected_rows`` of each, in order
    :param rows: of the last one that returned any; None: none did
    """

    statements: list[dict]
    rows: Rows | None


@contextmanager
def writing(cr, timeout: float):
    """Give a psycopg2 cursor on the transaction of ``cr``, with time-outs set.

    :param timeout: seconds that each statement may take, or wait for a lock
    :raise ToolError: what PostgreSQL said to a statement
    """
    milliseconds = str(round(timeout * 1000))
    cr.execute(
        "SELECT set_config('statement_timeout', %s, true),"
        " set_config('lock_timeout', %s, true),"
        # the rule by which sql_lexer tells strings from code
        " set_config('standard_conforming_strings', 'on', true)"
        + ends_with_client(cr.connection),
        [milliseconds, milliseconds],
    )
    try:
        with cr.connection.cursor() as cursor:
            yield cursor
    except psycopg2.DatabaseError as error:
        raise tool_error(error, NO_COMMIT) from error


def run(
    cursor,
    text: str,
    params: list,
    limit: int,
    most_bytes: int,
    end: float,
    call: LiveCall,
) -> Written:
    """Run the statements in order.

    :param end: monotonic time when all of them must have ended
    :param call: it hears how many are done, and may stop them
    :raise ToolError: there is no statement, or no time is left
    """
    done, rows = [], None
    found = list(statements(bind(cursor, text, params)))
    for number, statement in enumerate(found):
        call.check()
        call.report(number, len(found), f"statement {number + 1} of {len(found)}")
        left = round((end - time.monotonic()) * 1000)
        if left <= 0:
            raise ToolError("The statements together took too long; nothing is kept.")
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(left)])
        word = first_word(statement) or ""
        if _open(cursor, statement):
            rows = collect(cursor, statement, limit, most_bytes, end, call)
            affected = rows.fetched
            if rows.truncated and word not in READING:
                cursor.execute("MOVE FORWARD ALL FROM mcp_result")
                affected += cursor.rowcount
            cursor.execute("CLOSE mcp_result")
        else:
            cursor.execute(EXECUTE, [statement])
            cursor.execute("SELECT current_setting('mcp.affected')::bigint")
            (affected,) = cursor.fetchone()
        done.append({"command": word.upper(), "affected_rows": affected})
    if not done:
        raise ToolError("There is no SQL statement to run.")
    # the connection goes back to Odoo's pool: nothing of the session may stay with it
    cursor.execute(
        "DISCARD TEMP; SELECT pg_advisory_unlock_all(); UNLISTEN *; DEALLOCATE ALL"
    )
    return Written(done, rows)


def _open(cursor, statement: str) -> bool:
    """Open a statement as the cursor ``mcp_result``, if it is one that returns rows.

    What is none is refused before anything of it runs.
    """
    cursor.execute("SAVEPOINT mcp_statement")
    try:
        cursor.execute(OPEN, [statement])
    except errors.InvalidCursorDefinition:
        cursor.execute("ROLLBACK TO SAVEPOINT mcp_statement")
        return False
    cursor.execute("RELEASE SAVEPOINT mcp_statement")
    return True


def changed_columns(cursor) -> list[str]:
    """Return the tables that this transaction has created or whose columns it changed.

    A catalog row says which transaction, or part of one, wrote it.
    """
    cursor.execute(
        "SELECT DISTINCT attrelid::regclass::text FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE age(a.xmin) <= 0 AND attnum > 0 AND relkind IN ('r', 'p', 'v', 'm') "
        "ORDER BY 1"
    )
    return [name for (name,) in cursor.fetchall()]


def missing_tables(cursor, names: list[str]) -> list[str]:
    """Return those of ``names`` that are no table or view any more."""
    cursor.execute(
        "SELECT name FROM unnest(%s) name WHERE to_regclass(quote_ident(name)) IS NULL",
        [sorted(names)],
    )
    return [name for (name,) in cursor.fetchall()]
