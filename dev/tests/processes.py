"""The processes of this machine that a test has caused."""

import psutil

from dev.tests.backend import Backend


def processes(mark: str) -> list[psutil.Process]:
    """Those whose command line has the mark in it."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if mark in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found


def job_processes(backend: Backend, key: str) -> list[psutil.Process]:
    """The processes that run jobs of a key now, as their audit entries name them."""
    rows = backend.rows(
        "SELECT process FROM mcp_audit_log a JOIN mcp_job j ON j.entry_id = a.id "
        "WHERE a.key_id = %s AND j.state = 'running'",
        backend.key_id(key),
    )
    return [psutil.Process(int(row["process"].split()[-2])) for row in rows]
