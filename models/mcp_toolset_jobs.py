from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from odoo import fields, models

from .exceptions import ToolError
from .guardrails import guardrails
from .jobs import follow, output_link
from .live_call import live
from .parameters import parameter, time_left
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.jobs import (
        JobAction,
        JobId,
        JobLimit,
        JobNumber,
        JobReport,
        Offset,
        Tail,
        WaitTimeout,
    )

WAIT_SECONDS = 30

MOST_READ = 1_000_000
"""Characters of a job's output that its resource has."""

MOST_PROPOSED = 1000


class McpToolsetJobs(models.AbstractModel):
    """What goes on without its client."""

    _name = "mcp.toolset.jobs"
    _description = "MCP Toolset Jobs"

    @tool(types=".schemas.jobs", writes=True, foreign=True)
    def job(
        self,
        action: JobAction,
        job_id: JobId = None,
        offset: Offset = None,
        tail: Tail = None,
        timeout: WaitTimeout = None,
        limit: JobLimit = 20,
    ) -> JobReport:
        """Tell of the caller's jobs, wait for one, or stop it.

        :raise ToolError: there is no such job for this user
        """
        from .schemas.jobs import JobReport

        if action == "list":
            with self._committed() as env:
                env["mcp.job"].sudo()._mark_lost()
                jobs = env["mcp.job"].search([], limit=limit)
                return JobReport(jobs=[_described(job) for job in jobs])
        if not job_id:
            raise ToolError(f"{action} needs job_id: action 'list' tells your jobs.")
        with self._committed() as env:
            job = self._find(env, job_id)
            if action == "cancel":
                job.action_cancel()
        if action in ("wait", "cancel"):
            self._wait(job_id, timeout or WAIT_SECONDS)
        with self._committed() as env:
            return self._report(self._find(env, job_id), offset, tail)

    @tool(types=".schemas.jobs", foreign=True)
    def read_job_output(self, job_id: JobNumber) -> str:
        """Return what a job of the caller has printed until now, its last part.

        :raise ToolError: there is no such job for this user
        """
        guardrails().require("job", writes=False)
        job = self.env["mcp.job"].search([("id", "=", int(job_id))])
        if not job:
            raise ToolError(f"You have no job {job_id}.")
        return job.sudo()._output(job.id, -MOST_READ, MOST_READ)[1]

    @tool(types=".schemas.jobs")
    def complete_job(self, name: str, value: str = "") -> list[str]:
        """Return the caller's latest jobs whose number begins so."""
        jobs = self.env["mcp.job"].search([], limit=MOST_PROPOSED)
        return [str(job.id) for job in jobs if str(job.id).startswith(value)]

    @contextmanager
    def _committed(self):
        """Give an environment that sees what others have committed until now."""
        if not self.env.context.get("mcp_call"):
            with self.env.registry.cursor() as cr:
                yield self.env(cr=cr)
            return
        # the call's own transaction, which has changed nothing yet
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        self.env.invalidate_all()
        yield self.env
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _find(self, env, job_id: int):
        """Return the job, if its record rules let the user see it."""
        env["mcp.job"].sudo()._mark_lost()
        job = env["mcp.job"].search([("id", "=", job_id)])
        if not job:
            raise ToolError(f"You have no job {job_id}: action 'list' tells your jobs.")
        return job

    def _wait(self, job_id: int, seconds: float) -> None:
        def look(position: int) -> tuple[dict, str, int]:
            with self._committed() as env:
                return env["mcp.job"].sudo()._look(job_id, position)

        with self._committed() as env:
            patience = parameter(env, "handover_seconds")
        seconds = time_left(self.env, min(seconds, patience))
        follow(look, seconds, live(self.env), -1)
        live(self.env).check()

    def _report(self, job, offset: int | None, tail: int | None) -> JobReport:
        from .schemas.jobs import JobReport

        most = parameter(self.env, "command_output")
        position = -min(most, tail or most) if offset is None else offset
        begin, text = job.sudo()._output(job.id, position, most)
        result = json.loads(job.result) if job.result else {}
        if begin:
            # there is more than is told here
            live(self.env).attached.append(output_link(job.id))
        return JobReport(
            jobs=[_described(job)],
            output=text,
            offset=begin,
            next_offset=begin + len(text),
            result=result.get("structured") or result.get("text"),
        )


def _described(job) -> dict:
    ended = job.ended_at or fields.Datetime.now()
    return {
        "job_id": job.id,
        "tool": job.tool,
        "arguments": job.arguments or "",
        "state": job.state,
        "created_at": f"{job.create_date.isoformat(timespec='seconds')}Z",
        "ended_at": f"{job.ended_at.isoformat(timespec='seconds')}Z"
        if job.ended_at
        else None,
        "duration_s": round((ended - job.create_date).total_seconds(), 1),
        "progress": job.progress or None,
        "progress_total": job.progress_total or None,
        "message": job.message or None,
    }
