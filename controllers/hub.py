"""Streams that stay open: what changes is told to those who asked for it.

Only the listener has them: a worker of Odoo's could not spare itself for one. One
thread looks for all streams; what several of them want to know it looks up once.
https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
"""

import hashlib
import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..models.caller import Credentials
from ..models.exceptions import NotAllowed, NotAuthenticated
from . import tasks
from .exchange import dumps
from .notices import notification
from .stream import EventStream

_logger = logging.getLogger(__name__)

TURN_SECONDS = 1
CLOSE_SECONDS = 2

LISTS = {"tools": "mcp.tool", "resources": "mcp.resource", "prompts": "mcp.prompt"}
"""The models that the lists are of."""


class Topic(NamedTuple):
    """What a stream tells the changes of.

    :param kind: ``tools``, ``resources``, ``prompts``; ``resource``, ``task``
    :param name: URI of the resource, id of the task
    """

    credentials: Credentials
    kind: str
    name: str = ""

    def notice(self, value) -> dict:
        """Return the notification of a change.

        :param value: what has come of it
        """
        if self.kind == "task":
            return notification("notifications/tasks", value)
        if self.kind == "resource":
            return notification("notifications/resources/updated", {"uri": self.name})
        return notification(f"notifications/{self.kind}/list_changed", {})


def look(registrar, topic: Topic):
    """Return what a topic is now; whatever is equal has not changed.

    :raise NotAuthenticated, NotAllowed: the key is good no more
    """
    if topic.kind == "task":
        found = registrar.find_job(topic.credentials, topic.name)
        return found and tasks.detail(registrar, *found)
    if topic.kind == "resource":
        value = registrar.peek(topic.credentials, topic.name)
    else:
        value = registrar.offered(topic.credentials, LISTS[topic.kind])
    return hashlib.sha256(dumps(value)).digest()


class Subscription:
    """One open stream.

    :param topics: returns what it is about, which may change while it is open
    :param request_id: of ``subscriptions/listen``; None: a GET of before 2026-07-28
    """

    def __init__(self, topics: Callable[[], set[Topic]], request_id=None) -> None:
        self.topics = topics
        self.request_id = request_id
        self.stream: EventStream | None = None
        self.waiting: queue.SimpleQueue = queue.SimpleQueue()
        self.seen: dict[Topic, object] = {}
        """What it is about, as it was when it was last looked at."""

    def tell(self, message: dict | None) -> None:
        """Have a message sent; None: the last one was."""
        self.waiting.put(message and self._named(message))

    def _named(self, message: dict) -> dict:
        if self.request_id is None:
            return message
        meta = {"io.modelcontextprotocol/subscriptionId": self.request_id}
        return {**message, "params": {**message["params"], "_meta": meta}}

    def end(self) -> None:
        """End it, and let its client know that it was not the network."""
        if self.request_id is not None:
            meta = {"io.modelcontextprotocol/subscriptionId": self.request_id}
            result = {"resultType": "complete", "_meta": meta}
            self.waiting.put(
                {"jsonrpc": "2.0", "id": self.request_id, "result": result}
            )
        self.tell(None)

    def messages(self) -> Iterator[dict]:
        """Return what is to be sent, as it comes."""
        return iter(self.waiting.get, None)


class Hub:
    """The open streams of a listener.

    :param registrar: returns a registrar that knows of all that is committed
    """

    def __init__(self, registrar: Callable[[], object]) -> None:
        self.registrar = registrar
        self.lock = threading.Lock()
        self.open: set[Subscription] = set()
        self.some = threading.Event()
        self.closed = threading.Event()
        self.thread: threading.Thread | None = None

    def prepare(self, registrar, subscription: Subscription) -> None:
        """Look at what a stream is to be about, so that no change is missed."""
        for topic in subscription.topics():
            subscription.seen[topic] = look(registrar, topic)

    def follow(self, subscription: Subscription, stream: EventStream) -> None:
        """Serve a stream until its client goes or it is ended."""
        subscription.stream = stream
        stream.open()
        with self.lock:
            self.open.add(subscription)
            self.some.set()
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, daemon=True)
                self.thread.start()
        try:
            for message in subscription.messages():
                stream.send(message)
        finally:
            with self.lock:
                self.open.discard(subscription)

    def close(self) -> None:
        """End all streams, and wait a moment until their clients know."""
        self.closed.set()
        for subscription in self._subscriptions():
            subscription.end()
        pause = threading.Event()
        for _turn in range(int(CLOSE_SECONDS / 0.05)):
            if not self.open or pause.wait(0.05):
                break

    def _subscriptions(self) -> list[Subscription]:
        with self.lock:
            if not self.open:
                self.some.clear()
            return list(self.open)

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while self.some.wait() and not self.closed.wait(TURN_SECONDS):
            subscriptions = self._subscriptions()
            try:
                self._turn(subscriptions)
            except Exception:
                _logger.exception("looking after %d streams failed", len(subscriptions))

    def _turn(self, subscriptions: list[Subscription]) -> None:
        registrar = self.registrar() if subscriptions else None
        if registrar and registrar.setting("suspended"):
            for subscription in subscriptions:
                subscription.end()
            return
        seen, gone = {}, set()
        for subscription in subscriptions:
            if subscription.stream.gone():
                subscription.tell(None)
                continue
            subscription.stream.ping()
            try:
                now = {}
                for topic in subscription.topics():
                    if topic not in seen:
                        seen[topic] = look(registrar, topic)
                    now[topic] = seen[topic]
                    if subscription.seen.get(topic, now[topic]) != now[topic]:
                        subscription.tell(topic.notice(now[topic]))
                subscription.seen = now
            except (NotAuthenticated, NotAllowed):
                gone.add(subscription)
        for subscription in gone:
            subscription.end()
