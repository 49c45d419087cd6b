"""Who calls the registry, and how the last call ended: one row for all hosts.

``server_id`` has database and host, so each host of a database registers on its own.
Which process of a host calls is settled by a claim that is committed before the call:
workers of one server are equal, and a second server of the host leaves the calls to the
first as long as that lives. No lock and no transaction is held while a call is made.
"""

import json
import socket
import time
from dataclasses import asdict, dataclass, field, replace

from . import phone_home_payload
from .parameters import PREFIX, committed, is_installed
from .phone_home_plan import (
    CLAIM_SECONDS,
    LEAST_SECONDS,
    Entry,
    Server,
    Settings,
    next_call,
)
from .server_turns import TURN_SECONDS

LOCK = (0x6D637070, 1)  # "mcpp"
STATE = PREFIX + "phone_home_state"
NAMES = ("phone_home_url", "phone_home_secret", "phone_home_seconds")
KEEP_SECONDS = 7 * 24 * 3600
"""A host that has made no call for that long is forgotten."""


@dataclass(frozen=True)
class Call:
    """One call to be made: ``action`` at ``url`` with ``payload``."""

    action: str
    url: str
    payload: dict
    secret: str = field(repr=False)


def read(cr) -> Settings:
    """Return the settings as they are committed now."""
    values = committed(cr, NAMES)
    return Settings(
        url=values["phone_home_url"].strip(),
        secret=values["phone_home_secret"],
        seconds=max(values["phone_home_seconds"], LEAST_SECONDS),
    )


def told(cr) -> dict[str, Entry]:
    """Return how each host of this database does; what cannot be read is nothing."""
    cr.execute("SELECT value FROM ir_config_parameter WHERE key = %s", [STATE])
    row = cr.fetchone()
    try:
        return {host: Entry(**entry) for host, entry in json.loads(row[0]).items()}
    except (TypeError, ValueError, AttributeError):
        return {}


def claim(cr, server: Server) -> tuple[list[Call], float]:
    """Take the calls that are due, so that no other process makes them.

    :return: the calls, and the seconds until there may be some
    """
    if not is_installed(cr):
        return [], TURN_SECONDS
    action, seconds = _next(cr, server)
    if action and not seconds:
        cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK)
        if not cr.fetchone()[0]:
            return [], TURN_SECONDS
        # another process may have come first
        action, seconds = _next(cr, server)
    if not action or seconds:
        return [], seconds or TURN_SECONDS
    return _claimed(cr, server, action), 0


def _next(cr, server: Server) -> tuple[str, float]:
    entry, settings = told(cr).get(socket.gethostname(), Entry()), read(cr)
    # later than all that is written there, or it would look like a clock set back
    return next_call(entry, settings, replace(server, now=time.time()))


def _claimed(cr, server: Server, action: str) -> list[Call]:
    host, settings = socket.gethostname(), read(cr)
    entry = told(cr).get(host, Entry())
    changed = entry.differs(settings)
    calls = []
    if action != "deregister":
        payload = phone_home_payload.payload(cr)
        calls.append(Call(action, settings.url, payload, settings.secret))
    # with another secret the old registry would not know who speaks
    if changed and entry.payload and settings.seal(entry.url) == entry.seal:
        last = Call("deregister", entry.url, entry.payload, settings.secret)
        calls.insert(0, last)
    if changed or entry.started_at != server.started_at:
        entry = replace(entry, failures=0, error="", answer="")
    entry = replace(
        entry,
        url=settings.url,
        seal=settings.seal(settings.url),
        payload=entry.payload if action == "heartbeat" else None,
        server=server.identity,
        started_at=server.started_at,
        caller=server.process,
        until=server.now + CLAIM_SECONDS,
    )
    _write(cr, told(cr) | {host: entry}, server.now)
    return calls


def settle(cr, server: Server, call: Call | None, **outcome) -> bool:
    """Write down how the last claimed call ended.

    :param call: None: there was none to make
    :param outcome: ``answer``, or ``error`` and the ``status`` of what was answered
    :return: whether it is worth a line in the log: not each heartbeat is
    """
    cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
    host, entries = socket.gethostname(), told(cr)
    entry = entries.get(host)
    if not entry or entry.server != server.identity:
        return False  # it took so long that another server has taken over
    entries[host] = _after(replace(entry, at=server.now, until=0), call, **outcome)
    if not call or call.action == "deregister":
        del entries[host]
    _write(cr, entries, server.now)
    failed = bool(outcome.get("error"))
    return bool(call) and (
        failed != bool(entry.error) or (call.action != "heartbeat" and not failed)
    )


def _after(entry: Entry, call: Call | None, answer="", error="", status=0) -> Entry:
    if not error:
        payload = call and call.payload
        return replace(entry, payload=payload, failures=0, error="", answer=answer)
    if call.action == "heartbeat" and status in (404, 410):
        # it has forgotten this server
        return replace(entry, payload=None, at=0, error=error)
    return replace(entry, failures=entry.failures + 1, error=error)


def hurry(cr) -> None:
    """Let this host make a call that has failed again, without waiting."""
    cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
    host, entries = socket.gethostname(), told(cr)
    if host in entries and entries[host].failures:
        entries[host] = replace(entries[host], at=0)
        _write(cr, entries, 0)


def forget(cr) -> list[Call]:
    """Remove every setting of the addon, which was uninstalled.

    :return: what is to be told to the registry, for each host
    """
    cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
    secret = read(cr).secret
    calls = [
        Call("deregister", entry.url, entry.payload, secret)
        for entry in told(cr).values()
        if entry.payload
    ]
    cr.execute("DELETE FROM ir_config_parameter WHERE starts_with(key, %s)", [PREFIX])
    return calls


def _write(cr, entries: dict[str, Entry], now: float) -> None:
    """Keep the entries, without hosts that are gone."""
    kept = {
        host: asdict(entry)
        for host, entry in entries.items()
        if max(entry.at, entry.until) > now - KEEP_SECONDS
    }
    cr.execute(
        "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [STATE, json.dumps(kept)],
    )
