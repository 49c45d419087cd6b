"""How the parts of the server do, in plain SQL: without a write or a wait."""

import logging

import psycopg2

from . import listener_settings
from .parameters import committed

_logger = logging.getLogger(__name__)

HEALTHY, UNHEALTHY, DISABLED = "healthy", "unhealthy", "disabled"
SUSPENDED = "suspended"

JOB_STATES = ("pending", "running", "done", "failed", "cancelled", "lost")

PATIENCE = "1s"
"""For a table that an upgrade has locked: who asks for health cannot wait for it."""


def parts(cr) -> dict[str, dict]:
    """Return the parts beside the database, each with its ``status``.

    What else a part tells is for this host alone.
    """
    cr.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
    return {
        name: _look(cr, part) for name, part in (("listener", listener), ("jobs", jobs))
    }


def is_suspended(cr) -> bool:
    """Tell whether an administrator has suspended all access."""
    return committed(cr, ["suspended"])["suspended"] == 1


def _look(cr, part) -> dict:
    try:
        with cr.savepoint(flush=False):
            return part(cr)
    except psycopg2.Error as error:
        _logger.warning("health: %s", error)
        return {"status": UNHEALTHY, "error": "the database does not tell"}


def listener(cr) -> dict:
    """Return how the dedicated listener of this host does."""
    if not listener_settings.read(cr).enabled:
        return {"status": DISABLED}
    told = listener_settings.told(cr)
    if told.get("url"):
        return {"status": HEALTHY, "url": told["url"]}
    return {"status": UNHEALTHY, "error": told.get("error") or "it does not run"}


def jobs(cr) -> dict:
    """Return how many jobs are under way."""
    found = jobs_by_state(cr)
    if found is None:
        return {"status": DISABLED}
    return {"status": HEALTHY, **{name: found[name] for name in JOB_STATES[:2]}}


def jobs_by_state(cr) -> dict[str, int] | None:
    """Return the number of jobs in each state; None: this database has no jobs."""
    cr.execute("SELECT to_regclass('mcp_job')")
    if cr.fetchone()[0] is None:
        return None
    cr.execute("SELECT state, count(*) FROM mcp_job GROUP BY state")
    return dict.fromkeys(JOB_STATES, 0) | dict(cr.fetchall())


def calls_open(cr) -> int:
    """Return the number of calls that have begun and not ended, on every server."""
    cr.execute("SELECT count(*) FROM mcp_audit_log WHERE status = 'open'")
    return cr.fetchone()[0]
