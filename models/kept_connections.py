"""Connections to PostgreSQL that are lent as they were given back."""

import os
import select
import threading
import time

import psycopg2

from odoo import sql_db

MOST_IDLE = 8
"""Connections of one process that are kept while nobody uses them."""

IDLE_SECONDS = 600


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
    """

    readonly = False

    def __init__(self, database: str) -> None:
        self.database = database
        _name, self._address = sql_db.connection_info_for(database)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, object]] = []

    def cursor(self) -> sql_db.Cursor:
        """Return a cursor on a connection that is nobody else's meanwhile."""
        return sql_db.Cursor(self, self.database, self._address)

    def borrow(self, address: dict):
        """Return an idle connection that is alive, or a new one."""
        since = time.monotonic() - IDLE_SECONDS
        for others in [*_own[-1].values()]:
            others.prune(since)
        while connection := self._pop():
            if is_alive(connection):
                return connection
            connection.close()
        connection = psycopg2.connect(connection_factory=KeptConnection, **address)
        # whatever the database says: counters are shared by all servers
        connection.first = b"SET default_transaction_isolation TO 'read committed';"
        connection.say()
        return connection

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
            keep = keep_in_pool and len(self._idle) < MOST_IDLE
            if keep:
                self._idle.append((time.monotonic(), connection))
        if not keep:
            connection.close()


def is_alive(connection) -> bool:
    """Tell whether the server has left an idle connection open: it says when not."""
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)


_own: list[dict[str, KeptConnections]] = [{}]
"""This process's, by database, at the end; before it those of the processes that it was
forked from, which are left alone: to close one here would end a parent's session."""


def connections(database: str) -> KeptConnections:
    """Return the connections of this process to a database."""
    kept = _own[-1]
    return kept.get(database) or kept.setdefault(database, KeptConnections(database))


os.register_at_fork(after_in_child=lambda: _own.append({}))
