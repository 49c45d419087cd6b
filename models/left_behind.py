"""Processes that have outlived whoever was to end them.

A reaper and what runs below it are of one account, so that a command or code can kill
its reaper: then what it has started besides is nobody's. All of it has inherited a mark
in its environment. proc(5)
"""

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator

VARIABLE = "ODOO_MCP_RUN"
MOST_ROUNDS = 100
PAUSE = 0.01
"""Seconds, for the kernel to end what was killed."""


def new_mark() -> str:
    """Return a mark that nobody else has."""
    return secrets.token_hex(16)


def kill_marked(mark: str) -> None:
    """Kill whatever has the mark, and what it forks meanwhile."""
    for _round in range(MOST_ROUNDS):
        found = list(_marked(f"{VARIABLE}={mark}".encode()))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE)


def _marked(variable: bytes) -> Iterator[int]:
    for name in filter(str.isdecimal, os.listdir("/proc")):
        # of another account, or gone
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if variable in file.read().split(b"\0"):
                yield int(name)
