from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from odoo import models

from . import log_records
from .exceptions import ArgumentError
from .guardrails import guardrails
from .live_call import live
from .log_groups import GROUPED, Groups, Wanted
from .log_lines import NO_DATABASE, iso
from .log_positions import POSITION, reading
from .nearest import nearest
from .parameters import time_left
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.service import (
        GroupLimit,
        LogDatabase,
        Logger,
        LogLevel,
        LogRecords,
        LogText,
        Since,
    )

SECONDS = 20
"""That a log is read."""

MOST_GROUPS = 100


class McpToolsetService(models.AbstractModel):
    _inherit = "mcp.toolset.service"

    @tool(types=".schemas.service", foreign=True)
    def read_logs(
        self,
        level: LogLevel = "error",
        logger: Logger = None,
        database: LogDatabase = None,
        text: LogText = None,
        since: Since = None,
        limit: GroupLimit = 20,
    ) -> LogRecords:
        """Tell what Odoo has logged, equal errors as one.

        :raise ToolError: there is no log to read
        """
        # it tells what service_status with action "logs" does
        guardrails().require("service_status", writes=False)
        position = since if since and POSITION.fullmatch(since) else None
        least = log_records.LEVELS.index(level.upper())
        earliest = log_time(since) if since and not position else ""
        wanted = Wanted(least, logger, database, text, earliest)
        groups = Groups(wanted, max(1, min(limit, MOST_GROUPS)))
        unit = self._unit("odoo")
        if path := self._log_path("odoo", unit):
            found = self._read_file(path, position, groups)
        else:
            found = self._read_journal(unit, groups)
        notes = [found.pop("note"), *self._notes(groups)]
        row = {"records": groups.told(), "total": len(groups.found)}
        if note := " ".join(filter(None, notes)):
            row["note"] = note
        return {"source": found["source"], **row, "next": found["next"]}

    def _read_file(self, path: str, position: str | None, groups: Groups) -> dict:
        end = time.monotonic() + time_left(self.env, SECONDS)
        check = live(self.env).check
        notes, size = [], 0
        with reading(path, position) as opened:
            notes.append(opened.note)
            for piece in opened.pieces:
                size += piece.end - piece.first
                records = log_records.backwards(*piece)
                for found in records:
                    check()
                    groups.add(found)
                    if groups.ended or time.monotonic() > end:
                        break
        late = time.monotonic() > end
        if not groups.ended and (late or size > log_records.MOST_READ):
            notes.append("Only the end of the log was read: name a later 'since'.")
        note = " ".join(filter(None, notes))
        return {"source": path, "next": opened.position, "note": note}

    def _read_journal(self, unit: str, groups: Groups) -> dict:
        """Read the end of systemd's journal, of which there is no position."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        groups.add(self._journal("odoo", unit))
        return {"source": f"journal of {unit}", "next": iso(now), "note": ""}

    @staticmethod
    def _notes(groups: Groups) -> list[str]:
        """Say what else there is, or why there is nothing."""
        wanted, found = groups.wanted, len(groups.found)
        notes = []
        if found > groups.limit:
            notes.append(
                f"{found - groups.limit} older kinds: a higher limit, or text."
            )
        elif groups.ended and wanted.level < GROUPED and found >= groups.limit:
            notes.append("There may be older ones: a higher limit, or text.")
        if groups.read and groups.foreign == groups.read:
            notes.append(
                "The log is not in Odoo's own form: service_status with action 'logs' "
                "shows its lines."
            )
        if found:
            return notes
        if wanted.logger and wanted.logger not in wanted.loggers:
            said = nearest(wanted.logger, wanted.loggers)
            notes.append(f"Nothing was logged by {wanted.logger}.{said}")
        if wanted.database and wanted.database not in wanted.databases:
            said = nearest(wanted.database, wanted.databases - {NO_DATABASE})
            notes.append(f"Nothing was logged of the database {wanted.database}.{said}")
        return notes


def log_time(text: str) -> str:
    """Return an ISO time as Odoo's log writes it, in UTC.

    >>> log_time("2026-01-02T04:04:05+01:00")
    '2026-01-02 03:04:05,000'

    :raise ArgumentError: it is no time
    """
    try:
        # 3.10 does not know Z
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ArgumentError(
            "Argument 'since': expected an ISO time as 2026-01-31T12:00:00Z, or the "
            f"'next' of an earlier answer, got {text[:60]!r}."
        ) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    found = found.astimezone(timezone.utc)
    return f"{found:%Y-%m-%d %H:%M:%S},{found.microsecond // 1000:03d}"
