"""Run work in a fork of this process, which has the registry loaded and can be killed.

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
import selectors
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from odoo import http, sql_db
from odoo.modules.registry import Registry

from . import descriptors
from .live_call import LiveCall
from .process_output import Output

_logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

ATTEMPTS = 5
BEGIN_SECONDS = 2
"""A fork that has not begun by then waits for a lock that nobody holds; none of the
work has run, so that another one may be tried."""

PID_SIZE = 12
"""Bytes that a process id is told in."""

LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Forked:
    """How the work ended.

    :param result: what it returned; None: it returned nothing, see ``status``
    :param output: what it printed, standard output and error together
    :param status: exit status; negative: the signal that killed it
    :param timed_out: it was killed at its deadline
    :param committed: it had said that it has committed
    """

    result: dict | None
    output: str
    status: int
    timed_out: bool
    committed: bool


class ForkError(Exception):
    """No fork came to life; the work has not run."""


Tell = Callable[[str, object], object]
"""How the fork tells the parent, with JSON: ``committed`` (True), ``progress`` and
``log`` (the arguments of :meth:`.live_call.LiveCall.progress` and ``log``)."""


def run(
    work: Callable[[Tell], dict],
    database: str,
    *,
    timeout: float,
    keep: int,
    call: LiveCall | None = None,
) -> Forked:
    """Run ``work`` in a fork, and kill it and all below it at the deadline.

    The caller holds no lock in the database that ``work`` might wait for.

    :param work: returns a JSON object; it may use the registry of ``database``, and
        its argument to tell how it goes
    :param keep: bytes of its output that are kept
    :param call: it hears what the fork tells and prints, and may stop it
    :raise ForkError: see there
    :raise Cancelled: the call was stopped, and the fork with it
    """
    call = call or LiveCall()
    for _attempt in range(ATTEMPTS):
        with descriptors.lock:
            result, told = os.pipe()
            output, printed = os.pipe()
            pid = _fork()
            if not pid:
                _child(work, database, told, printed)
            os.close(told)
            os.close(printed)
        try:
            if _begun(result):
                with call.interrupt() as interrupt:
                    following = Following(result, output, keep, call)
                    ended = following.to_the_end(pid, interrupt, timeout)
                if ended.result is None:
                    _end_backends(database, pid)
                if not ended.committed:
                    call.check()
                return ended
            _logger.warning("fork %d hung before it began: another one is tried", pid)
        finally:
            _end(pid)
            os.close(result)
            os.close(output)
    raise ForkError(f"{ATTEMPTS} forks hung before they began; nothing has run")


def detach(work: Callable[[], None], database: str) -> None:
    """Run ``work`` in a fork that outlives this process, and is nobody's child.

    It has none of this process's descriptors but those of its log: a socket that it
    kept would never close.

    :raise ForkError: see there
    """
    for _attempt in range(ATTEMPTS):
        with descriptors.lock:
            result, told = os.pipe()
            pid = _fork()
            if not pid:
                _detached(work, database, told)
            os.close(told)
        try:
            os.waitpid(pid, 0)
            pid = int(os.read(result, PID_SIZE) or 0)
            if pid and _begun(result):
                return
            _logger.warning("fork %d hung before it began: another one is tried", pid)
            if pid:
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(result)
    raise ForkError(f"{ATTEMPTS} forks hung before they began; nothing has run")


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of forks with threads; see above
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _begun(result: int) -> bool:
    """Wait for the byte that says that the fork has got past all locks."""
    with selectors.DefaultSelector() as selector:
        selector.register(result, selectors.EVENT_READ)
        return bool(selector.select(BEGIN_SECONDS)) and os.read(result, 1) == b"."


class Following:
    """What a fork tells and prints, as it comes.

    :param result: descriptor of what it tells: lines of JSON
    :param output: descriptor of what it prints
    """

    def __init__(self, result: int, output: int, keep: int, call: LiveCall) -> None:
        self.result = result
        self.output = output
        self.call = call
        self.printed = Output(keep)
        self.rest = b""
        self.committed = False
        self.found: dict | None = None

    def to_the_end(self, pid: int, interrupt: int, timeout: float) -> Forked:
        """Read until the work has told its result, has vanished, is not wanted any
        more, or its time is up."""
        end = time.monotonic() + timeout
        running = True
        with selectors.DefaultSelector() as selector:
            for descriptor in (self.result, self.output, interrupt):
                selector.register(descriptor, selectors.EVENT_READ)
            while running and (left := end - time.monotonic()) > 0:
                for key, _events in selector.select(left):
                    if key.fd == interrupt:
                        running = False
                    elif data := os.read(key.fd, 65536):
                        self._take(key.fd, data)
                    else:
                        selector.unregister(key.fd)
                        running = running and key.fd != self.result
        timed_out = time.monotonic() >= end and self.found is None
        status = _end(pid)
        os.set_blocking(self.output, False)
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.output, 65536):
                self._take(self.output, data)
        text = self.printed.text()
        return Forked(self.found, text, status, timed_out, self.committed)

    def _take(self, descriptor: int, data: bytes) -> None:
        if descriptor == self.output:
            self.printed.add(data)
            self.call.output(data)
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        for kind, value in map(json.loads, lines):
            if kind == "result":
                self.found = value
            elif kind == "committed":
                self.committed = True
            else:
                getattr(self.call, kind)(*value)


def _end_backends(database: str, pid: int) -> None:
    """End what a killed fork runs in PostgreSQL, which would go on with its locks.

    Odoo names the connections of a process after it.
    """
    name = sql_db.connection_info_for(database)[1].get("application_name", "")
    if str(os.getpid()) not in name:
        return  # an administrator has named them otherwise
    with sql_db.db_connect(database).cursor() as cr:
        cr.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            [name.replace(str(os.getpid()), str(pid))],
        )


def _end(pid: int) -> int:
    """Kill a fork with all below it, and return its exit status; 0 if it is gone.

    The fork is its descendants' reaper, so that they are found below it until it ends.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0  # reaped before: its id may be another process's by now
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            process.suspend()
            below = process.children(recursive=True)
            process.kill()
            for descendant in below:
                with contextlib.suppress(psutil.Error):
                    descendant.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 0


def _child(work, database: str, told: int, printed: int) -> None:
    """Be the fork: never return, whatever happens."""
    status = 1
    try:
        os.setsid()
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _settle(database)
        _redirect(printed)
        os.write(told, b".")
        with os.fdopen(told, "w") as stream:

            def tell(kind: str, value: object) -> None:
                stream.write(json.dumps([kind, value]) + "\n")
                stream.flush()

            answer = work(tell)
            sys.stdout.flush()
            sys.stderr.flush()
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    process.kill()
            tell("result", answer)
        status = 0
    except BaseException:
        with contextlib.suppress(BaseException):
            os.write(printed, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _detached(work, database: str, told: int) -> None:
    """Be the fork that outlives its parent: never return, whatever happens."""
    status = 1
    try:
        os.setsid()
        if _fork():
            os._exit(0)
        os.write(told, b"%*d" % (PID_SIZE, os.getpid()))
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


def _close_all_but(told: int) -> None:
    kept = {0, 1, 2, told}
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
