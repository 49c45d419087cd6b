"""PostgreSQL's refusals, told to whoever wrote the statement."""

import re

from psycopg2 import DatabaseError, errors

from .exceptions import ToolError
from .redaction import MASK
from .sql_mentions import BY_NAME, PARAMETERS

NO_NUL = "PostgreSQL text cannot hold NUL (\\u0000): leave it out."
NO_COMMIT = (
    "execute_sql is one transaction: leave BEGIN, COMMIT and ROLLBACK out, and what "
    "cannot run in a transaction (VACUUM, CREATE DATABASE) to psql in execute_command."
)
READ_ONLY = "query_database only reads, one statement at a time."

REMEDIES = {
    errors.ReadOnlySqlTransaction: READ_ONLY,
    errors.SerializationFailure: "Another transaction was faster. Try again.",
    errors.QueryCanceled: "Narrow the query, or look at its plan with EXPLAIN.",
    errors.LockNotAvailable: "Another transaction holds the lock. Try again.",
    errors.UndefinedTable: "get_db_schema lists the tables.",
    errors.UndefinedColumn: "get_db_schema describes the table's columns.",
}


# What PL/pgSQL cannot open as a cursor, or execute.
NO_STATEMENT = (
    errors.FeatureNotSupported,
    errors.InvalidCursorDefinition,
    errors.ActiveSqlTransaction,
    errors.InvalidTransactionTermination,
)


def tool_error(
    error: DatabaseError, wanted: str, withheld: str | None = None
) -> ToolError:
    """Return what the caller is told: message, place, hint, and what to do instead.

    :param wanted: the remedy for what is no statement of the kind that is asked for
    :param withheld: the remedy for what the role may not
    """
    diag = error.diag
    parts = [f"{diag.message_primary or error} ({error.pgcode or 'no code'})"]
    query = diag.internal_query
    position = diag.internal_position or diag.statement_position
    if query and position:
        parts[0] += " at " + place(query, int(position))
    parts += [_detail(diag), diag.message_hint and f"Hint: {diag.message_hint}"]
    if isinstance(error, NO_STATEMENT):
        parts.append(wanted)
    if isinstance(error, errors.InsufficientPrivilege):
        parts.append(withheld)
    parts += [text for kind, text in REMEDIES.items() if isinstance(error, kind)][:1]
    return ToolError("\n".join(filter(None, parts)))


def _detail(diag) -> str | None:
    """Return the detail, without the row that it quotes if that has secrets."""
    if diag.message_detail and diag.table_name in {*BY_NAME, PARAMETERS}:
        return re.sub(
            r"(?<=row contains \().*(?=\))", MASK, diag.message_detail, flags=re.S
        )
    return diag.message_detail


def place(query: str, position: int) -> str:
    r"""Return line and column of a 1-based character position, with the line.

    >>> place("SELECT 1,\n  nam FROM t", 13)
    'line 2, column 3: nam FROM t'
    """
    before = query[: position - 1]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1)
    shown = query[position - 1 :].partition("\n")[0]
    return f"line {line}, column {column}: {shown[:60]}"
