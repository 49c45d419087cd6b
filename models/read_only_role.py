"""The PostgreSQL role that query_database reads as, where there is one.

It logs in by itself, since a query leaves whatever role it was SET to: RESET ROLE is
also a function, ``set_config('role', 'none', false)``. It reads the tables of its own
database, column by column where some are secret, and is a member of nothing:
``pg_read_all_data`` would read ``pg_authid``, with what each role's password is checked
by, and whatever is secret here. Odoo's own role grants it what it reads; only
to make the role takes more than Odoo's role usually may.
https://www.postgresql.org/docs/current/predefined-roles.html
"""

import hashlib
import logging
import secrets
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from .exceptions import ToolError
from .kept_connections import Login, connections
from .redaction import SECRET_NAME
from .sql_mentions import BY_NAME, PARAMETERS

_logger = logging.getLogger(__name__)

SUFFIX = "_mcp_reader"

# https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
LONGEST_NAME = 63

LOCK = 0x6D637072
"""Of the transaction that grants: all workers of a server load a registry at once."""

WITHHELD = (
    "The read-only role may not read passwords, keys, tokens and secrets: name the "
    "other columns (get_db_schema), without *. What else it may not, nor may "
    "query_database. Of a column that is newer than its rights, press Renew in "
    "Settings > MCP Server > Database."
)

DOCUMENT_TOKEN = "access_token"
"""Opens one document to its customer: the role reads that anyway."""

RELATIONS = """
SELECT n.nspname, c.relname, has_table_privilege(%(role)s, c.oid, 'SELECT'),
       array_agg(a.attname::text ORDER BY a.attnum),
       array_agg(t.typcategory IN ('S', 'U') ORDER BY a.attnum),
       array_agg(has_column_privilege(%(role)s, c.oid, a.attnum, 'SELECT')
                 ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND pg_has_role(c.relowner, 'USAGE')
 GROUP BY c.oid, n.nspname, c.relname
"""
"""What Odoo's role may grant, and what the other has of it already."""

EXCESS = """
SELECT 'it may be superuser, make databases or roles, replicate, or pass row security'
  FROM pg_roles
 WHERE rolname = %(role)s
   AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
UNION ALL
SELECT 'it is a member of ' || roleid::regrole
  FROM pg_auth_members JOIN pg_roles r ON r.oid = member WHERE rolname = %(role)s
UNION ALL
(SELECT 'it may write ' || c.oid::regclass
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
   AND (has_any_column_privilege(%(role)s, c.oid, 'INSERT, UPDATE')
        OR has_table_privilege(%(role)s, c.oid, 'DELETE, TRUNCATE'))
 LIMIT 1)
"""
"""What makes a role more than one that reads. ``pg_settings`` is PUBLIC's to update."""


class Relation(NamedTuple):
    """A table, view or sequence, and what the role may read of it.

    :param whole: it may read all columns, and those that are added
    :param textual: whether a column can hold a secret
    :param granted: whether it may read the column
    """

    schema: str
    name: str
    whole: bool
    columns: list[str]
    textual: list[bool]
    granted: list[bool]

    def open_columns(self) -> list[str]:
        """Return the columns that are no secret."""
        return [
            column
            for column, textual in zip(self.columns, self.textual, strict=True)
            if not (textual and is_withheld(self.name, column))
        ]


def is_withheld(table: str, column: str) -> bool:
    """Tell whether a column holds what lets somebody in elsewhere.

    >>> is_withheld("res_users", "password"), is_withheld("res_users", "login")
    (True, False)
    >>> is_withheld("ir_config_parameter", "value"), is_withheld("ir_property", "value")
    (True, False)
    >>> is_withheld("sale_order", "access_token")
    False
    """
    if column in BY_NAME.get(table, ()) or (table, column) == (PARAMETERS, "value"):
        return True
    return column != DOCUMENT_TOKEN and bool(SECRET_NAME.search(column))


def name_for(database: str) -> str:
    """Return the name of a database's role: roles are those of all databases.

    >>> name_for("production")
    'production_mcp_reader'
    >>> len(name_for("x" * 60).encode()), name_for("x" * 60) == name_for("x" * 61)
    (63, False)
    """
    name = database + SUFFIX
    if len(name.encode()) <= LONGEST_NAME:
        return name
    end = f"_{hashlib.sha256(database.encode()).hexdigest()[:8]}{SUFFIX}"
    start = database.encode()[: LONGEST_NAME - len(end)]
    return start.decode(errors="ignore") + end


def new_login(database: str) -> Login:
    """Return a role's name with a password that nobody knows yet."""
    return Login(name_for(database), secrets.token_urlsafe(32))


def of_settings(known: dict) -> Login | None:
    """Return who reads, as the settings say; None: Odoo's own role."""
    if not known["reader_role"]:
        return None
    return Login(known["reader_role"], known["reader_password"])


@contextmanager
def cursor(database: str, login: Login):
    """Give an Odoo cursor of the role.

    :raise ToolError: it cannot log in: nobody reads as Odoo's role instead
    """
    try:
        own = connections(database, login).cursor()
    except psycopg2.Error as error:
        raise ToolError(
            f"The read-only role {login.role} cannot log in to PostgreSQL: "
            f"{str(error).strip()}\nA Settings administrator makes it anew, or does "
            "without it, in Settings > MCP Server > Database."
        ) from error
    with closing(own):
        try:
            yield own
        except ToolError as error:
            # perhaps it is the session of a role that was dropped and made anew
            denied = isinstance(error.__cause__, psycopg2.errors.InsufficientPrivilege)
            own.connection.spent = denied
            raise


