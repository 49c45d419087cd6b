"""A call while it runs: whom it tells how it goes, and how it is stopped.

A toolset finds it as ``mcp_call`` in the context; :func:`live` gives a silent one where
there is none.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .content import Content
from .exceptions import Cancelled, ToolError
from .questions import Asking, Nobody

_logger = logging.getLogger(__name__)

REPORT_SECONDS = 0.5

# RFC 5424 section 6.2.1, as MCP names them
LEVELS = (
    *("debug", "info", "notice", "warning"),
    *("error", "critical", "alert", "emergency"),
)


class Client:
    """Who waits for a call and hears how it goes; this one hears nothing."""

    listens = False
    """It takes a stream of events, so that it can be asked over it."""

    def ask(self, number: str, method: str, params: dict) -> None:
        """Hear a request to itself.

        :param number: the JSON-RPC id to answer with
        """

    def settle(self, number: str, *, answered: bool) -> None:
        """Hear that nobody waits for the answer to a request any more."""

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
        self.asking: Asking = Nobody()
        self.attached: list[Content] = []
        """Blocks that go with the answer, e.g. the address of a file."""
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

    def ask(self, questions: dict[str, dict]) -> dict[str, dict]:
        """Ask the client, and return its answers; see :meth:`.questions.Asking.ask`."""
        return self.asking.ask(questions, self)

    def time_left(self) -> float | None:
        """Return the seconds that the call may still take; None: no end."""
        if self.timeout is None:
            return None
        return max(0.1, self.began + self.timeout - time.monotonic())

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


def live(env) -> LiveCall:
    """Return the call under way, or one that nobody waits for."""
    return env.context.get("mcp_call") or LiveCall()
