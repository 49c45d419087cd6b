from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from odoo import models

from . import sql_schema
from .exceptions import ToolError
from .parameters import parameter
from .sql_reader import fetch, read_only
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.database import (
        Params,
        Query,
        QueryResult,
        RowLimit,
        SchemaAction,
        SchemaName,
        SchemaResult,
        TableName,
        TableSearch,
    )


class McpToolsetDatabase(models.AbstractModel):
    """The database as PostgreSQL has it."""

    _name = "mcp.toolset.database"
    _description = "MCP Toolset Database"

    @tool(types=".schemas.database")
    def query_database(
        self, query: Query, params: Params = None, limit: RowLimit = 1000
    ) -> QueryResult:
        """Return the rows of a query. Nothing can be changed by it.

        :raise ToolError: PostgreSQL's message, the place and a remedy
        """
        from .schemas.database import QueryResult

        started = time.monotonic()
        timeout = min(
            self.env.context.get("mcp_timeout") or float("inf"),
            parameter(self.env, "query_timeout"),
        )
        with self._own_cursor() as cr, read_only(cr, timeout) as cursor:
            columns, rows, truncated = fetch(
                cursor,
                query,
                params or [],
                min(limit, parameter(self.env, "query_rows")),
                parameter(self.env, "query_bytes"),
                started + timeout,
            )
        return QueryResult(
            columns=columns,
            rows=rows,
            row_count=len(rows),
            truncated=truncated,
            duration_ms=round((time.monotonic() - started) * 1000),
        )

    @contextmanager
    def _own_cursor(self):
        """Give a cursor that no one else works on, for it is rolled back.

        A call's transaction is the call's own; anybody else's is left alone.
        """
        if self.env.context.get("mcp_call"):
            yield self.env.cr
        else:
            with self.env.registry.cursor() as cr:
                yield cr

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

    def _models_of(self, table: str) -> list[str]:
        return sorted(
            name
            for name, model in self.env.registry.items()
            if model._table == table and not model._abstract
        )
