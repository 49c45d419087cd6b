"""Indexes that PostgreSQL only imagines, for its plans: the extension hypopg.

https://hypopg.readthedocs.io/en/rel1_stable/usage.html
"""

import contextlib
import re
from collections.abc import Iterator

from psycopg2 import sql

from .exceptions import ArgumentError, ToolError
from .nearest import nearest

FORM = re.compile(r"\s*(?P<table>[\w.]+)\s*\((?P<columns>[\w\s,]+)\)\s*")

ABSENT = (
    "Hypothetical indexes need the extension hypopg, which this database has not: a "
    "PostgreSQL superuser installs the package postgresql-<version>-hypopg and runs "
    "CREATE EXTENSION hypopg. Without it: CREATE INDEX on a copy of the database."
)


def require(cursor) -> None:
    """Refuse where PostgreSQL cannot imagine any.

    :raise ToolError: the extension is not there
    """
    cursor.execute("SELECT FROM pg_extension WHERE extname = 'hypopg'")
    if not cursor.rowcount:
        raise ToolError(ABSENT)


@contextlib.contextmanager
def imagined(cursor, wanted: list[str], tables: dict[str, str]) -> Iterator[list[str]]:
    """Have these indexes for the plans within; give the names that plans call them by.

    They belong to the session, whose connection is kept: none is left in it.

    :param wanted: each as ``table(column, …)``
    :param tables: of Odoo's models, by their names
    :raise ToolError: there is no such table or column
    """
    statements = [_statement(cursor, text, tables) for text in wanted]
    cursor.execute("SAVEPOINT mcp_imagined")
    try:
        names = []
        for statement in statements:
            cursor.execute("SELECT indexname FROM hypopg_create_index(%s)", [statement])
            names.append(cursor.fetchone()[0])
        yield names
    finally:
        if not cursor.connection.closed:
            cursor.execute("ROLLBACK TO SAVEPOINT mcp_imagined; SELECT hypopg_reset()")


def _statement(cursor, text: str, tables: dict[str, str]) -> str:
    match = FORM.fullmatch(text)
    if not match:
        raise ArgumentError(
            f"Argument 'indexes': expected table(column, …), got {text[:60]!r}."
        )
    table = tables.get(match["table"], match["table"])
    cursor.execute(
        "SELECT relname::text FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = relnamespace WHERE nspname = 'public' AND relkind IN ('r', 'p')"
    )
    known = {name for (name,) in cursor.fetchall()}
    if table not in known:
        raise ToolError(f"There is no table {table!r}.{nearest(table, known)}")
    names = [name.strip() for name in match["columns"].split(",")]
    cursor.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s) "
        "AND attnum > 0 AND NOT attisdropped",
        [f'public."{table}"'],
    )
    columns = {name for (name,) in cursor.fetchall()}
    for name in names:
        if name not in columns:
            said = nearest(name, columns)
            raise ToolError(f"The table {table} has no column {name!r}.{said}")
    composed = sql.SQL("CREATE INDEX ON {} ({})").format(
        sql.Identifier("public", table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    return composed.as_string(cursor.connection)
