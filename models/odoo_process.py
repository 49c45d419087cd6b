"""This Odoo as processes: which it consists of, and how it is restarted."""

import functools
import hashlib
import os
import shutil
import signal
import sys
import time

import psutil

from odoo.service import server

from .exceptions import ToolError

MEBIBYTE = 1024 * 1024

LOADED_AT, LOADED_IN = time.time(), os.getpid()
"""When and in which process this addon was imported; later forks have it from there."""


served: dict[str, float] = {}
"""In a process that works for a server: its ``pid``, and ``python_since`` there."""


def main_pid() -> int:
    """Return the process that the others belong to: the master, or the only one."""
    if served:
        return int(served["pid"])
    return server.server.pid if server.server else os.getpid()


def python_since() -> float:
    """Return the time since which no module's Python was read again (epoch seconds).

    A restart keeps the process and its start time; this addon is imported anew.
    """
    if served:
        return served["python_since"]
    main = main_pid()
    return LOADED_AT if main == LOADED_IN else psutil.Process(main).create_time()


def start_ticks(pid: int) -> int:
    """Return when a process was started, as proc(5) tells it; 0: it is gone.

    Unlike the time of day it does not move when the clock is set.
    """
    try:
        with open(f"/proc/{pid}/stat") as stat:
            values = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if values[0] == "Z" else int(values[19])


def program(pid: int) -> str:
    """Return what tells the program that a process executes from the one before it.

    A restart by SIGHUP keeps the process id: what the kernel told the new program
    (``/proc/PID/auxv``, with random bytes' address and more) is another then. proc(5).

    :return: empty: it is not ours to see
    :raise OSError: there is no such process
    """
    try:
        with open(f"/proc/{pid}/auxv", "rb") as auxv:
            return hashlib.sha256(auxv.read()).hexdigest()
    except PermissionError:
        return ""


@functools.cache
def own_program() -> str:
    """Return the program of the server that this process belongs to.

    Asked when the process starts: a worker may outlive a restart. 19.0 keeps those of
    before until the new ones serve, and they are the server's children as these are.
    """
    return program(main_pid())


def is_of_before() -> bool:
    """Tell whether the server has ended, or executed itself again, since it started
    this process."""
    try:
        return program(main_pid()) != own_program()
    except OSError:
        return True


def describe(pid: int) -> dict:
    """Return what the system tells of a process and all below it.

    :return: pid, memory_mb (resident, together), cpu_percent (average since its start,
        together), uptime_seconds
    :raise psutil.Error: it is gone, or not ours to see
    """
    process = psutil.Process(pid)
    age = max(time.time() - process.create_time(), 0.001)
    memory = busy = 0
    for one in (process, *process.children(recursive=True)):
        try:
            with one.oneshot():
                memory += one.memory_info().rss
                times = one.cpu_times()
                busy += times.user + times.system
        except psutil.Error:
            continue
    return {
        "pid": pid,
        "memory_mb": round(memory / MEBIBYTE, 1),
        "cpu_percent": round(100 * busy / age, 1),
        "uptime_seconds": round(age),
    }


def workers() -> list[dict]:
    """Return the processes of this Odoo beside the main one, by what they do."""
    found = []
    for process in psutil.Process(main_pid()).children():
        try:
            # Odoo names its processes where setproctitle is installed
            title = " ".join(process.cmdline())
            row = describe(process.pid)
        except psutil.Error:
            continue
        marks = {"WorkerHTTP": "http", "WorkerCron": "cron", "gevent": "gevent"}
        marks[" mcp "] = "listener"
        kind = next((marks[mark] for mark in marks if mark in title), "process")
        found.append({"kind": kind, **row})
    return found


def check_restart() -> None:
    """Refuse a restart that would not come back.

    On SIGHUP Odoo executes itself by the name of its interpreter, as PATH finds it.

    :raise ToolError: PATH finds another one
    """
    name = os.path.basename(sys.executable)
    found = shutil.which(name)
    if found != sys.executable:
        raise ToolError(
            f"Odoo would not come back: it restarts {name} by name, which PATH finds "
            f"as {found}, but it runs {sys.executable}. Put "
            f"{os.path.dirname(sys.executable)} first in the PATH that Odoo is started "
            "with."
        )


def restart() -> None:
    """Let Odoo end its work and execute itself again, under the same process id."""
    os.kill(main_pid(), signal.SIGHUP)


def stop() -> None:
    """Let Odoo end its work, and end."""
    os.kill(main_pid(), signal.SIGTERM)
