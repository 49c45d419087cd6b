"""The transactions that a request consists of, one after the other."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
    STATUS_READY,
)

from odoo import SUPERUSER_ID, api
from odoo.modules import module

from .. import compat
from .caller import Feature
from .exceptions import Behind
from .kept_connections import connections, is_alive

FOLLOWER = "mcp_follower"
"""In the context of an environment: the :class:`Transactions` that follow others."""

SIGNALS = f"""
CREATE FUNCTION mcp_signals() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN ({compat.signals_query()});
END $$
"""
"""What Odoo's processes tell each other by. Odoo's own way to ask is planned anew each
time, which costs ten times as much."""


class Transactions:
    """Opens the transactions of a request, for one thread.

    :param registry: of the database that is served
    """

    def __init__(self, registry) -> None:
        self.registry = registry
        self._heeded: str | None = None
        self._keepers = 0
        self._kept = None
        self._busy = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the connection between the transactions within; it is borrowed with the
        first of them."""
        self._keepers += 1
        try:
            yield
        finally:
            self._keepers -= 1
            if not self._keepers:
                self._give_back()

    @contextmanager
    def following(self) -> Iterator[None]:
        """Have the first statement within make sure that this process knows what others
        have changed: the registry, what is cached. Odoo's own port has done it before.

        :raise Behind: it did not, but does now; what is within is to be begun again
        """
        # before anything of it is used: what is heeded later may be of later
        self._heeded = compat.known_signals(self.registry)
        try:
            with self.kept():
                yield
                if self._heeded:
                    # whatever was refused was refused without a statement
                    with self.statements() as env:
                        check_signals(env)
        except Behind:
            self._catch_up()
            raise
        finally:
            self._heeded = None

    def _catch_up(self) -> None:
        with self.registry.cursor() as cr:
            self.registry = self.registry.check_signaling(cr)

    @contextmanager
    def transaction(
        self, uid: int = SUPERUSER_ID, *, feature: Feature | None = None
    ) -> Iterator[api.Environment]:
        """Open a transaction, committed at the end or rolled back by an exception.

        READ COMMITTED for our own: counters are shared by all servers. For a feature
        Odoo's REPEATABLE READ, and READ ONLY where it says that it only reads.
        """
        level = ISOLATION_LEVEL_READ_COMMITTED
        if feature:
            level = ISOLATION_LEVEL_REPEATABLE_READ
        with self._borrowed(feature) as cr:
            _set_mode(cr, level, bool(feature and feature.read_only))
            yield api.Environment(cr, uid, {} if feature else self._context())

    def _context(self) -> dict:
        return {FOLLOWER: self} if self._heeded else {}

    @contextmanager
    def statements(self) -> Iterator[api.Environment]:
        """Have PostgreSQL commit each statement within by itself, and at once: a round
        trip, where BEGIN, one statement and COMMIT are three. Not for writing records:
        nothing is flushed. READ COMMITTED, as :mod:`.kept_connections` are.
        """
        with self._borrowed() as cr:
            _set_mode(cr, "DEFAULT", autocommit=True)
            yield api.Environment(cr, SUPERUSER_ID, self._context())

    @contextmanager
    def _borrowed(self, feature: Feature | None = None) -> Iterator:
        """Give a cursor, on a kept connection where what it is for is known to leave
        no trace in the session: not for what writes, nor for code of a record.

        Whoever needs one within a transaction, say to look for the answer to a
        question, gets another.
        """
        harmless = feature is None or (feature.read_only and feature.method)
        # a test's own transaction is seen through the registry's cursor alone
        if self._busy or not harmless or module.current_test:
            if not self._busy:
                self._give_back()
            with self.registry.cursor() as cr:
                yield cr
            return
        with self.kept():
            if self._kept and not is_alive(self._kept.connection):
                self._kept.connection.close()
                self._give_back()
            if self._kept is None:
                self._kept = connections(self.registry.db_name).cursor()
            self._busy = True
            try:
                yield self._kept
                if self._kept.connection.autocommit:
                    self._kept.clear()
                else:
                    self._kept.commit()  # pylint: disable=invalid-commit
            except BaseException:
                # closing it rolls back; it may be broken, too
                self._give_back()
                raise
            finally:
                self._busy = False

    def _give_back(self) -> None:
        cursor, self._kept = self._kept, None
        if cursor:
            # of a connection that is broken there is nothing to give back
            with contextlib.suppress(psycopg2.Error):
                cursor.close()


def heeded(env) -> str | None:
    """Return what a statement is to compare with ``mcp_signals()``; None: nothing."""
    follower = env.context.get(FOLLOWER)
    return follower and follower._heeded


def caught_up(env) -> None:
    """Say that it was so: nothing later in the request asks again."""
    if follower := env.context.get(FOLLOWER):
        follower._heeded = None


def check_signals(env) -> None:
    """Compare it in a statement of its own.

    :raise Behind: see :meth:`Transactions.following`
    """
    if known := heeded(env):
        env.cr.execute("SELECT mcp_signals()")
        if env.cr.fetchone()[0] != known:
            raise Behind
        caught_up(env)


def _set_mode(
    cr, level: int | str, read_only: bool | str = "DEFAULT", *, autocommit: bool = False
) -> None:
    """Say how the next transactions are; one that has begun stays as it is: a test's.

    In this order psycopg2 says it with the next BEGIN; else, in a statement of its own.
    """
    connection = cr.connection
    if connection.status == STATUS_READY:
        connection.autocommit = False
        connection.set_session(isolation_level=level, readonly=read_only)
        connection.autocommit = autocommit
