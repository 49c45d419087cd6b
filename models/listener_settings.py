"""What the listener and who starts it read of the database, each turn, in plain SQL.

One advisory lock for each database and host says who is the listener: with two Odoo
servers on one host the first has it, and another takes over within seconds of its end.
"""

import json
import socket
import zlib
from dataclasses import dataclass

from .parameters import PREFIX, committed, is_installed

LOCK_CLASS = 0x6D63706C  # "mcpl"
NAMES = ("listener_enabled", "listener_host", "listener_port")
STATE = PREFIX + "listener_state"
STARTED = PREFIX + "listener_started_"
"""With the number of a host: when a process was last told to start it (epoch)."""


def lock_id() -> int:
    """Return the number of this host's lock: PostgreSQL's integers are signed."""
    unsigned = zlib.crc32(socket.gethostname().encode())
    return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned


@dataclass(frozen=True)
class Settings:
    """Where to listen.

    :param enabled: whether to listen at all
    """

    enabled: bool
    host: str
    port: int


def read(cr) -> Settings:
    """Return the settings as they are committed now; uninstalled, it is disabled."""
    values = committed(cr, NAMES)
    return Settings(
        enabled=bool(values["listener_enabled"]) and is_installed(cr),
        host=values["listener_host"].strip(),
        port=values["listener_port"],
    )


def is_held(cr) -> bool:
    """Tell whether some process of this host is the listener."""
    cr.execute(
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE locktype = 'advisory' AND granted AND datname = current_database() "
        "AND classid::bigint = %s AND objid::bigint = %s",
        [LOCK_CLASS, lock_id() % (1 << 32)],
    )
    return bool(cr.rowcount)


def take(cr) -> bool:
    """Become the listener, for as long as the session of ``cr`` lasts."""
    cr.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, lock_id()])
    taken = cr.fetchone()[0]
    if taken:
        # whoever finds the lock free next may start another at once
        started = f"{STARTED}{lock_id()}"
        cr.execute("DELETE FROM ir_config_parameter WHERE key = %s", [started])
    return taken


def claim_start(cr, seconds: float) -> bool:
    """Tell whether this process is to start the listener of this host.

    All that serve HTTP see that there is none; each candidate would be a whole Odoo.

    :param seconds: that the one who was told so before has for it
    """
    cr.execute(
        "INSERT INTO ir_config_parameter AS p (key, value) "
        "VALUES (%s, extract(epoch FROM now())::text) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value "
        "WHERE p.value::float < extract(epoch FROM now()) - %s "
        # told so in a future: the clock was set back
        "OR p.value::float > extract(epoch FROM now()) RETURNING 1",
        [f"{STARTED}{lock_id()}", seconds],
    )
    return bool(cr.rowcount)


def tell(cr, *, url: str = "", error: str = "") -> None:
    """Write down how the listener does, for Settings to show."""
    state = json.dumps({"url": url, "error": error, "host": socket.gethostname()})
    cr.execute(
        "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [STATE, state],
    )


def told(cr) -> dict[str, str]:
    """Return how the listener does: ``url`` or ``error``; neither: it does not run."""
    cr.execute("SELECT value FROM ir_config_parameter WHERE key = %s", [STATE])
    row = cr.fetchone()
    return json.loads(row[0]) if row and is_held(cr) else {}
