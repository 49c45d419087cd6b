"""What the client of a call is told while it runs: progress and log messages."""

import threading
import time

from ..models.exceptions import Cancelled
from ..models.live_call import LEVELS, Client
from ..models.redaction import redact_text
from ..models.visible import visible
from .stream import EventStream

LINES_SECONDS = 0.25
"""Between two notices of what a program prints."""

QUIET_SECONDS = 0.5
"""So long a call may run before what it prints is worth a stream."""

LONGEST_LINE = 200


class StreamClient(Client):
    """A client that waits for the answer to its POST.

    :param listens: it takes an event stream
    :param token: its progressToken; None: it wants no progress
    :param level: the least level of log messages that it wants; None: it wants none
    :param modern: as from 2026-07-28 on, to close the connection means to cancel the
        call, and the level is the request's alone
    """

    def __init__(
        self,
        stream: EventStream,
        *,
        listens: bool,
        token: str | int | None,
        level: str | None,
        modern: bool,
    ) -> None:
        self.stream = stream
        self.listens = listens
        self.token = token if listens else None
        self.level = level if listens else None
        self.modern = modern
        self.began = self.told = time.monotonic()
        self.lock = threading.Lock()
        self.latest: float = -1
        self.lines = 0
        self.line = b""
        self.open_questions: set[str] = set()

    def obey(self, level):
        if level and self.level and not self.modern:
            self.level = level

    def progress(self, done, total, message):
        with self.lock:
            self._progress(done, total, message)

    def _progress(self, done, total, message) -> None:
        # revision 2025-11-25, basic/utilities/progress: it must increase
        if self.token is None or done <= self.latest:
            return
        self.latest, self.told = done, time.monotonic()
        params = {"progressToken": self.token, "progress": done}
        if total is not None:
            params["total"] = total
        if message:
            params["message"] = message
        self.stream.send(notification("notifications/progress", params))

    def log(self, level, data, logger):
        if self.level and LEVELS.index(level) >= LEVELS.index(self.level):
            shown = visible(redact_text(data)) if isinstance(data, str) else data
            params = {"level": level, "data": shown}
            if logger:
                params["logger"] = logger
            self.stream.send(notification("notifications/message", params))

    def output(self, data):
        with self.lock:
            self.lines += data.count(b"\n")
            text = (self.line + data)[-2 * LONGEST_LINE :]
            # a line may come in pieces, of which one is the space between two words
            ended = b"\n" if text.endswith(b"\n") else b""
            latest = (text.rstrip() if ended else text).rpartition(b"\n")[2]
            self.line = latest + ended
            self._tell_lines()

    def _tell_lines(self) -> None:
        now = time.monotonic()
        if now > max(self.told + LINES_SECONDS, self.began + QUIET_SECONDS):
            line = self.line.strip()[-LONGEST_LINE:].decode(errors="replace")
            self._progress(self.lines, None, visible(redact_text(line)))

    def ask(self, number, method, params):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.open_questions.add(number)
        self.stream.send(request)

    def settle(self, number, *, answered):
        self.open_questions.discard(number)
        if not answered:
            # revision 2025-11-25, basic/utilities/cancellation
            params = {"requestId": number}
            self.stream.send(notification("notifications/cancelled", params))

    def tick(self, cancelled):
        # whoever has gone does not answer either
        if (self.modern or self.open_questions) and self.stream.gone():
            return cancelled or Cancelled("The client has closed the connection.")
        # never wait for a call that waits for a slow client
        if self.lines > max(0, self.latest) and self.lock.acquire(blocking=False):
            try:
                self._tell_lines()
            finally:
                self.lock.release()
        if self.listens:
            self.stream.ping()
        return cancelled


def notification(method: str, params: dict) -> dict:
    """Return a message that wants no answer."""
    return {"jsonrpc": "2.0", "method": method, "params": params}
