"""Connections to PostgreSQL that are lent as they were given back."""

import os
import select
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import psycopg2

from odoo import sql_db

MOST_IDLE = 8
"""Connections of one process that are kept while nobody uses them."""

IDLE_SECONDS = 600

broken: list[Callable[[str], object]] = []
"""Who hears, with the name of the database, that a connection was ended from the other
side: PostgreSQL may have crashed, and have forgotten what it was told last."""

CONNECT_SECONDS = 10
"""For a login of its own: whatever a password meets, a call gets its answer."""


class Login(NamedTuple):
    """A role of PostgreSQL other than Odoo's own."""

    role: str
    password: str


class OneTripCursor(psycopg2.extensions.cursor):
    """Sends what its connection still has to say together with the next statement.

    Each round trip costs as much as a small query.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """

    def execute(self, query, vars=None):  # noqa: A002
        """Execute; only the rows of the last statement are there."""
        if not self.connection.autocommit:
            # else psycopg2's own BEGIN would come before it
            self.connection.say()
        # without values a % is just that
        text = self.mogrify(query, vars) if vars is not None else query
        if isinstance(text, str):
            text = text.encode()
        first, self.connection.first = self.connection.first, b""
        return super().execute(first + text)


class KeptConnection(sql_db.PsycoConnection):
    """A connection that can be told something for later, to save a round trip."""

    first = b""
    """Statements that go before the next one, each with its semicolon."""

    spent = False
    """It is not to be lent again."""

    def cursor(self, *args, **kwargs):
        """Return a cursor that sends what is to be sent first."""
        return super().cursor(*args, cursor_factory=OneTripCursor, **kwargs)

    def say(self) -> None:
        """Send what was left for later."""
        if self.first:
            before, self.autocommit = self.autocommit, True
            with self.cursor() as cursor:
                cursor.execute("")
            self.autocommit = before


class KeptConnections:
    """A pool of connections for our own statements and for those that cannot change
    anything, in the shape that :class:`odoo.sql_db.Cursor` wants.

    Odoo's own pool sends ``DISCARD ALL`` with each loan. That is right for code of any
    kind, but forgets the plans of functions: to make them anew is more work than all
    else that PostgreSQL does in a call. Whoever borrows here leaves no trace in the
    session: transactions that end, and settings that end with them.

    :param database: its name
    :param login: who is there; None: Odoo's own role
    """

    readonly = False

    def __init__(self, database: str, login: Login | None = None) -> None:
        self.database = database
        _name, self._address = sql_db.connection_info_for(database)
        self._addresses = [self._address]
        if login:
            self._addresses = addresses(self._address, login)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, object]] = []

    def cursor(self) -> sql_db.Cursor:
        """Return a cursor on a connection that is nobody else's meanwhile."""
        return sql_db.Cursor(self, self.database, self._address)

    def borrow(self, _address: dict):
        """Return an idle connection that is alive, or a new one.

        :raise psycopg2.OperationalError: PostgreSQL lets nobody in
        """
        since = time.monotonic() - IDLE_SECONDS
        for others in [*_own[-1].values()]:
            others.prune(since)
        while connection := self._pop():
            if is_alive(connection):
                return connection
            connection.close()
            for hear in broken:
                hear(self.database)
        connection = self._connect()
        # whatever the database says: counters are shared by all servers
        connection.first = b"SET default_transaction_isolation TO 'read committed';"
        connection.say()
        return connection

    def _connect(self):
        """Return a new connection by the first address that leads to one."""
        failures = []
        for address in self._addresses:
            try:
                made = psycopg2.connect(connection_factory=KeptConnection, **address)
            except psycopg2.OperationalError as error:
                failures.append(error)
            else:
                self._addresses = [address]
                return made
        raise psycopg2.OperationalError("\n".join(str(one).strip() for one in failures))

    def _pop(self):
        """Return the connection that was used last."""
        with self._lock:
            return self._idle.pop()[1] if self._idle else None

    def prune(self, since: float) -> None:
        """Close the connections that nobody has used since a monotonic time."""
        if not self._idle or self._idle[0][0] >= since:
            return
        with self._lock:
            old = [row for row in self._idle if row[0] < since]
            self._idle = [row for row in self._idle if row[0] >= since]
        for _used, forgotten in old:
            forgotten.close()

    def give_back(self, connection, *, keep_in_pool: bool = True) -> None:
        """Take a connection back, out of whatever it was in."""
        if connection.closed:
            return
        try:
            connection.say()
        except psycopg2.Error:
            connection.close()
            return
        connection.autocommit = False
        with self._lock:
            room = len(self._idle) < MOST_IDLE
            keep = keep_in_pool and room and not connection.spent
            if keep:
                self._idle.append((time.monotonic(), connection))
        if not keep:
            connection.close()


def addresses(address: dict, login: Login) -> list[dict]:
    """Return where a role may log in: as Odoo does, and, where that is a socket, which
    by Debian's default asks for an account of the role's name, over loopback.

    >>> login = Login("reader", "hush")
    >>> [one.get("host") for one in addresses({"database": "x"}, login)]
    [None, '127.0.0.1']
    >>> [one.get("host") for one in addresses({"host": "db"}, login)]
    ['db']
    >>> addresses({"dsn": "postgresql://odoo:secret@db/x"}, login)[0]["user"]
    'reader'

    https://www.postgresql.org/docs/current/auth-peer.html
    """
    own = {
        **address,
        "user": login.role,
        "password": login.password,
        "connect_timeout": CONNECT_SECONDS,
    }
    host = address.get("host") or ""
    if "dsn" in address or (host and not host.startswith(("/", "@"))):
        return [own]
    return [own, {**own, "host": "127.0.0.1"}]


def is_alive(connection) -> bool:
    """Tell whether the server has left an idle connection open: it says when not."""
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)


_own: list[dict[tuple[str, Login | None], KeptConnections]] = [{}]
"""This process's, by database and login, at the end; before it those of the processes
that it was forked from, which are left alone: to close one here would end a parent's
session."""


def connections(database: str, login: Login | None = None) -> KeptConnections:
    """Return the connections of this process to a database.

    :param login: who is there; None: Odoo's own role
    """
    kept, key = _own[-1], (database, login)
    return kept.get(key) or kept.setdefault(key, KeptConnections(*key))


os.register_at_fork(after_in_child=lambda: _own.append({}))
