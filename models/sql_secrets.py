"""Which values of a query's result are secret.

PostgreSQL tells of a column which table's column it is, through aliases, subqueries and
CTEs; of an expression it tells nothing. So columns go by their origin, and
expressions by what the statement names. Numbers, dates and booleans are no secrets.
https://www.postgresql.org/docs/current/protocol-message-formats.html, RowDescription
"""

import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from psycopg2 import DataError

from .exceptions import ToolError
from .redaction import MASK, hidden_by_name, is_secret
from .sql_mentions import BY_NAME, PARAMETERS, Statement

SHORTEST = 6
"""Characters of a parameter's value: what is shorter is a number or a choice."""

# bool, "char", int, oid, float, date, time, timestamp, interval, bit, numeric
HARMLESS = frozenset(
    {16, 18, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 1700}
)

# json, jsonb, and arrays of them
NESTED = frozenset({114, 199, 3802, 3807})

FIRST_OF_USERS = 16384
"""PostgreSQL's FirstNormalObjectId: types from here on may be those of rows."""

REMEMBERED_SECONDS = 600

COLUMNS = """
SELECT a.attrelid, c.relkind IN ('v', 'm'), c.relname, a.attname, a.attnum
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE a.attrelid = ANY(%s) AND a.attnum > 0"""

READ_BY_VIEWS = """
SELECT r.ev_class, a.attrelid, a.attname, a.attnum
  FROM pg_rewrite r
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE r.ev_class = ANY(%s) AND d.refobjid <> r.ev_class"""

ROWS_OF = """
SELECT t.oid, c.oid
  FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
  JOIN pg_class c ON c.oid IN (t.typrelid, e.typrelid)
 WHERE t.oid = ANY(%s)"""

_known: dict[tuple[str, int], tuple[float, frozenset[int]]] = {}
"""By database and relation: when it was looked at, and its secret columns."""


class Secrets(NamedTuple):
    """What is secret in the rows of a result.

    :param columns: names of those that are secret as a whole
    :param nested: names of those of JSON, where names within say what is secret
    :param values: texts that are secret wherever they stand
    """

    columns: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def hide(self, row: dict) -> None:
        """Mask what is secret in a row."""
        for name in self.columns:
            if row[name] is not None:
                row[name] = MASK
        for name in self.nested:
            row[name] = hidden_by_name(row[name])
        for secret in self.values:
            for name, value in row.items():
                if isinstance(value, str):
                    row[name] = value.replace(secret, MASK)


def secrets_of(cursor, query: str, names: list[str]) -> Secrets:
    """Return what is secret in the rows of a query that is open on ``cursor``.

    :param names: of the result's columns, each once
    """
    described = zip(names, cursor.description, strict=True)
    texts = [(name, c) for name, c in described if c.type_code not in HARMLESS]
    if not texts:
        return Secrets()
    said = Statement(query)
    if said.explains:
        return Secrets()
    hidden, unknown, values = [], [], ()
    for name, column in texts:
        if is_secret(column.name) or (not column.table_oid and said.computes):
            hidden.append(name)
        elif column.table_oid or column.type_code >= FIRST_OF_USERS:
            unknown.append((name, column))
    if unknown or PARAMETERS in said.words:
        with cursor.connection.cursor() as other:
            hidden += _hidden_by_origin(other, unknown, anew=said.names_secrets)
            if PARAMETERS in said.words:
                values = _secret_parameters(other)
    nested = [name for name, column in texts if column.type_code in NESTED]
    return Secrets(tuple(hidden), tuple(nested), values)


def _hidden_by_origin(cursor, described: list, *, anew: bool) -> list[str]:
    """Return the names of the columns that come from secret ones, or from whole rows.

    :param anew: look, whatever is remembered
    """
    types = [c.type_code for _name, c in described if not c.table_oid]
    rows = {}
    if types:
        cursor.execute(ROWS_OF, [types])
        rows = dict(cursor.fetchall())
    wanted = {c.table_oid for _name, c in described if c.table_oid} | {*rows.values()}
    secret = _secret_columns(cursor, wanted, anew=anew)
    found = []
    for name, column in described:
        relation = column.table_oid or rows.get(column.type_code)
        hidden = secret.get(relation, frozenset())
        whole = not column.table_oid or not column.table_column
        if hidden if whole else column.table_column in hidden:
            found.append(name)
    return found


def _secret_columns(cursor, relations: Iterable[int], *, anew: bool) -> dict:
    """Return the numbers of the secret columns of each relation.

    Of a view those that have not the name of a harmless column that it reads, if it
    reads a secret one.
    """
    database, now = cursor.connection.info.dbname, time.monotonic()
    known = {oid: _known.get((database, oid)) for oid in relations}
    missing = [
        oid
        for oid, row in known.items()
        if anew or row is None or row[0] < now - REMEMBERED_SECONDS
    ]
    if missing:
        for oid, numbers in _look_up(cursor, missing).items():
            known[oid] = _known[database, oid] = now, numbers
    return {oid: row[1] for oid, row in known.items() if row}


def _look_up(cursor, relations: list[int]) -> dict[int, frozenset[int]]:
    cursor.execute(COLUMNS, [relations])
    columns = cursor.fetchall()
    found = {oid: set() for oid in relations}
    views = {oid for oid, is_view, *_rest in columns if is_view}
    harmless = _read_beside_secrets(cursor, views) if views else {}
    for oid, is_view, table, name, number in columns:
        named = is_secret(name) or name in BY_NAME.get(table, ())
        if named or (is_view and name not in harmless.get(oid, {name})):
            found[oid].add(number)
    return {oid: frozenset(numbers) for oid, numbers in found.items()}


def _read_beside_secrets(cursor, views: set[int]) -> dict[int, set[str]]:
    """Return the names of the harmless columns that views read which read secret ones,
    themselves or through other views."""
    cursor.execute(READ_BY_VIEWS, [[*views]])
    read = cursor.fetchall()
    below = {relation for _view, relation, _name, _number in read}
    secret = _look_up(cursor, [*below]) if below else {}
    hurt = {view for view, relation, _n, number in read if number in secret[relation]}
    found: dict[int, set[str]] = {view: set() for view in hurt}
    for view, relation, name, number in read:
        if view in hurt and number not in secret[relation]:
            found[view].add(name)
    return found


def _secret_parameters(cursor) -> tuple[str, ...]:
    """Return the values of Odoo's parameters that are secret, the longest first.

    None where they cannot be read: then the query cannot, either.
    """
    cursor.execute(
        "SELECT has_column_privilege(to_regclass(%s), 'value', 'SELECT')", [PARAMETERS]
    )
    if not cursor.fetchone()[0]:
        return ()
    cursor.execute(
        f"SELECT key, value FROM {PARAMETERS} WHERE length(value) >= %s",
        [SHORTEST],
    )
    values = {value for key, value in cursor.fetchall() if is_secret(key)}
    return tuple(sorted(values, key=len, reverse=True))


def check_quiet(error: DataError, query: str) -> None:
    """Keep a value to itself that PostgreSQL quotes, if it may be secret.

    :raise ToolError: it may be
    """
    said = Statement(query)
    if said.names_secrets or said.tables or PARAMETERS in said.words:
        text = re.sub(r'"[^"]*"', f'"{MASK}"', error.diag.message_primary or "")
        raise ToolError(
            f"{text} ({error.pgcode}). The statement names what is secret."
        ) from error
