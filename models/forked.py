"""Run work in a fork of this process: it has the registry, and can be killed."""

import contextlib
import json
import logging
import os
import select
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from odoo import sql_db

from . import descriptors, left_behind
from .fork_child import PID_SIZE, be_detached, be_fork, fork
from .live_call import LiveCall
from .process_output import Output

_logger = logging.getLogger(__name__)

ATTEMPTS = 5
BEGIN_SECONDS = 2
"""A fork that has not begun by then waits for a lock that nobody holds; none of the
work has run, so that another one may be tried."""

END_SECONDS = 5
"""So long a fork may take to end all that it has started."""

MOST_TOLD = 16 * 1024 * 1024
"""Bytes of one line that a fork tells; the code in it can write there, too."""

TOLD = ("progress", "log")
"""What it tells its call, beside its result and its commit."""

HUNG = "fork %d hung before it began: another one is tried"


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
        found = Fork(work, database)
        try:
            if found.begun():
                with call.interrupt() as interrupt:
                    following = Following(found, keep, call)
                    ended = following.to_the_end(interrupt, timeout)
                if ended.result is None:
                    _end_backends(database, found.worker)
                if not ended.committed:
                    call.check()
                return ended
            _logger.warning(HUNG, found.pid)
        finally:
            found.end()
            os.close(found.result)
            os.close(found.output)
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
            pid = fork()
            if not pid:
                be_detached(work, database, told)
            os.close(told)
        try:
            os.waitpid(pid, 0)
            pid = int(os.read(result, PID_SIZE) or 0)
            if pid and _begun(result):
                return
            _logger.warning(HUNG, pid)
            if pid:
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(result)
    raise ForkError(f"{ATTEMPTS} forks hung before they began; nothing has run")


def _begun(result: int) -> bool:
    """Wait for the byte that says that the fork has got past all locks."""
    with selectors.DefaultSelector() as selector:
        selector.register(result, selectors.EVENT_READ)
        return bool(selector.select(BEGIN_SECONDS)) and os.read(result, 1) == b"."


class Fork:
    """A fork that ends with this process: a reaper, and the worker below it.

    :param result: descriptor of what the worker tells: lines of JSON
    :param output: descriptor of what it prints
    """

    def __init__(self, work, database: str) -> None:
        self.mark = left_behind.new_mark()
        with descriptors.lock:
            self.result, told = os.pipe()
            self.output, printed = os.pipe()
            leash, self.held = os.pipe()
            descriptors.held.add(self.held)
            self.pid = fork()
            if not self.pid:
                os.environ[left_behind.VARIABLE] = self.mark
                be_fork(work, database, told, printed, leash)
            for descriptor in (told, printed, leash):
                os.close(descriptor)
        self.worker = 0
        self.status: int | None = None

    def begun(self) -> bool:
        """Wait until the worker runs; tell whether it does."""
        if not _begun(self.result):
            return False
        self.worker = int(os.read(self.result, PID_SIZE))
        return True

    def end(self) -> int:
        """End the fork with all below it, if it has not ended; return its status."""
        if self.status is not None:
            return self.status
        with descriptors.lock:
            descriptors.held.discard(self.held)
            os.close(self.held)
        descriptor = os.pidfd_open(self.pid)
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        if not poller.poll(END_SECONDS * 1000):
            # the worker below dies with it
            os.kill(self.pid, signal.SIGKILL)
        os.close(descriptor)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self.status < 0:
            # the reaper was killed, or tells that its worker was
            left_behind.kill_marked(self.mark)
        return self.status


class Following:
    """What a fork tells and prints, as it comes."""

    def __init__(self, found: Fork, keep: int, call: LiveCall) -> None:
        self.fork = found
        self.result = found.result
        self.output = found.output
        self.call = call
        self.printed = Output(keep)
        self.rest = b""
        self.committed = False
        self.mangled = False
        self.found: dict | None = None

    def to_the_end(self, interrupt: int, timeout: float) -> Forked:
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
                        running = running and not self.mangled
                    else:
                        selector.unregister(key.fd)
                        running = running and key.fd != self.result
        timed_out = time.monotonic() >= end and self.found is None
        status = self.fork.end()
        os.set_blocking(self.output, False)
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.output, 65536):
                self._take(self.output, data)
        text = self.printed.text()
        found = None if self.mangled else self.found
        return Forked(found, text, status, timed_out, self.committed)

    def _take(self, descriptor: int, data: bytes) -> None:
        if descriptor == self.output:
            self.printed.add(data)
            self.call.output(data)
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > MOST_TOLD:
            self._distrust("a line without an end")
            self.rest = b""
        for line in lines:
            try:
                kind, value = json.loads(line)
                self._hear(kind, value)
            except (RecursionError, TypeError, ValueError) as error:
                self._distrust(error)

    def _distrust(self, why: object) -> None:
        """Take nothing for the result: the work itself has written where it is told."""
        _logger.warning("fork %d told what is nothing: %r", self.fork.pid, why)
        self.mangled = True

    def _hear(self, kind: str, value) -> None:
        if kind == "result":
            self.found = value
        elif kind == "committed":
            self.committed = True
        elif kind in TOLD:
            getattr(self.call, kind)(*value)
        else:
            raise ValueError(f"no {kind!r} is told")


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
