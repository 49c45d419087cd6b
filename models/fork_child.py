"""What a fork of a server process is and does, before its work and around it.

A fork of a threaded process owns the locks that other threads held at that moment, and
shares their connections: both are replaced before anything else happens. Tried on both
series under load: without that most forks hang.
"""

import contextlib
import ctypes
import gc
import io
import json
import logging
import os
import resource
import select
import signal
import sys
import threading
import traceback
import warnings

import psutil

from odoo import http, sql_db
from odoo.modules.registry import Registry

from . import descriptors
from .command_supervisor import offer_to_oom_killer

_logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None)

MOST_ROUNDS = 1000

PID_SIZE = 12
"""Bytes that a process id is told in."""


def fork() -> int:
    """Fork this process, which has threads."""
    with warnings.catch_warnings():
        # Python 3.12 warns of that; see above
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def be_fork(work, database: str, told: int, printed: int, leash: int) -> None:
    """Be the fork and its reaper: never return, whatever happens.

    The work is done in a process below: whatever it starts, detached or not, becomes a
    descendant of the reaper, the "subreaper" of prctl(2), and ends with it.

    :param leash: its end says that nobody waits any more, or lives
    """
    try:
        # what is the parent's is not to be finalized here, connections least of all
        gc.disable()
        os.setsid()
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        descriptors.forget_in_fork()
        _close_all_but(told, printed, leash)
        _reset_signals()
        pid = fork()
        if not pid:
            os.close(leash)
            _be_worker(work, database, told, printed)
        os.close(told)
        os.close(printed)
        _reap(pid, leash)
    finally:
        os._exit(1)


def _reap(pid: int, leash: int) -> None:
    """Wait for the work or the end of the leash; end all, and exit as the work did."""
    poller = select.poll()
    for descriptor in (os.pidfd_open(pid), leash):
        poller.register(descriptor, select.POLLIN)
    poller.poll()
    status = None
    for _round in range(MOST_ROUNDS):
        kill_below()
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == pid:
                    status = os.waitstatus_to_exitcode(ended[1])
            os.sched_yield()
            continue
        break
    if status is not None and status < 0:
        os.kill(os.getpid(), -status)
    os._exit(1 if status is None else status)


def kill_below() -> None:
    """Kill all descendants of this process."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _be_worker(work, database: str, told: int, printed: int) -> None:
    """Do the work, and tell what came of it."""
    status = 1
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        offer_to_oom_killer()
        _settle(database)
        gc.enable()
        _redirect(printed)
        os.write(told, b"." + pid_told())
        with os.fdopen(told, "w") as stream:

            def tell(kind: str, value: object) -> None:
                stream.write(json.dumps([kind, value]) + "\n")
                stream.flush()

            answer = work(tell)
            flush_output()
            kill_below()
            tell("result", answer)
        status = 0
    except BaseException:
        with contextlib.suppress(BaseException):
            os.write(printed, traceback.format_exc().encode())
    finally:
        os._exit(status)


def flush_output() -> None:
    """Send on what is printed, whatever the work has made of the streams."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def pid_told() -> bytes:
    """Return the id of this process as it is told to the parent."""
    return b"%*d" % (PID_SIZE, os.getpid())


def be_detached(work, database: str, told: int) -> None:
    """Be the fork that outlives its parent: never return, whatever happens."""
    status = 1
    try:
        os.setsid()
        if fork():
            os._exit(0)
        os.write(told, pid_told())
        _settle(database)
        _close_all_but(told)
        os.write(told, b".")
        os.close(told)
        work()
        status = 0
    except BaseException:
        _logger.exception("a detached process failed")
    finally:
        os._exit(status)


def _settle(database: str) -> None:
    """Make the fork a process of its own: signals, limits, locks, connections."""
    descriptors.forget_in_fork()
    _reset_signals()
    reset_limits()
    _replace_locks_and_pools(database)


def _close_all_but(*given: int) -> None:
    """Close what is the parent's: a socket that the fork kept would never close."""
    kept = {0, 1, 2, *given}
    for handler in logging.getLogger().handlers:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            kept.add(handler.stream.fileno())
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def reset_limits() -> None:
    """Undo what Odoo bounds its workers with: this process is bounded otherwise."""
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (hard, hard))


KEPT: list[object] = []
"""Connections of the parent: never used, closed, or collected in a fork."""


def _replace_locks_and_pools(database: str) -> None:
    """Give the fork locks that nobody holds and connections of its own."""
    gc.freeze()
    Registry._lock = threading.RLock()
    registries = Registry.registries
    registries._lock = threading.RLock()
    KEPT.extend((sql_db._Pool, sql_db._Pool_readonly))
    sql_db._Pool = sql_db._Pool_readonly = None
    registry = registries[database]
    for cache in registry._Registry__caches.values():
        cache._lock = threading.RLock()
    KEPT.extend((registry._db, registry._db_readonly))
    registry._db = sql_db.db_connect(database, readonly=False)
    if registry._db_readonly is not None:
        registry._db_readonly = sql_db.db_connect(database, readonly=True)
    # the request is the parent's; its cursor is closed
    while http._request_stack.top is not None:
        KEPT.append(http._request_stack.pop())


def _redirect(printed: int) -> None:
    """Send what is printed, by C code too, to the parent; log lines stay in the log."""
    log = os.dup(2)
    for handler in logging.getLogger().handlers:
        if getattr(handler, "stream", None) in (sys.stderr, sys.stdout):
            handler.stream = _text_stream(log)
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((empty, 0), (printed, 1), (printed, 2)):
        os.dup2(source, target)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout, sys.stderr = _text_stream(1), _text_stream(2)


def _text_stream(descriptor: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.FileIO(descriptor, "w", closefd=False),
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )
