"""Ends of calls that PostgreSQL could not be told when they came: it was restarted, or
took no more connections. They are told when it can be, or an entry would stay open for
as long as its process lives.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable

import psycopg2

from odoo.modules.registry import Registry

from .call_watcher import calls_of
from .kept_connections import broken
from .transactions import Transactions

_logger = logging.getLogger(__name__)

TURN_SECONDS = 2
LATER_SECONDS = 5
"""After PostgreSQL could still not be told."""

Close = Callable[[object], None]
"""Closes an entry: called with an environment, as superuser."""


class Owed:
    """What is to be told about the calls of one database.

    :param strays: entries that were open at the last look, and of no call that runs;
        None: nobody has looked yet
    """

    def __init__(self) -> None:
        self.closes: list[Close] = []
        self.strays: set[int] | None = None


class LateEnds:
    """What this process owes the audit, told by a thread that starts with the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owed: dict[str, Owed] = {}
        self.thread: threading.Thread | None = None

    def owe(self, database: str, *closes: Close) -> None:
        """Have entries closed as soon as PostgreSQL can be told.

        Those that nobody knows of, too: of a statement whose answer was lost nobody
        can tell whether it was committed.
        """
        with self.lock:
            owed = self.owed.setdefault(database, Owed())
            owed.closes += closes
            owed.strays = None
            if self.thread is None:
                self.thread = threading.Thread(
                    target=self._run, name="odoo_dev_mcp.late_ends", daemon=True
                )
                self.thread.start()

    def _run(self) -> None:
        # signals are for Odoo's own threads
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        pause, seconds = threading.Event(), TURN_SECONDS
        while self._some():
            pause.wait(seconds)
            seconds = TURN_SECONDS
            for database in [*self.owed]:
                try:
                    self._tell(database)
                except psycopg2.Error as error:
                    _logger.debug("late ends of %s: %s", database, error)
                    seconds = LATER_SECONDS
                except Exception:
                    # the addon is gone, say
                    _logger.exception("late ends of %s", database)
                    del self.owed[database]

    def _some(self) -> bool:
        with self.lock:
            if not self.owed:
                self.thread = None
            return bool(self.owed)

    def _tell(self, database: str) -> None:
        owed = self.owed[database]
        with Transactions(Registry(database)).statements() as env:
            while owed.closes:
                owed.closes[0](env)
                del owed.closes[0]
            before = owed.strays
            strays = env["mcp.audit.log"]._strays(calls_of(database))
            # one that was no stray before may be a call that is just beginning
            gone = strays & (before or set())
            for entry in gone:
                env["mcp.audit.log"]._close(entry, "lost", duration_ms=0)
        with self.lock:
            if owed.strays is before:
                owed.strays = strays - gone
            if before is not None and not owed.closes and not owed.strays:
                del self.owed[database]


late_ends = LateEnds()


def _forget_in_fork() -> None:
    """They are the parent's to tell."""
    global late_ends
    late_ends = LateEnds()


os.register_at_fork(after_in_child=_forget_in_fork)


def owe(database: str, *closes: Close) -> None:
    """See :meth:`LateEnds.owe`."""
    late_ends.owe(database, *closes)


# an end that did not wait for the disk is lost in a crash: its entry is open again
broken.append(owe)
