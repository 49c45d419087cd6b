from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2

from odoo import models

from . import read_only_role, sql_schema, sql_writer
from .exceptions import ToolError
from .live_call import live
from .own_grants import kept_grants
from .parameters import parameter, settings, time_left
from .sql_reader import OPEN_FUNCTION, fetch, read_only
from .sql_writer import writing
from .stored_functions import define
from .tool_signature import tool

if TYPE_CHECKING:
    from .kept_connections import Login
    from .schemas.common import Name, Value
    from .schemas.database import (
        DryRun,
        Params,
        Query,
        QueryResult,
        RowLimit,
        SchemaAction,
        SchemaName,
        SchemaResult,
        SqlResult,
        Statement,
        TableName,
        TableSearch,
    )

_logger = logging.getLogger(__name__)


class McpToolsetDatabase(models.AbstractModel):
    """The database as PostgreSQL has it."""

    _name = "mcp.toolset.database"
    _description = "MCP Toolset Database"

    def init(self):
        define(self.env.cr, "mcp_query_open", OPEN_FUNCTION)

    def _register_hook(self):
        """Let the read-only role read what an installation has brought: there, of a
        table with secrets, each column."""
        super()._register_hook()
        cr, role = self.env.cr, parameter(self.env, "reader_role")
        if not role:
            return
        try:
            with cr.savepoint(flush=False):
                read_only_role.refresh(cr, role)
        except psycopg2.Error as error:
            # no reason not to serve: it reads what it did
            _logger.warning("The rights of %s are as before: %s", role, error)

    @tool(types=".schemas.database", timed=True, foreign=True)
    def query_database(
        self, query: Query, params: Params = None, limit: RowLimit = 1000
    ) -> QueryResult:
        """Return the rows of a query. Nothing can be changed by it.

        :raise ToolError: PostgreSQL's message, the place and a remedy
        """
        from .schemas.database import QueryResult

        started = time.monotonic()
        known = settings(self.env)
        timeout = time_left(self.env, known["query_timeout"])
        login = read_only_role.of_settings(known)
        withheld = read_only_role.WITHHELD if login else None
        with (
            self._own_cursor(login) as cr,
            read_only(cr, timeout, withheld) as cursor,
            self._stoppable(cr) as call,
        ):
            found = fetch(
                cursor,
                query,
                params or [],
                min(limit, known["query_rows"]),
                known["query_bytes"],
                started + timeout,
                call,
            )
        return QueryResult(
            columns=found.columns,
            rows=found.rows,
            row_count=len(found.rows),
            truncated=found.truncated,
            duration_ms=round((time.monotonic() - started) * 1000),
        )

    @contextmanager
    def _stoppable(self, cr):
        """Give the call, whose end ends what PostgreSQL runs for it, too.

        https://www.postgresql.org/docs/current/libpq-cancel.html
        """
        call = live(self.env)
        with call.stopping(cr.connection.cancel):
            try:
                yield call
            except psycopg2.errors.QueryCanceled:
                call.check()
                raise
        call.check()

    @contextmanager
    def _own_cursor(self, login: Login | None):
        """Give a cursor that no one else works on, for it is rolled back.

        A call's transaction is the call's own; anybody else's is left alone.

        :param login: who reads; None: Odoo's own role
        """
        if login:
            with read_only_role.cursor(self.env.cr.dbname, login) as cr:
                yield cr
        elif self.env.context.get("mcp_call"):
            yield self.env.cr
        else:
            with self.env.registry.cursor() as cr:
                yield cr

    @tool(types=".schemas.database", writes=True, timed=True, foreign=True)
    def execute_sql(
        self,
        statement: Statement,
        params: Params = None,
        dry_run: DryRun = False,
        limit: RowLimit = 100,
    ) -> SqlResult:
        """Run SQL that may write; all of it is committed, or nothing.

        :raise ToolError: PostgreSQL's message, the place and a remedy
        """
        from .schemas.database import SqlResult

        started = time.monotonic()
        timeout = time_left(self.env, parameter(self.env, "query_timeout"))
        with (
            self._savepoint(dry_run),
            writing(self.env.cr, timeout) as cursor,
            kept_grants(self.env),
            self._stoppable(self.env.cr) as call,
        ):
            written = sql_writer.run(
                cursor,
                statement,
                params or [],
                min(limit, parameter(self.env, "query_rows")),
                parameter(self.env, "query_bytes"),
                started + timeout,
                call,
            )
            warnings = self._registry_warnings(cursor)
        self.env.invalidate_all(flush=False)
        if not dry_run:
            # what Odoo keeps of access rules, settings and the like may have changed
            self.env.registry.clear_all_caches()
        affected = sum(row["affected_rows"] for row in written.statements)
        rows = {}
        if written.rows:
            rows = {
                "columns": written.rows.columns,
                "rows": written.rows.rows,
                "row_count": len(written.rows.rows),
                "truncated": written.rows.truncated,
            }
        return SqlResult(
            affected_rows=affected,
            status_message=f"OK {affected}",
            statements=written.statements,
            **rows,
            dry_run=dry_run,
            warnings=warnings,
            duration_ms=round((time.monotonic() - started) * 1000),
        )

    @contextmanager
    def _savepoint(self, dry_run: bool):
        """Roll back what a dry run does, and nothing that was done before it."""
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False) if dry_run else None
        yield
        if savepoint:
            savepoint.close(rollback=True)

    def _registry_warnings(self, cursor) -> list[str]:
        """Tell what Odoo does not know of the schema any more."""
        models = sql_schema.models_by_table(self.env.registry)
        warnings = [
            f"{table}: columns of {models[table]} changed behind Odoo's back. Put them "
            "into the module's Python and upgrade_module, or its fields and this table "
            "differ."
            for table in sql_writer.changed_columns(cursor)
            if table in models
        ]
        if gone := sql_writer.missing_tables(cursor, list(models)):
            warnings.append(
                f"Odoo needs the tables {', '.join(gone)}: upgrade_module of the "
                "module that defines them makes them again."
            )
        return warnings

    @tool(types=".schemas.database")
    def get_db_schema(
        self,
        action: SchemaAction,
        table_name: TableName = None,
        schema_name: SchemaName = "public",
        search: TableSearch = None,
    ) -> SchemaResult:
        """Tell the tables, or what a table consists of.

        :raise ToolError: there is no such table; the nearest names
        """
        from .schemas.database import SchemaResult

        cr = self.env.cr
        if action == "list_tables":
            tables = sql_schema.list_tables(cr, schema_name, search)
            return SchemaResult(tables=tables)
        if not table_name:
            raise ToolError(
                f"{action} needs table_name: action 'list_tables' lists them."
            )
        if table_name in self.env:
            table_name = self.env[table_name]._table
        table_name, table = sql_schema.find_table(cr, schema_name, table_name)
        if action == "list_indexes":
            rows = {"indexes": sql_schema.list_indexes(cr, table)}
        elif action == "list_constraints":
            rows = {"constraints": sql_schema.list_constraints(cr, table)}
        else:
            columns = sql_schema.list_columns(cr, table)
            rows = {
                "models": self._models_of(table_name),
                "columns": columns,
                "column_count": len(columns),
            }
        return SchemaResult(table_name=table_name, **rows)

    @tool(types=".schemas.database")
    def read_schema(self, table: Value) -> SchemaResult:
        """Describe a table, for ``odoo://schema/{table}``."""
        return self.get_db_schema("describe_table", table)

    @tool(types=".schemas.database")
    def complete_table(self, name: Name, value: Value) -> list[str]:
        """Return the tables whose names begin with what was typed."""
        tables = sql_schema.list_tables(self.env.cr, "public", value)
        names = [row["table_name"] for row in tables]
        return [table for table in names if table.startswith(value)]

    def _models_of(self, table: str) -> list[str]:
        return sorted(
            name
            for name, model in self.env.registry.items()
            if model._table == table and not model._abstract
        )
