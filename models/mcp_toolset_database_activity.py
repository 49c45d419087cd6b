from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import errors

from odoo import models
from odoo.tools import mute_logger

from . import database_sessions, database_storage, odoo_process
from .sql_schema import models_by_table
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.database import Activity, CancelPid, MinSeconds, Topic

MILLISECONDS = 20_000
"""That each look may take: what it looks at may be what is stuck."""

LOCKED_MILLISECONDS = 1_000
"""That each lock is waited for."""

FEW = 4
"""Tables that are told beside all else."""


class McpToolsetDatabase(models.AbstractModel):
    _inherit = "mcp.toolset.database"

    @tool(types=".schemas.database", writes=True, foreign=True)
    def database_activity(
        self,
        what: Topic = "all",
        min_seconds: MinSeconds = 1,
        cancel: CancelPid = None,
    ) -> Activity:
        """Tell what goes on in this database, or end a query of it.

        :raise ToolError: there is no such query here
        """
        cr = self.env.cr
        cr.execute(
            "SELECT set_config('statement_timeout', %s, true), "
            "set_config('lock_timeout', %s, true)",
            [str(MILLISECONDS), str(LOCKED_MILLISECONDS)],
        )
        processes = _processes()
        if cancel:
            return {"cancelled": database_sessions.cancel(cr, cancel, processes)}
        sessions = database_sessions.sessions(cr, processes)
        few = FEW if what == "all" else database_storage.MOST
        looks = {
            "queries": lambda: database_sessions.busy(sessions, min_seconds),
            "locks": lambda: database_sessions.waiting(cr, sessions),
            "tables": lambda: database_storage.tables(
                cr, models_by_table(self.env.registry), few
            ),
            "indexes": lambda: database_storage.indexes(cr),
            "statements": lambda: database_storage.statements(cr),
            "connections": lambda: database_sessions.connections(cr),
        }
        found, notes = {}, []
        for topic in looks if what == "all" else [what]:
            try:
                found[topic] = self._look(looks[topic])
            except (errors.LockNotAvailable, errors.QueryCanceled) as error:
                notes.append(f"{topic}: {_kept_from(error)}")
        notes += _notes(found, sessions)
        if not any(found.values()) and not notes:
            notes.append("Nothing to tell: no such query, lock or index.")
        note = " ".join(notes)
        told = {topic: rows for topic, rows in found.items() if rows}
        return told | ({"note": note} if note else {})

    def _look(self, look):
        """Look with a savepoint, so that what one waits for costs the others nothing.

        The size of a table waits for who alters it.
        """
        cr = self.env.cr
        with (
            mute_logger("odoo.sql_db"),
            cr.savepoint(flush=False),
            self._stoppable(cr),
        ):
            return look()


def _kept_from(error: Exception) -> str:
    if isinstance(error, errors.LockNotAvailable):
        return (
            "not told, another session holds a lock that it waits for: what='locks' "
            "and what='queries' show who."
        )
    return f"not told, it took more than {MILLISECONDS // 1000} seconds."


def _notes(found: dict, sessions: dict[int, dict]) -> list[str]:
    """Say what there would be to see."""
    notes = []
    if found.get("statements", ()) is None:
        notes.append(database_storage.NO_STATEMENTS)
    if database_sessions.UNSEEN in {row.get("query") for row in sessions.values()}:
        notes.append(
            "Queries of other roles are hidden from Odoo's: a superuser may GRANT "
            "pg_read_all_stats to it."
        )
    return notes


def _processes() -> dict[str, str]:
    """Return what the processes of this Odoo do, by what PostgreSQL knows them as.

    Odoo gives its connections the name ``odoo-PID``. odoo/sql_db.py
    """
    kinds = {worker["pid"]: worker["kind"] for worker in odoo_process.workers()}
    kinds[odoo_process.main_pid()] = "main"
    return {
        f"odoo-{pid}": f"this Odoo's {kind} process {pid}"
        for pid, kind in kinds.items()
    }
