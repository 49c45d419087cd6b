"""Looks after the calls that run in this process, in one thread for all of them.

Does somebody want one stopped, at whatever server the wish arrived? Does its client
still listen? PostgreSQL is asked once for all calls, and only while one lasts.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from odoo import sql_db

from .exceptions import Cancelled, Suspended
from .live_call import LiveCall

_logger = logging.getLogger(__name__)

TURN_SECONDS = 0.5
"""So long a call may last before anybody asks whether it is to be stopped."""

STOPPED = "The call was cancelled."


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
        unwanted = {}
        for database in {database for _call, database in old}:
            entries = [call.entry for call, name in old if name == database]
            unwanted |= _unwanted(database, [entry for entry in entries if entry])
        for call, database in old:
            if why := unwanted.get((database, call.entry)):
                call.cancel(Cancelled(why))
            reason = call.client.tick(call.cancelled)
            if reason:
                call.cancel(reason)


def _unwanted(database: str, entries: list[int]) -> dict[tuple[str, int], str]:
    """Return those of the calls that somebody has asked to stop, and why.

    All, while access is suspended: a wish that is written down at each open call would
    miss those that are let in at that moment.
    """
    if not entries:
        return {}
    # not the registry's cursor: a test's would not see what others commit
    try:
        with sql_db.db_connect(database).cursor() as cr:
            cr.execute(
                "SELECT id, mcp_suspended() FROM mcp_audit_log "
                "WHERE id = ANY(%s) AND (cancel_requested OR mcp_suspended())",
                [entries],
            )
            return {
                (database, entry): str(Suspended()) if suspended else STOPPED
                for entry, suspended in cr.fetchall()
            }
    except psycopg2.Error as error:
        _logger.debug("calls of %s: %s", database, error)
        return {}


watcher = Watcher()


def _forget_in_fork() -> None:
    """Threads do not survive a fork, nor may it wait for what they have locked."""
    global watcher
    watcher = Watcher()


os.register_at_fork(after_in_child=_forget_in_fork)


def calls_of(database: str) -> list[int]:
    """Return the audit entries of the calls that run in this process."""
    with watcher.lock:
        calls = list(watcher.calls.items())
    return [call.entry for call, name in calls if call.entry and name == database]


def watching(call: LiveCall, database: str):
    """Look after a call of ``database`` until it has ended, as a context manager."""
    return watcher.watching(call, database)
