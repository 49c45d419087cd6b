from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from odoo import models
from odoo.tools import config

from . import log_records, odoo_process, service_manager
from .exceptions import ToolError
from .parameters import parameter, parts
from .redaction import redact_text
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.common import Name, Value
    from .schemas.service import (
        Grep,
        Level,
        LogLines,
        Service,
        ServiceAction,
        ServiceResult,
    )

RESOURCE_LINES = 200


class McpToolsetService(models.AbstractModel):
    """The services that an Odoo consists of: itself, PostgreSQL, a proxy."""

    _name = "mcp.toolset.service"
    _description = "MCP Toolset Service"

    @tool(types=".schemas.service", writes=True, foreign=True)
    def service_status(
        self,
        service: Service = "odoo",
        action: ServiceAction = "status",
        log_lines: LogLines = 50,
        level: Level = None,
        grep: Grep = None,
    ) -> ServiceResult:
        """Tell how a service does, what it logged, or start, stop and restart it.

        :raise ToolError: it is not known, or nobody here can do that
        """
        from .schemas.service import ServiceResult

        unit = self._unit(service)
        if action == "status":
            row = service_manager.status(service, unit)
        elif action == "logs":
            row = self._log(service, unit, log_lines, level, grep)
        elif service == "odoo":
            row = self._act_on_odoo(action)
        elif service == "postgresql" and action != "start":
            row = self._act_on_database(unit, action)
        else:
            manager, said = service_manager.act(service, unit, action)
            row = service_manager.status(service, unit)
            row |= {"manager": manager, "message": said or f"{action}: done"}
        return ServiceResult(service=service, **row)

    def _units(self) -> dict[str, str]:
        """Return the systemd unit of each service that may be asked for."""
        pairs = (part.partition("=") for part in parts(parameter(self.env, "services")))
        return {name.strip(): unit.strip() or name.strip() for name, _, unit in pairs}

    def _unit(self, service: str) -> str:
        units = self._units()
        if service not in units:
            raise ToolError(
                f"There is no service {service!r} here. There are: "
                f"{', '.join(sorted(units))}; an administrator can add others in the "
                "system parameter odoo_dev_mcp.services."
            )
        return units[service]

    def _act_on_odoo(self, action: str) -> dict:
        """Restart or stop this very server, when it has answered."""
        row = service_manager.status("odoo", self._unit("odoo"))
        if action == "start":
            return {**row, "message": "Odoo runs: it answers."}
        if action == "restart":
            odoo_process.check_restart()
        act = odoo_process.restart if action == "restart" else odoo_process.stop
        self._afterwards(act)
        return {
            **row,
            "message": "Odoo restarts now; it answers again in some seconds."
            if action == "restart"
            else "Odoo stops now. Start it again on the server: nothing here can.",
        }

    def _act_on_database(self, unit: str, action: str) -> dict:
        """Restart or stop PostgreSQL when this call, which needs it, has ended."""
        manager, _argv = service_manager.agent("postgresql", unit, action)
        self._afterwards(lambda: service_manager.act("postgresql", unit, action))
        row = service_manager.status("postgresql", unit)
        return {**row, "manager": manager, "message": f"{action}: as this is told."}

    def _afterwards(self, act) -> None:
        """Do something when the call has been answered, or else has been committed."""
        call = self.env.context.get("mcp_call")
        if call:
            call.afterwards.append(act)
        else:
            self.env.cr.postcommit.add(act)

    def _log(self, service, unit, most, level, grep) -> dict:
        """Return the last lines that pass the filters, records uncut."""
        source, pieces = self._log_pieces(service, unit)
        least = log_records.LEVELS.index(level) if level else 0
        lines: list[str] = []
        earlier = False
        for piece in pieces:
            found = [record for record in piece if record.level >= least]
            for record in reversed(self._grep(found, grep)):
                earlier = bool(lines) and len(lines) + len(record.lines) > most
                if earlier:
                    break
                lines[:0] = record.lines
            if earlier:
                break
        shown = [redact_text(line) for line in lines[-most:]]
        return {
            "source": source,
            "log_lines": shown,
            "line_count": len(shown),
            "truncated": earlier or len(lines) > most,
        }

    def _log_pieces(self, service: str, unit: str):
        """Return where a log is, and its records in pieces, the last first."""
        if path := self._log_path(service, unit):
            return path, self._file_pieces(path)
        return f"journal of {unit}", iter([self._journal(service, unit)])

    @staticmethod
    def _log_path(service: str, unit: str) -> str | None:
        """Return the file that a service logs to; None: none is found."""
        configured = service == "odoo" and config["logfile"]
        return configured or service_manager.log_source(service, unit)

    @staticmethod
    def _journal(service: str, unit: str) -> list:
        """Return the last records in systemd's journal.

        :raise ToolError: there is none
        """
        lines = service_manager.journal(unit, 5000)
        if lines is not None:
            return log_records.records(lines)
        raise ToolError(
            f"No log of {service!r} is found: it goes to a terminal or to whoever runs "
            "the process. Set 'logfile' in Odoo's configuration to keep one."
        )

    @staticmethod
    def _file_pieces(path: str):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ToolError(
                f"The log {path!r} cannot be read: {error.strerror}."
            ) from error
        try:
            yield from log_records.backwards(descriptor)
        finally:
            os.close(descriptor)

    def _grep(self, records: list, pattern: str | None) -> list:
        """Return the records that match, by PostgreSQL's regular expressions.

        A pattern that never ends is stopped there by the statement timeout; Python's
        cannot be stopped.
        """
        if not pattern or not records:
            return records
        texts = ["\n".join(record.lines).replace("\0", "") for record in records]
        self.env.cr.execute("SET LOCAL statement_timeout = '10s'")
        # a wrong pattern fails here, so that PostgreSQL's log does not quote the text
        self.env.cr.execute("SELECT '' ~* %s", [pattern])
        self.env.cr.execute(
            "SELECT t ~* %s FROM unnest(%s) WITH ORDINALITY AS u(t, n) ORDER BY n",
            [pattern, texts],
        )
        matches = [match for (match,) in self.env.cr.fetchall()]
        return list(itertools.compress(records, matches))

    @tool(types=".schemas.common", foreign=True)
    def read_log(self, service: Value) -> Value:
        """Return the end of a service's log as text, for ``odoo://logs/{service}``."""
        row = self._log(service, self._unit(service), RESOURCE_LINES, None, None)
        return "\n".join(row["log_lines"])

    @tool(types=".schemas.common")
    def complete_service(self, name: Name, value: Value) -> list[str]:
        """Return the services whose names begin with what was typed."""
        return sorted(known for known in self._units() if known.startswith(value))
