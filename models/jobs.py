"""Calls that go on as jobs: started, followed while a client waits, handed over."""

import json
import logging
import time
from collections.abc import Callable

import psycopg2

from .caller import Admitted, Outcome
from .content import Content, resource_link, text
from .exceptions import ToolError
from .forked import ForkError
from .job_process import start
from .live_call import LiveCall

_logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at a job."""

STOP_SECONDS = 15
"""So long a client that has cancelled a call waits for the end of its process."""

NOT_STARTED = "The database does not answer; nothing has run. Try again in a moment."
UNKNOWN = (
    "The database does not answer, so that nobody can tell how job {id} goes. Ask "
    "later: job(action='read', job_id={id})."
)

HINT = (
    "It goes on without you. job(action='wait', job_id={id}) waits for its end, 'read' "
    "shows what it prints, 'cancel' stops it."
)


class Jobs:
    """Runs calls as jobs of the registrar's database."""

    def __init__(self, registrar) -> None:
        self.registrar = registrar

    def carry_out(self, admitted: Admitted, live: LiveCall) -> Outcome:
        """Start a job, and return its outcome, or that of handing it over."""
        job_id = None
        try:
            with self.registrar.transaction() as env:
                job_id = env["mcp.job"]._begin(admitted)
            # a process of its own, which borrows its own connections
            registrar = type(self.registrar)(self.registrar.registry)
            start(registrar, admitted, job_id)
        except (ToolError, ForkError, OSError, psycopg2.Error) as error:
            return self._not_started(admitted, job_id, error)
        try:
            return self._followed(admitted, live, job_id)
        except psycopg2.Error as error:
            _logger.warning("job %d cannot be followed: %s", job_id, error)
            return Outcome(UNKNOWN.format(id=job_id), is_error=True)

    def _followed(self, admitted: Admitted, live: LiveCall, job_id: int) -> Outcome:
        """Wait for a job as long as its client does, and return what is told of it."""

        def look(position: int) -> tuple[dict, str, int]:
            with self.registrar.transaction() as env:
                return env["mcp.job"]._look(job_id, position)

        row = follow(look, admitted.patience, live)
        if live.cancelled:
            with self.registrar.transaction() as env:
                env["mcp.audit.log"].browse(admitted.entry)._request_cancel()
            row = follow(look, STOP_SECONDS, LiveCall())
        if not row["ended_at"]:
            with self.registrar.transaction() as env:
                env["mcp.job"]._hand_over(job_id)
            row, _text, _position = look(-1)
        return job_outcome(row)

    def _not_started(self, admitted: Admitted, job_id: int | None, error) -> Outcome:
        text = str(error) if isinstance(error, ToolError) else f"{error}. Try again."
        if isinstance(error, psycopg2.Error):
            text = NOT_STARTED
        outcome = Outcome(text, is_error=True)

        def close(env) -> None:
            if job_id:
                env["mcp.job"]._end(job_id, "error", outcome)
            env["mcp.audit.log"]._close(admitted.entry, "error", error, duration_ms=0)

        self.registrar._close_entry(admitted.feature.name, close)
        return outcome


def follow(
    look: Callable[[int], tuple[dict, str, int]],
    seconds: float,
    live: LiveCall,
    position: int = 0,
) -> dict:
    """Wait for a job, until it ends, its client has enough, or the time is up.

    :param look: ``mcp.job``'s ``_look`` for this job
    :param live: it hears what the job prints and how far it is
    :param position: where the output begins that is told; negative: here
    :return: the row as it was at the end
    """
    end = time.monotonic() + seconds
    pause, told = FIRST_PAUSE, None
    while True:
        row, text, position = look(position)
        if text:
            live.output(text.encode())
        progress = row["progress"], row["progress_total"], row["message"] or ""
        if row["progress"] is not None and progress != told:
            told = progress
            live.progress(*progress)
        left = end - time.monotonic()
        if row["ended_at"] or left <= 0 or live.cancelled:
            return row
        time.sleep(min(pause, left))
        pause = min(LONGEST_PAUSE, pause * 1.5)


def job_outcome(row: dict) -> Outcome:
    """Return what a call answers whose job is in this state."""
    if row["result"]:
        return Outcome(**json.loads(row["result"]))
    if row["state"] == "lost":
        return Outcome(
            f"Job {row['id']} was lost: its process or its server was killed. What it "
            f"had printed: job(action='read', job_id={row['id']}).",
            is_error=True,
        )
    handle = {
        "job_id": row["id"],
        "job_state": row["state"],
        "hint": HINT.format(**row),
    }
    told = json.dumps(handle)
    content = text(told), output_link(row["id"])
    return Outcome(told, handle, job=row, content=content)


def output_link(job_id: int) -> Content:
    """Return the address of what a job prints."""
    uri, name = f"odoo://jobs/{job_id}", f"output of job {job_id}"
    return resource_link(uri, name, mime_type="text/plain")
