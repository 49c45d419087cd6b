from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from odoo import api, fields, models
from odoo.tools.sql import create_index

from .audit_file import AuditFile, this_process, vanished
from .audit_functions import CLOSE, DIGEST, OF_BEFORE, OPEN, has_trigger, protect
from .exceptions import Behind, KeyIsBad, Suspended
from .gate import PASS
from .mcp_metric import bound
from .mcp_sealed_mixin import McpSealedMixin
from .parameters import settings
from .redaction import redact, redact_text
from .stored_functions import define
from .transactions import caught_up, heeded

if TYPE_CHECKING:
    from .mcp_rate_limit import Rule

_logger = logging.getLogger(__name__)

STATUSES = [
    ("open", "Running"),
    ("success", "Success"),
    ("error", "Failed"),
    ("refused", "Refused"),
    ("input_required", "Asked its Client"),
    ("cancelled", "Cancelled"),
    ("lost", "Lost"),
]


class McpAuditLog(models.Model):
    """What happened: one entry a tool call, committed before the tool runs.

    Entries are opened and closed by this file alone, in SQL. Nobody creates,
    changes or deletes one through the ORM, and PostgreSQL refuses to change a closed
    one; retention alone removes. ``mcp.audit.seal`` proves that it was so.
    """

    _name = "mcp.audit.log"
    _inherit = McpSealedMixin._name
    _description = "MCP Audit Log"
    _order = "id desc"
    _log_access = False
    _rec_name = "tool"

    create_date = fields.Datetime("Date", readonly=True, index=True)
    user_id = fields.Many2one(
        "res.users", readonly=True, index=True, ondelete="set null"
    )
    user_res_id = fields.Integer(
        "User ID",
        readonly=True,
        aggregator=None,
        help="Stays when the user is deleted.",
    )
    user_login = fields.Char("Login", readonly=True)
    key_id = fields.Many2one("mcp.api.key", readonly=True, ondelete="set null")
    key_res_id = fields.Integer(
        "Key ID", readonly=True, aggregator=None, help="Stays when the key is deleted."
    )
    key_name = fields.Char(readonly=True)
    tool = fields.Char(readonly=True, index=True)
    arguments = fields.Text(readonly=True, help="Secrets redacted, long values cut.")
    status = fields.Selection(STATUSES, readonly=True)
    error_class = fields.Char(readonly=True)
    message = fields.Text(readonly=True)
    row_count = fields.Integer("Rows", readonly=True, aggregator=None)
    exit_code = fields.Char(readonly=True)
    duration_ms = fields.Integer("Duration (ms)", readonly=True, aggregator="avg")
    client = fields.Char(readonly=True)
    address = fields.Char(readonly=True)
    revision = fields.Char("MCP Revision", readonly=True)
    request_id = fields.Char(readonly=True)
    cancel_requested = fields.Boolean(
        readonly=True, help="Somebody asked to stop it while it ran."
    )
    process = fields.Char(
        readonly=True, help="Host, process id and start time of the server process."
    )

    digest = fields.Char(
        readonly=True, help="What was in it when it was closed, as sha256."
    )

    def init(self):
        cr, table = self.env.cr, self._table
        # entries whose end is missing: a handful among millions
        self._index("open", ["process"], "status = 'open'")
        # when a key was last used, and of what was done with it the first
        self._index("key", ["key_id", "create_date"], "key_id IS NOT NULL")
        define(cr, "mcp_audit_log_digest", DIGEST)
        define(cr, "mcp_audit_log_open", OPEN)
        define(cr, "mcp_audit_log_close", CLOSE)
        if not has_trigger(cr, "mcp_audit_log_kept"):
            for statement in OF_BEFORE:
                cr.execute(statement)
        protect(cr, table)

    def _index(self, name: str, columns: list[str], where: str) -> None:
        """Make an index unless it is there: CREATE INDEX IF NOT EXISTS would stop all
        calls for as long as an upgrade takes, and wait for one that waits for it."""
        name = f"{self._table}_{name}_idx"
        create_index(self.env.cr, name, self._table, columns, where=where)

    @api.model
    def _open(
        self, caller, call, *, rule: Rule | None = None, durable: bool = True
    ) -> tuple[int, str]:
        """Begin the entry of ``call``, if its key is good and its limit not used up.

        :param durable: wait for the disk at commit; False for calls that change
            nothing, whose entry may be lost with the whole machine
        :return: its id; from which level on the key wants log messages
        :raise Behind: see :meth:`.transactions.Transactions.following`
        :raise Suspended: nobody is let in, whatever this process remembers
        :raise KeyIsBad: it is good no more
        :raise LimitReached: the rule is used up
        """
        limit = (None, None, None, None)
        if rule:
            limit = (rule.id, rule.subject(caller), rule.calls, rule.period)
        self.env.cr.execute(
            "SELECT mcp_audit_log_open(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, "
            "%s, %s, %s, %s, %s)",
            (heeded(self.env), durable, *limit, *self._values(caller, call)),
        )
        [(kind, *told)] = self.env.cr.fetchone()
        if kind == "behind":
            raise Behind
        caught_up(self.env)
        if kind == "suspended":
            raise Suspended
        if kind == "key":
            raise KeyIsBad
        if kind == "limit":
            raise rule.refusal(int(told[0]))
        return int(told[0]), told[1]

    def _request_cancel(self) -> None:
        """Ask the processes that run these calls to stop them, wherever they are."""
        self.env.cr.execute(
            "UPDATE mcp_audit_log SET cancel_requested = true "
            "WHERE id = ANY(%s) AND status = 'open'",
            [self.ids],
        )

    @api.model
    def _cancel(self, caller, call) -> None:
        """Stop the call of ``caller`` that has this request id, if it runs.

        Request ids are unique for one client alone, so that all that is known of it
        must be the same; a wish that could mean two calls stops neither. What has gone
        on as a job has been answered: its id may be another request's by now.

        :param call: as the client that sends ``notifications/cancelled`` would make it
        """
        self.env.cr.execute(
            """
            SELECT id FROM mcp_audit_log a
             WHERE status = 'open' AND request_id = %s AND user_id = %s
               AND key_id IS NOT DISTINCT FROM %s AND address = %s AND client = %s
               AND revision = %s
               AND NOT EXISTS (
                   SELECT FROM mcp_job j WHERE j.entry_id = a.id AND j.handed_over)
            """,
            [
                *(call.request_id[:128], caller.uid, caller.key_id, caller.address),
                *(_clean(call.client), call.revision),
            ],
        )
        entries = [entry for (entry,) in self.env.cr.fetchall()]
        if len(entries) == 1:
            self.browse(entries)._request_cancel()

    @api.model
    def _take_over(self, entry: int) -> None:
        """Write down that this process runs the call from now on."""
        self.env.cr.execute(
            f"SELECT {PASS}; "
            "UPDATE mcp_audit_log SET process = %s WHERE id = %s AND status = 'open'",
            [this_process(), entry],
        )

    @api.model
    def _refuse(self, caller, call, refusal: Exception) -> None:
        """Write the whole entry of a call that was refused before the tool ran."""
        entry, _level = self._open(caller, call)
        self._close(entry, "refused", refusal, duration_ms=0)

    def _values(self, caller, call) -> tuple:
        return (
            caller.uid,
            caller.login,
            caller.key_id,
            caller.key_name,
            _clean(call.name),
            redact(call.arguments),
            _clean(call.client),
            caller.address,
            call.revision,
            call.request_id[:128],
            this_process(),
        )

    @api.model
    def _close(
        self,
        entry: int,
        status: str,
        error: Exception | None = None,
        *,
        duration_ms: float,
        row_count: int | None = None,
        exit_code: int | None = None,
        durable: bool = True,
    ) -> None:
        """End an entry, in the table and in the file. A closed one stays as it is.

        :param durable: wait for the disk at commit
        """
        seconds = duration_ms / 1000
        self.env.cr.execute(
            "SELECT create_date, user_res_id AS user_id, tool, arguments, status, "
            "exit_code, row_count, duration_ms FROM mcp_audit_log_close("
            "%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                durable,
                entry,
                status,
                type(error).__name__ if error else None,
                redact_text(str(error))[:1000].replace("\0", "\ufffd")
                if error
                else None,
                round(duration_ms),
                row_count,
                None if exit_code is None else str(exit_code),
                bound(seconds),
                seconds,
            ],
        )
        row = self.env.cr.dictfetchone()
        known = settings(self.env)
        if row and known["audit_file_enabled"]:
            AuditFile(known["audit_file"]).append(self.env.cr.dbname, row)

    @api.model
    def _close_lost(self) -> int:
        """Close the entries of this host's processes that are gone; return how many."""
        self.env.cr.execute(
            "SELECT DISTINCT process FROM mcp_audit_log WHERE status = 'open'"
        )
        gone = [process for (process,) in self.env.cr.fetchall() if vanished(process)]
        if not gone:
            return 0
        self.env.cr.execute(
            "SELECT id FROM mcp_audit_log WHERE status = 'open' AND process = ANY(%s)",
            [gone],
        )
        entries = [entry for (entry,) in self.env.cr.fetchall()]
        for entry in entries:
            self._close(entry, "lost", duration_ms=0)
        _logger.warning("closed %d audit entries of vanished processes", len(entries))
        return len(entries)

    @api.model
    def _strays(self, running: list[int]) -> set[int]:
        """Return the open entries of this process that are of no call.

        :param running: those of its calls
        """
        self.env.cr.execute(
            """
            SELECT id FROM mcp_audit_log a
             WHERE status = 'open' AND process = %s AND id <> ALL(%s)
               AND NOT EXISTS (
                   SELECT FROM mcp_job j
                    WHERE j.entry_id = a.id AND j.state IN ('pending', 'running'))
            """,
            [this_process(), running],
        )
        return {entry for (entry,) in self.env.cr.fetchall()}


def _clean(text: str) -> str:
    """Return what a client said as PostgreSQL takes it, and not too long."""
    return text[:128].replace("\0", "\ufffd")
