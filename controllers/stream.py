"""Server-Sent Events: what a client hears of its request before the answer.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from ..models.open_streams import counted
from .exchange import dumps

PING_SECONDS = 15
"""So long a stream may be silent, or a proxy on the way would end it."""

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # revision 2026-07-28, basic/transports/streamable-http: no proxy shall hold it back
    "X-Accel-Buffering": "no",
}


class EventStream:
    """The answer to one request, which becomes a stream with the first event.

    Events come from the thread of the call and from the one that looks after it.

    :param start: sends the head of the response, and returns what writes its body
    :param connection: to the client, or to the proxy that it uses
    :param door: ``odoo`` or ``listener``, for the metrics
    """

    def __init__(
        self,
        start: Callable[[dict[str, str]], Callable[[bytes], object]],
        connection: socket.socket | None,
        door: str,
    ) -> None:
        self.start = start
        self.headers = dict(HEADERS)
        self.connection = connection
        self.lock = threading.Lock()
        self.write: Callable[[bytes], object] | None = None
        self.broken = False
        self.door = door
        self.counted = ExitStack()
        self.latest = time.monotonic()

    @property
    def opened(self) -> bool:
        """Whether the answer is a stream already."""
        return self.write is not None

    def send(self, message: Any) -> None:
        """Send a message as an event; nobody hears it if the client has gone."""
        with self.lock:
            self._send(b"event: message\ndata: %s\n\n" % dumps(message))

    def _send(self, data: bytes) -> None:
        self.latest = time.monotonic()
        if self.broken:
            return
        try:
            if self.write is None:
                self.counted.enter_context(counted(self.door))
                self.write = self.start(self.headers)
            self.write(data)
        except OSError:
            self.broken = True

    def close(self) -> None:
        """Let it be over: nothing is sent any more."""
        with self.lock:
            self.broken = True
        self.counted.close()

    def open(self) -> None:
        """Make the answer a stream now."""
        with self.lock:
            self._send(b": open\n\n")

    def ping(self) -> None:
        """Send a comment if the stream has been silent; without ever waiting."""
        if time.monotonic() < self.latest + PING_SECONDS:
            return
        if self._events(select.POLLOUT) and self.lock.acquire(blocking=False):
            try:
                self._send(b": still there\n\n")
            finally:
                self.lock.release()

    def gone(self) -> bool:
        """Tell whether the client has closed the connection."""
        closed = select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL
        return self.broken or bool(self._events(closed))

    def _events(self, wanted: int) -> int:
        """Return which of these events the connection has now. poll(2)."""
        if self.connection is None or self.connection.fileno() < 0:
            return 0
        poller = select.poll()
        poller.register(self.connection, wanted)
        return sum(event for _descriptor, event in poller.poll(0)) & wanted
