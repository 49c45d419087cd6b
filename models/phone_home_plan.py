"""What a host is to tell the registry next, and when: decisions, without a database."""

import hashlib
import hmac
import os
import time
from dataclasses import dataclass, field

from . import odoo_process, phone_home_payload
from .phone_home_call import MOST_SECONDS

LEAST_SECONDS = 5
RETRY_SECONDS = 5
MOST_RETRY_SECONDS = 900
CLAIM_SECONDS = 2 * MOST_SECONDS + 10
"""Longer than two calls take: a process that claimed them has failed by then."""


@dataclass(frozen=True)
class Settings:
    """Whom to call, and how often.

    :param url: empty: nobody
    """

    url: str
    secret: str = field(repr=False)
    seconds: int

    def seal(self, url: str) -> str:
        """Return what tells whether URL and secret are the same, and nothing else."""
        digest = hmac.new(self.secret.encode(), url.encode(), hashlib.sha256)
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Server:
    """A server, and the time at which one of its processes asks what to do.

    :param identity: process id and start (clock ticks since the machine's)
    :param process: the same of who asks
    """

    identity: list[int]
    process: list[int]
    started_at: str
    now: float


@dataclass(frozen=True)
class Entry:
    """How the calls of one host do.

    :param url, seal: of the last call
    :param payload: what the registry was told; None: this host is not registered
    :param server, started_at: the server that called
    :param at: when it called, epoch seconds; 0: the next call is due now
    :param caller: the process that makes a call, which is over at ``until`` (epoch
        seconds; 0: no call is under way)
    :param failures: since the registry last agreed
    """

    url: str = ""
    seal: str = ""
    payload: dict | None = None
    server: list[int] = field(default_factory=list)
    started_at: str = ""
    at: float = 0
    caller: list[int] = field(default_factory=list)
    until: float = 0
    failures: int = 0
    error: str = ""
    answer: str = ""

    def differs(self, settings: Settings) -> bool:
        """Tell whether the registry or the secret is another now."""
        return (self.url, self.seal) != (settings.url, settings.seal(settings.url))

    def calls(self, server: Server) -> float:
        """Return the seconds that a call under way may still take; 0: there is none.

        A process that has ended, or was executed anew, makes none any more.
        """
        left = self.until - server.now
        anew = self.server == server.identity and self.started_at != server.started_at
        going = 0 < left <= CLAIM_SECONDS and not anew and lives(self.caller)
        return left if going else 0


def this_server() -> Server:
    """Return this server, whichever of its processes asks."""
    main, own = odoo_process.main_pid(), os.getpid()
    started_at = phone_home_payload.started_at()
    return Server(
        identity=[main, odoo_process.start_ticks(main)],
        process=[own, odoo_process.start_ticks(own)],
        started_at=started_at,
        now=time.time(),
    )


def lives(identity: list[int]) -> bool:
    """Tell whether a process of this host is there, and not another with its id."""
    return bool(identity) and odoo_process.start_ticks(identity[0]) == identity[1]


def pause(seconds: int, failures: int) -> float:
    """Return the seconds from one call to the next.

    >>> [pause(60, failures) for failures in (0, 1, 2, 3, 99)]
    [60, 5, 10, 20, 900]
    """
    if not failures:
        return seconds
    return min(RETRY_SECONDS * 2 ** min(failures - 1, 10), MOST_RETRY_SECONDS)


def next_call(entry: Entry, settings: Settings, server: Server) -> tuple[str, float]:
    """Return what this host is to tell next, and in how many seconds.

    :return: ``register``, ``heartbeat``, ``deregister``; empty: nothing for now
    """
    now = server.now
    if left := entry.calls(server):
        return "", left
    if not settings.url:
        return ("deregister" if entry.payload else ""), 0
    changed = entry.differs(settings)
    restarted = entry.started_at != server.started_at
    due = entry.at + pause(settings.seconds, entry.failures)
    if entry.server != server.identity and lives(entry.server):
        # it calls as long as it does; this one only if it does no more
        due += CLAIM_SECONDS
    elif restarted:
        due = now
    # the second: the clock was set back
    if changed or entry.at > now:
        due = now
    again = changed or restarted or not entry.payload
    return ("register" if again else "heartbeat"), max(due - now, 0)