def is_made(cr, role: str) -> bool:
    """Tell whether PostgreSQL has the role, and it is one of ours: from no other, as
    Odoo's own is, anything is taken."""
    if not role.endswith(SUFFIX):
        return False
    cr.execute(
        "SELECT FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
    )
    return bool(cr.rowcount)


def making(cr, login: Login) -> list[str]:
    """Return the statements that make the role, or give it the password.

    They hold what the password is checked by, not itself: they may be shown and logged.
    https://www.postgresql.org/docs/current/auth-password.html
    """
    verifier = encrypt_password(
        login.password, login.role, cr.connection, "scram-sha-256"
    )
    verb = "ALTER" if is_made(cr, login.role) else "CREATE"
    made = f"{verb} ROLE {{role}} LOGIN PASSWORD {{verifier}}"
    bound = "ALTER ROLE {role} SET default_transaction_read_only = on"
    return [
        _composed(cr, made, login.role, verifier=sql.Literal(verifier)),
        _composed(cr, bound, login.role),
    ]


def excess(cr, role: str) -> str | None:
    """Return what the role may beyond reading; None: nothing."""
    cr.execute(EXCESS, {"role": role})
    found = cr.fetchone()
    return found and found[0]


def grant(cr, role: str) -> None:
    """Let the role read what is there, and the tables that Odoo's role makes later."""
    _execute(cr, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role}", role)
    refresh(cr, role)


def refresh(cr, role: str) -> None:
    """Bring what the role may read to what is there now."""
    if not is_made(cr, role):
        return
    cr.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [LOCK])
    if not cr.fetchone()[0]:
        return  # another process is at it
    found = _relations(cr, role)
    for schema in {row.schema for row in found}:
        cr.execute("SELECT has_schema_privilege(%s, %s, 'USAGE')", [role, schema])
        if not cr.fetchone()[0]:
            name = sql.Identifier(schema)
            _execute(cr, "GRANT USAGE ON SCHEMA {name} TO {role}", role, name=name)
    whole = []
    for row in found:
        columns = row.open_columns()
        if len(columns) < len(row.columns):
            _grant_columns(cr, role, row, columns)
        elif not row.whole:
            whole.append(_identifier(row))
    if whole:
        tables = sql.SQL(", ").join(whole)
        _execute(cr, "GRANT SELECT ON {tables} TO {role}", role, tables=tables)


def _grant_columns(cr, role: str, row: Relation, columns: list[str]) -> None:
    """Let the role read these columns of a relation, and no other."""
    granted = [name for name, has in zip(row.columns, row.granted, strict=True) if has]
    if granted == columns:
        return
    table, names = _identifier(row), sql.SQL(", ").join(map(sql.Identifier, columns))
    # with the table's, the rights of its columns go, too
    _execute(cr, "REVOKE SELECT ON {table} FROM {role}", role, table=table)
    if columns:
        _execute(
            cr,
            "GRANT SELECT ({names}) ON {table} TO {role}",
            role,
            names=names,
            table=table,
        )


def forget(cr, role: str) -> bool:
    """Take from the role what was granted, and remove it.

    :return: whether there is none of ours any more: to remove it takes what it took to
        make it
    """
    if not is_made(cr, role):
        return True
    _execute(cr, "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {role}", role)
    found = _relations(cr, role)
    if tables := [_identifier(row) for row in found if row.whole or any(row.granted)]:
        tables = sql.SQL(", ").join(tables)
        _execute(cr, "REVOKE ALL ON {tables} FROM {role}", role, tables=tables)
    for schema in {row.schema for row in found}:
        name = sql.Identifier(schema)
        _execute(cr, "REVOKE ALL ON SCHEMA {name} FROM {role}", role, name=name)
    error = attempt(cr, [_composed(cr, "DROP ROLE {role}", role)])
    if error:
        _logger.info("The role %s is left, and reads nothing: %s", role, error)
    return not error


def attempt(cr, statements: list[str]) -> psycopg2.Error | None:
    """Execute what Odoo's role perhaps may not: all of it, or nothing.

    Not by Odoo's cursor, which would call it an error in the log.

    :return: why not; None: it is done
    """
    with cr.connection.cursor() as own:
        own.execute("SAVEPOINT mcp_role")
        try:
            for statement in statements:
                own.execute(statement)
        except psycopg2.DatabaseError as error:
            own.execute("ROLLBACK TO SAVEPOINT mcp_role")
            return error
    return None


def _relations(cr, role: str) -> list[Relation]:
    cr.execute(RELATIONS, {"role": role})
    return [Relation(*row) for row in cr.fetchall()]


def _identifier(row: Relation) -> sql.Identifier:
    return sql.Identifier(row.schema, row.name)


def _execute(cr, statement: str, role: str, **parts: sql.Composable) -> None:
    cr.execute(_composed(cr, statement, role, **parts))


def _composed(cr, statement: str, role: str, **parts: sql.Composable) -> str:
    composed = sql.SQL(statement).format(role=sql.Identifier(role), **parts)
    return composed.as_string(cr.connection)
