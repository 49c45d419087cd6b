"""Who works in this database, who waits for whom, and how one is stopped.

https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
"""

from .exceptions import ToolError
from .redaction import redact_text

MOST = 20
LONGEST_QUERY = 400

COLUMNS = """
a.pid, a.state, a.usename AS "user", a.application_name AS application,
host(a.client_addr) AS client, a.query,
nullif(concat_ws(': ', a.wait_event_type, a.wait_event), 'Client: ClientRead') AS wait,
round(extract(epoch FROM now_ - a.query_start)::numeric, 1)::float AS seconds,
round(extract(epoch FROM now_ - a.xact_start)::numeric, 1)::float
    AS transaction_seconds
"""

SESSIONS = f"""
SELECT {COLUMNS}, a.backend_type
  FROM pg_stat_activity a, clock_timestamp() now_
 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
 ORDER BY a.xact_start NULLS LAST"""

BLOCKED = """
SELECT a.pid, array_agg(DISTINCT b.pid)
  FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) b(pid)
 WHERE a.datname = current_database() AND a.wait_event_type = 'Lock'
 GROUP BY a.pid"""

WAITS = """
SELECT l.pid, l.locktype, l.mode, (
       SELECT t.relation::regclass::text FROM pg_locks t
        WHERE t.pid = l.pid AND t.relation IS NOT NULL
          AND t.database = (SELECT oid FROM pg_database
                             WHERE datname = current_database())
          AND (t.locktype = 'tuple' OR NOT t.granted)
        LIMIT 1)
  FROM pg_locks l WHERE NOT l.granted"""

CANCEL = f"""
SELECT {COLUMNS}, pg_cancel_backend(a.pid) AS told
  FROM pg_stat_activity a, clock_timestamp() now_
 WHERE a.pid = %s AND a.datname = current_database()
   AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'"""

CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend') AS used,
       current_setting('max_connections')::int AS most,
       d.numbackends AS of_this_database,
       (SELECT count(*) FROM pg_stat_activity
         WHERE datname = d.datname AND state LIKE 'idle in transaction%%')
           AS idle_in_transaction,
       round(100.0 * d.blks_hit / nullif(d.blks_hit + d.blks_read, 0), 1)::float
           AS cache_hit_percent,
       d.deadlocks, d.temp_bytes, pg_database_size(d.datname) AS size_bytes
  FROM pg_stat_database d WHERE d.datname = current_database()"""

UNSEEN = "<insufficient privilege>"
"""What PostgreSQL shows of the queries of other roles."""


def sessions(cr, processes: dict[str, str]) -> dict[int, dict]:
    """Return what each session of this database does, by its pid.

    :param processes: what this Odoo's processes are, by the name of their connections
    """
    cr.execute(SESSIONS)
    return {row["pid"]: _told(row, processes) for row in cr.dictfetchall()}


def _told(row: dict, processes: dict[str, str]) -> dict:
    query = " ".join((row.pop("query") or "").split())
    cut = "…" if len(query) > LONGEST_QUERY else ""
    row["query"] = redact_text(query[:LONGEST_QUERY] + cut)
    row["process"] = processes.get(row["application"])
    if row.get("backend_type") == "client backend":
        del row["backend_type"]
    return {name: value for name, value in row.items() if value not in (None, "")}


def busy(found: dict[int, dict], seconds: float) -> list[dict]:
    """Return the sessions that run, or keep a transaction open, for so long."""
    rows = [
        row
        for row in found.values()
        if row.get("state", "idle") != "idle" and _age(row) >= seconds
    ]
    return sorted(rows, key=_age, reverse=True)[:MOST]


def _age(row: dict) -> float:
    return max(row.get("seconds", 0), row.get("transaction_seconds", 0))


def waiting(cr, found: dict[int, dict]) -> list[dict]:
    """Return the sessions that others wait for and that wait for none, with those
    below them, each told once.

    https://www.postgresql.org/docs/current/functions-info.html, pg_blocking_pids
    """
    cr.execute(BLOCKED)
    blocked = dict(cr.fetchall())
    if not blocked:
        return []
    cr.execute(WAITS)
    waits = {
        pid: f"{mode} on {kind}" + (f" of {relation}" if relation else "")
        for pid, kind, mode, relation in cr.fetchall()
    }

    blockers = {pid for pids in blocked.values() for pid in pids}
    # a circle has no first: PostgreSQL ends it after deadlock_timeout
    roots = sorted(blockers - blocked.keys()) or sorted(blockers)[:1]
    # in a queue each waits for all ahead of it: told by every path it would be endless
    seen = set(roots)

    def below(pid: int) -> dict:
        row = dict(found.get(pid, {"pid": pid}))
        if pid in waits:
            row["waits_for"] = waits[pid]
        others = [w for w, by in blocked.items() if pid in by]
        new = [w for w in others if w not in seen]
        seen.update(new)
        rows = [below(w) for w in new]
        if pid in roots:
            rows += [{"pid": w} for w in others if w not in new]
        return row | ({"blocks": rows} if rows else {})

    return [below(pid) for pid in roots[:MOST]]


def connections(cr) -> dict:
    """Return how many connections there are, and how the database does as a whole."""
    cr.execute(CONNECTIONS)
    [row] = cr.dictfetchall()
    return row


def cancel(cr, pid: int, processes: dict[str, str]) -> dict:
    """End the statement that a session of this database runs; tell what it was.

    It is looked up and ended by one statement, so that it is no other one.
    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL

    :raise ToolError: there is none that this call may end
    """
    cr.execute("SELECT pg_backend_pid()")
    if cr.fetchone()[0] == pid:
        raise ToolError(f"{pid} is the session of this very call.")
    cr.execute(CANCEL, [pid])
    rows = cr.dictfetchall()
    if not rows:
        raise ToolError(
            f"{pid} is no client's session of this database: what='queries' lists them."
        )
    [row] = rows
    told, state = row.pop("told"), row["state"] or ""
    found = _told(row, processes)
    if not told:
        raise ToolError(f"{pid} has ended by itself.")
    if state.startswith("idle"):
        found["note"] = (
            f"It is {state}, so that there is no statement to cancel. "
            "pg_terminate_backend in execute_sql ends the session."
        )
    return found
