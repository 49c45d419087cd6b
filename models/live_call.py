"""A call while it runs: whom it tells how it goes, and how it is stopped.

A toolset finds it as ``mcp_call`` in the context; :func:`live` gives a silent one where
there is none. One thread of each process looks after all its calls: whether somebody
wants one stopped, at whatever server the wish arrived, and whether its client still
listens. It asks PostgreSQL once for all calls, and only while one lasts.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2

from odoo import sql_db

from .exceptions import Cancelled, ToolError

_logger = logging.getLogger(__name__)

TURN_SECONDS = 0.5
"""So long a call may last before anybody asks whether it is to be stopped."""

REPORT_SECONDS = 0.5

# RFC 5424 section 6.2.1, as MCP names them
LEVELS = (
    *("debug", "info", "notice", "warning"),
    *("error", "critical", "alert", "emergency"),
)

STOPPED = "The call was cancelled."


class Client:
    """Who waits for a call and hears how it goes; this one hears nothing."""

    def progress(self, done: float, total: float | None, message: str) -> None:
        """Hear how far the work is.

        :param done: in whatever unit the work has; it only grows
        """

    def log(self, level: str, data: object, logger: str) -> None:
        """Hear of an event.

        :param level: of RFC 5424: ``debug``, ``info``, ``warning``, ``error``…
        """

    def output(self, data: bytes) -> None:
        """Hear what the work prints, as it comes."""

    def obey(self, level: str) -> None:
        """Hear of events from this level on only, as the client once asked for.

        :param level: see :meth:`log`; empty: it has not
        """

    def finish(self) -> None:
        """Do what is due when the work has ended, before anybody is told so."""

    def tick(self, cancelled: Cancelled | None) -> Cancelled | None:
        """Do what is due twice a second.

        :param cancelled: why the call is to be stopped, if it is
        :return: the same, or another reason to stop it
        """
        return cancelled


class LiveCall:
    """What a toolset finds as ``mcp_call`` in the context while a client waits.

    The transaction of ``self.env`` is then the call's own.

    :param entry: id of the call's audit entry
    :param timeout: seconds that the call may take; None: no end
    """

    def __init__(
        self,
        entry: int | None = None,
        *,
        timeout: float | None = None,
        client: Client | None = None,
    ) -> None:
        self.entry = entry
        self.timeout = timeout
        self.client = client or Client()
        self.afterwards: list[Callable[[], None]] = []
        """What is to be done when the answer has been sent, e.g. a restart of the
        server that sends it."""
        self.began = self._reported = time.monotonic()
        self.cancelled: Cancelled | None = None
        self._stops: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def progress(self, done: float, total: float | None = None, message: str = ""):
        """Tell how far the work is."""
        self.client.progress(done, total, message)

    def report(self, done: float, total: float | None, message: str) -> None:
        """Tell how far the work is if it takes long, and not too often."""
        now = time.monotonic()
        if now > self._reported + REPORT_SECONDS:
            self._reported = now
            self.progress(done, total, message)

    def log(self, level: str, data: object, logger: str = "") -> None:
        """Tell of an event; see :meth:`Client.log`.

        :raise ToolError: there is no such level
        """
        if level not in LEVELS:
            raise ToolError(f"{level!r} is no level: {', '.join(LEVELS)}.")
        self.client.log(level, data, logger)

    def output(self, data: bytes) -> None:
        """Tell what the work prints."""
        self.client.output(data)

    def check(self) -> None:
        """End here if somebody wants the call stopped.

        :raise Cancelled: so it is
        """
        if self.cancelled:
            raise self.cancelled

    def cancel(self, reason: Cancelled) -> None:
        """Stop the work; again if it has not ended since."""
        with self._lock:
            self.cancelled = self.cancelled or reason
            for stop in self._stops:
                with contextlib.suppress(Exception):
                    stop()

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """Have ``stop`` called, from another thread and perhaps repeatedly, when the
        call is to end meanwhile.

        :raise Cancelled: it is to end already
        """
        with self._lock:
            self.check()
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

    @contextmanager
    def interrupt(self) -> Iterator[int]:
        """Give a descriptor that can be read from when the call is to end."""
        descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            with self.stopping(lambda: os.eventfd_write(descriptor, 1)):
                yield descriptor
        finally:
            os.close(descriptor)


class RecordCall:
    """What the code of a record finds as ``mcp``, by plain calls.

    :param call: the call that it is part of
    """

    def __init__(self, call: LiveCall) -> None:
        self.progress = call.progress
        self.log = call.log


def live(env) -> LiveCall:
    """Return the call under way, or one that nobody waits for."""
    return env.context.get("mcp_call") or LiveCall()


class Watcher:
    """Looks after the calls of this process, in a thread that starts with the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls: dict[LiveCall, str] = {}
        self.some = threading.Event()
        self.thread: threading.Thread | None = None

    @contextmanager
    def watching(self, call: LiveCall, database: str) -> Iterator[None]:
        """Look after a call of ``database`` until it has ended."""
        with self.lock:
            self.calls[call] = database
            self.some.set()
            if self.thread is None:
                self.thread = threading.Thread(
                    target=self._run, name="odoo_dev_mcp.calls", daemon=True
                )
                self.thread.start()
        try:
            yield
        finally:
            with self.lock:
                del self.calls[call]

    def _run(self) -> None:
        # signals are for Odoo's own threads
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        turn = threading.Event()
        while self.some.wait():
            turn.wait(TURN_SECONDS)
            with self.lock:
                calls = list(self.calls.items())
                if not calls:
                    self.some.clear()
            try:
                self._look_after(calls)
            except Exception:
                _logger.exception("looking after %d calls failed", len(calls))

    def _look_after(self, calls: list[tuple[LiveCall, str]]) -> None:
        begun = time.monotonic() - TURN_SECONDS
        old = [(call, database) for call, database in calls if call.began < begun]
        unwanted = set()
        for database in {database for _call, database in old}:
            entries = [call.entry for call, name in old if name == database]
            unwanted |= _unwanted(database, [entry for entry in entries if entry])
        for call, database in old:
            if (database, call.entry) in unwanted:
                call.cancel(Cancelled(STOPPED))
            reason = call.client.tick(call.cancelled)
            if reason:
                call.cancel(reason)


def _unwanted(database: str, entries: list[int]) -> set[tuple[str, int]]:
    """Return those of the calls that somebody has asked to stop."""
    if not entries:
        return set()
    # not the registry's cursor: a test's would not see what others commit
    try:
        with sql_db.db_connect(database).cursor() as cr:
            cr.execute(
                "SELECT id FROM mcp_audit_log WHERE id = ANY(%s) AND cancel_requested",
                [entries],
            )
            return {(database, entry) for (entry,) in cr.fetchall()}
    except psycopg2.Error as error:
        _logger.debug("calls of %s: %s", database, error)
        return set()


watcher = Watcher()


def _forget_in_fork() -> None:
    """Threads do not survive a fork, nor may it wait for what they have locked."""
    global watcher
    watcher = Watcher()


os.register_at_fork(after_in_child=_forget_in_fork)


def watching(call: LiveCall, database: str):
    """Look after a call of ``database`` until it has ended, as a context manager."""
    return watcher.watching(call, database)
