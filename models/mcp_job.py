import json
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .caller import Outcome
from .exceptions import ToolError
from .gate import PASS
from .parameters import parameter

STATES = [
    ("pending", "Starting"),
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
    ("lost", "Lost"),
]
UNDER_WAY = ("pending", "running")

LOCK_CLASS = 0x6D63706A  # "mcpj"
"""A running job's process holds the advisory lock (this, id of the job)."""

MOST_AT_ONCE = 100_000
"""Characters of output that whoever waits for a job is told at once."""

SHOWN = 20_000
"""Characters of output that the form shows."""

START_SECONDS = 60
"""After so long, a job whose process holds no lock was never started."""


class McpJob(models.Model):
    """A call that goes on without its client: a command, code, an installation.

    Written in SQL, by the process that runs it. That process holds an advisory lock for
    as long as it lives, so that a job whose process is gone is told as lost by whoever
    looks at it, on whatever server.
    """

    _name = "mcp.job"
    _inherit = "mcp.sealed.mixin"
    _description = "MCP Job"
    _order = "id desc"
    _log_access = False
    _rec_name = "tool"

    create_date = fields.Datetime("Created", readonly=True, index=True)
    started_at = fields.Datetime("Started", readonly=True)
    ended_at = fields.Datetime("Ended", readonly=True)
    user_id = fields.Many2one(
        "res.users", readonly=True, index=True, ondelete="cascade", required=True
    )
    entry_id = fields.Many2one(
        "mcp.audit.log", "Audit Entry", readonly=True, index=True, ondelete="set null"
    )
    task = fields.Char(
        readonly=True, index=True, help="Its id in the tasks extension of MCP."
    )
    tool = fields.Char(readonly=True)
    arguments = fields.Text(readonly=True, help="Secrets redacted, long values cut.")
    state = fields.Selection(STATES, readonly=True, index=True)
    handed_over = fields.Boolean(
        readonly=True, help="The call that started it was answered before its end."
    )
    duration = fields.Char(compute="_compute_duration", help="Hours, minutes, seconds.")
    progress = fields.Float("Done So Far", readonly=True, aggregator=None)
    progress_total = fields.Float(readonly=True, aggregator=None)
    percent = fields.Integer("Progress", compute="_compute_percent")
    message = fields.Char(readonly=True)
    result = fields.Text(readonly=True, help="What the call answers, as JSON.")
    output_ids = fields.One2many("mcp.job.output", "job_id", readonly=True)
    output_tail = fields.Text("Last Output", compute="_compute_output_tail")
    answer = fields.Text(compute="_compute_answer", help="What the call answers.")

    @api.depends("create_date", "started_at", "ended_at")
    def _compute_duration(self):
        now = fields.Datetime.now()
        for job in self:
            begun = job.started_at or job.create_date
            end = job.ended_at or now
            job.duration = begun and str(
                end.replace(microsecond=0) - begun.replace(microsecond=0)
            )

    @api.depends("progress", "progress_total")
    def _compute_percent(self):
        for job in self:
            total = job.progress_total
            part = min(1, max(0, job.progress / total)) if total > 0 else 0
            job.percent = int(100 * part)

    @api.depends("result")
    def _compute_answer(self):
        """Show the result as people read it: its object, or its text."""
        for job in self:
            result = json.loads(job.result) if job.result else {}
            found = result.get("structured")
            job.answer = (
                json.dumps(found, indent=2, ensure_ascii=False)
                if found
                else result.get("text")
            )

    def _compute_output_tail(self):
        for job in self:
            job.output_tail = self._output(job.id, -SHOWN, SHOWN)[1]

    @api.model
    def _begin(self, admitted) -> int:
        """Write down a job that is about to start, and return its id.

        :raise ToolError: as many run as may
        """
        self._mark_lost()
        most = parameter(self.env, "job_most")
        if self.search_count([("state", "in", UNDER_WAY)]) >= most:
            raise ToolError(
                f"{most} jobs run already: wait for one, or cancel it. "
                "job(action='list') tells yours."
            )
        self.env.cr.execute(
            """
            INSERT INTO mcp_job (create_date, user_id, entry_id, task, tool, arguments,
                                 state, handed_over)
            SELECT now() AT TIME ZONE 'UTC', %s, id, %s, %s, arguments, 'pending', %s
              FROM mcp_audit_log
             WHERE id = %s
            RETURNING id
            """,
            [
                *(admitted.caller.uid, secrets.token_urlsafe(24), admitted.call.name),
                *(not admitted.patience, admitted.entry),
            ],
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _start(self, job_id: int, entry: int) -> bool:
        """Let this process run a job that is to start; tell whether it may."""
        self.env["mcp.audit.log"]._take_over(entry)
        self.env.cr.execute(
            "UPDATE mcp_job SET state = 'running', "
            "started_at = now() AT TIME ZONE 'UTC' WHERE id = %s AND state = 'pending'",
            [job_id],
        )
        return bool(self.env.cr.rowcount)

    @api.model
    def _end(self, job_id: int, status: str, outcome: Outcome) -> None:
        """End a job that has not ended yet.

        :param status: of its audit entry
        """
        result = {
            "text": outcome.text,
            "structured": outcome.structured,
            "is_error": outcome.is_error,
            "status": outcome.status,
            "content": outcome.content,
            "mark": outcome.mark,
        }
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_job SET state = %s, result = %s, "
                "ended_at = now() AT TIME ZONE 'UTC' WHERE id = %s AND state IN %s",
                {"success": "done", "error": "failed"}.get(status, status),
                json.dumps(result),
                job_id,
                UNDER_WAY,
            )
        )

    @api.model
    def _look(self, job_id: int, position: int) -> tuple[dict, str, int]:
        """Return a job's row, what it has printed since, and the position behind that.

        :param position: in characters; negative: what comes from now on
        """
        self._mark_lost()
        self.env.cr.execute(
            "SELECT id, task, tool, arguments, state, create_date, started_at, "
            "ended_at, progress, progress_total, message, result FROM mcp_job "
            "WHERE id = %s",
            [job_id],
        )
        row = self.env.cr.dictfetchone()
        begin, text = self._output(job_id, position, MOST_AT_ONCE)
        return row, text if position >= 0 else "", begin + len(text)

    @api.model
    def _output(self, job_id: int, position: int, most: int) -> tuple[int, str]:
        """Return what a job has printed; see :meth:`.McpJobOutput._from`."""
        return self.env["mcp.job.output"]._from(job_id, position, most)

    @api.model
    def _hand_over(self, job_id: int) -> bool:
        """Let a job go on without the call that started it; tell whether it does."""
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_job SET handed_over = true WHERE id = %s AND state IN %s",
                job_id,
                UNDER_WAY,
            )
        )
        return bool(self.env.cr.rowcount)

    @api.model
    def _mark_lost(self) -> None:
        """Tell the jobs whose process is gone as lost, and close their entries.

        Of a job that ends at this moment PostgreSQL looks at the newer row.
        https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
        """
        self.env.cr.execute(
            SQL(
                f"""
                SELECT {PASS};
                UPDATE mcp_job
                   SET state = 'lost', ended_at = now() AT TIME ZONE 'UTC'
                 WHERE (state = 'running' OR state = 'pending' AND create_date
                        < now() AT TIME ZONE 'UTC' - %s * interval '1 second')
                   AND NOT EXISTS (
                       SELECT FROM pg_locks l
                         JOIN pg_database d ON d.oid = l.database
                        WHERE locktype = 'advisory' AND granted
                          AND datname = current_database()
                          AND classid::bigint = %s AND objid::bigint = mcp_job.id)
                RETURNING entry_id
                """,
                START_SECONDS,
                LOCK_CLASS,
            )
        )
        for (entry,) in self.env.cr.fetchall():
            if entry:
                self.env["mcp.audit.log"]._close(entry, "lost", duration_ms=0)

    def action_cancel(self):
        """Ask the processes of these jobs to stop, wherever they run."""
        # whoever may see a job may stop it: its user, and MCP administrators
        self.check_access("read")
        self.sudo().entry_id._request_cancel()
        return True

    @api.model
    def web_search_read(self, *args, **kwargs):
        """Show no job as running whose process is gone."""
        self.sudo()._mark_lost()
        return super().web_search_read(*args, **kwargs)

    def web_read(self, *args, **kwargs):
        """Show no job as running whose process is gone."""
        self.sudo()._mark_lost()
        return super().web_read(*args, **kwargs)

    # what they extend is read-only, and Odoo would begin anew after an error
    web_search_read._readonly = web_read._readonly = False

    @api.autovacuum
    def _gc_jobs(self):
        """Tell lost jobs, and remove those that ended before the retention."""
        self._mark_lost()
        days = parameter(self.env, "job_retention")
        if days > 0:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM mcp_job WHERE state NOT IN %s AND ended_at < %s",
                    UNDER_WAY,
                    fields.Datetime.now() - timedelta(days=days),
                )
            )
