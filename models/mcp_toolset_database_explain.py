from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg2 import errors

from odoo import models

from . import (
    hypothetical_indexes,
    plan_findings,
    plan_indexes,
    plan_tree,
    read_only_role,
)
from .exceptions import ArgumentError, ToolError
from .guardrails import guardrails
from .parameters import settings, time_left
from .sql_reader import explained, fetch, read_only
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.database import (
        Analyze,
        Explained,
        ExplainedParams,
        Explanation,
        ImaginedIndexes,
    )

MOST_BYTES = 20_000_000
"""Of a plan as JSON: what is told of it is far less."""


class McpToolsetDatabase(models.AbstractModel):
    _inherit = "mcp.toolset.database"

    @tool(types=".schemas.database", timed=True, foreign=True)
    def explain_query(
        self,
        query: Explained,
        params: ExplainedParams = None,
        analyze: Analyze = False,
        indexes: ImaginedIndexes = None,
    ) -> Explanation:
        """Tell how PostgreSQL runs a query, and what makes it slow.

        It is read as query_database reads: what may not run there is not run here.

        :raise ToolError: PostgreSQL's message, the place and a remedy
        """
        # whoever may not query does not by this, either
        guardrails().require("query_database", writes=False)
        if analyze and indexes:
            raise ArgumentError(
                "Argument 'analyze': what is run cannot use indexes that are only "
                "imagined. Send one of the two."
            )
        with self._plans(explained(query), params or []) as (cursor, plan):
            found = plan(analyze)
            root = plan_tree.Node(found["Plan"])
            sizes = plan_indexes.sizes(cursor, root)
            missing = plan_indexes.missing(cursor, root, sizes, self.env.registry)
            row = _told(found, root, sizes) | {"missing_indexes": missing}
            if indexes:
                row["hypothetical"] = self._imagined(cursor, plan, indexes, root)
        row["plan"] = plan_tree.as_text(root)
        return {name: value for name, value in row.items() if value not in ([], None)}

    def _imagined(self, cursor, plan, indexes: list[str], before) -> dict:
        """Tell what the plan would be if there were these indexes."""
        hypothetical_indexes.require(cursor)
        tables = {name: model._table for name, model in self.env.registry.items()}
        with hypothetical_indexes.imagined(cursor, indexes, tables) as names:
            after = plan_tree.Node(plan(False)["Plan"])
        used = {node.row.get("Index Name") for node in after}
        pairs = zip(indexes, names, strict=True)
        return {
            "cost_before": before.total,
            "cost_after": after.total,
            "used": [index for index, name in pairs if name in used],
            "plan": plan_tree.as_text(after),
        }

    @contextmanager
    def _plans(self, query: str, params: list):
        """Give a cursor that only reads, and a function that returns the query's plan
        as EXPLAIN tells it.

        :raise ToolError: what PostgreSQL said to the query
        """
        started = time.monotonic()
        known = settings(self.env)
        timeout = time_left(self.env, known["query_timeout"])
        login = read_only_role.of_settings(known)
        withheld = read_only_role.WITHHELD if login else None

        def plan(analyze: bool) -> dict:
            options = "FORMAT JSON, VERBOSE" + (", ANALYZE, BUFFERS" if analyze else "")
            text, end = f"EXPLAIN ({options}) {query}", started + timeout
            # its cursors are closed with what they were opened in
            cursor.execute("SAVEPOINT mcp_explained")
            rows = fetch(cursor, text, params, 1, MOST_BYTES, end, call)
            cursor.execute("ROLLBACK TO SAVEPOINT mcp_explained")
            return _parsed(rows)

        try:
            with (
                self._own_cursor(login) as cr,
                read_only(cr, timeout, withheld) as cursor,
                self._stoppable(cr) as call,
            ):
                yield cursor, plan
        except ToolError as error:
            if isinstance(error.__cause__, errors.QueryCanceled):
                raise ToolError(
                    f"{error}\nWithout 'analyze' it is only planned, not run."
                ) from error
            raise


def _parsed(rows) -> dict:
    [[found]] = [row.values() for row in rows.rows]
    if not isinstance(found, list):
        raise ToolError(
            "The plan is too large to be told: explain a part of the query."
        )
    if "Plan" not in found[0]:
        raise ToolError("PostgreSQL has no plan of it: it is a command, no query.")
    return found[0]


def _told(found: dict, root, sizes: dict) -> dict:
    """Return the figures of a plan, and what is worth a look."""
    row = {"cost": root.row["Total Cost"], "rows": root.rows}
    if "Execution Time" in found:
        row["execution_ms"] = found["Execution Time"]
        row["planning_ms"] = found["Planning Time"]
        row["blocks_read"] = root.row.get("Shared Read Blocks", 0)
        row["blocks_cached"] = root.row.get("Shared Hit Blocks", 0)
    else:
        row["estimated"] = True
    row["slowest"] = plan_findings.slowest(root)
    row["findings"] = plan_findings.findings(root, sizes)
    return row
