"""A database for tests: a copy of this one or a new one, and gone in the end.

While its process lives it holds an advisory lock in the database that is copied. What a
killed process has left is found by its name, and removed by the next: nobody holds the
lock then.
"""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import errors, sql

from odoo import sql_db
from odoo.modules.neutralize import neutralize_database
from odoo.service.db import _create_empty_database
from odoo.tools import config

from .exceptions import ToolError
from .tests_database_copy import copy_data, copy_files

LOCK_CLASS = 0x6D637074  # "mcpt"

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
"""

MARK = "_mcp_test_"

DROP_ATTEMPTS = 50
DROP_PAUSE = 0.1
"""Seconds between them: a connection that is ended takes its time."""

END_CLIENTS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = %s AND backend_type = 'client backend'
"""
"""Workers of PostgreSQL itself go when the database does."""


class TestsDatabase:
    """The database and the data folder of one run of tests.

    :param source: name of this server's database
    :param connection: to it, in autocommit
    """

    def __init__(self, source: str, connection) -> None:
        self.source = source
        self.connection = connection
        self.name = ""

    @property
    def folder(self) -> Path:
        """Its ``data_dir``, beside the file store, so that files can be linked."""
        return Path(config["data_dir"], "mcp_tests", self.name)

    def begin(self) -> None:
        """Take a name that nobody has, and hold its lock.

        :raise ToolError: PostgreSQL lets this role create no database
        """
        self._require_right()
        number = os.getpid()
        while not self._take(number):
            number = secrets.randbelow(2**31)
        self.name = f"{prefix(self.source)}{number}"

    def _take(self, number: int) -> bool:
        """Hold the lock of a number; tell whether nobody else does, on any server."""
        name = f"{prefix(self.source)}{number}"
        if self._execute("SELECT FROM pg_database WHERE datname = %s", name):
            return False
        query = "SELECT pg_try_advisory_lock(%s, %s)"
        return self._execute(query, LOCK_CLASS, number)[0][0]

    def _require_right(self) -> None:
        query = "SELECT current_user, rolcreatedb OR rolsuper FROM pg_roles "
        [(role, allowed)] = self._execute(f"{query} WHERE rolname = current_user")
        if not allowed:
            raise ToolError(
                f"Odoo's PostgreSQL role {role!r} may create no database, and tests "
                f'run in one of their own: ALTER ROLE "{role}" CREATEDB.'
            )

    def make_fresh(self) -> None:
        """Create it empty, as Odoo does: with its extensions."""
        try:
            _create_empty_database(self.name)
            self._hide()
        finally:
            sql_db.close_db(self.name)
        self._make_folder()

    def make_copy(self, timeout: float, call) -> None:
        """Create it with what the source has committed, neutralized.

        :raise ToolError: it cannot be copied
        :raise Cancelled: the call was stopped
        """
        end = time.monotonic() + timeout
        self._create()
        copy_data(self.connection, self.source, self.name, timeout, call)
        store = self._make_folder() / self.name
        copy_files(self.source, store, max(1, end - time.monotonic()), call)
        _name, info = sql_db.connection_info_for(self.name)
        with closing(psycopg2.connect(**info)) as connection, connection:
            neutralize_database(connection.cursor())

    def _create(self) -> None:
        """Create it empty, with what its source sorts and folds by."""
        query = "SELECT datcollate, datctype FROM pg_database WHERE datname = %s"
        [values] = self._execute(query, self.source)
        create = sql.SQL(
            "CREATE DATABASE {} ENCODING 'unicode' LC_COLLATE {} LC_CTYPE {} "
            "TEMPLATE template0"
        )
        name = sql.Identifier(self.name)
        self._execute(create.format(name, *map(sql.Literal, values)))
        self._hide()

    def _hide(self, *, hidden: bool = True) -> None:
        """Have no Odoo server find it among its databases: one that serves them all
        would run its scheduled actions, before it is neutralized, too.

        PostgreSQL calls it a template, which Odoo passes over.
        https://www.postgresql.org/docs/current/sql-alterdatabase.html
        """
        hide = sql.SQL("ALTER DATABASE {} IS_TEMPLATE {}")
        self._execute(hide.format(sql.Identifier(self.name), sql.Literal(hidden)))

    def _make_folder(self) -> Path:
        """Make the folder, with the modules that Odoo finds there; return that of the
        file stores."""
        stores = self.folder / "filestore"
        stores.mkdir(parents=True)
        own = Path(config["data_dir"], "addons")
        if own.is_dir():
            (self.folder / "addons").symlink_to(own)
        return stores

    def drop(self) -> None:
        """Remove it with its files, whoever is still connected to it."""
        if not self.name:
            return
        drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self.name))
        for attempt in range(DROP_ATTEMPTS):
            with contextlib.suppress(errors.InsufficientPrivilege):
                self._execute(END_CLIENTS, self.name)
            try:
                with contextlib.suppress(errors.InvalidCatalogName):
                    self._hide(hidden=False)
                self._execute(drop)
                break
            except errors.ObjectInUse:
                if attempt == DROP_ATTEMPTS - 1:
                    raise
                time.sleep(DROP_PAUSE)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.parent.rmdir()

    def sweep(self) -> list[str]:
        """Remove what killed processes have left, and return the names."""
        begins = prefix(self.source)
        named = re.compile(re.escape(begins) + r"(\d{1,10})")
        known = [row[0] for row in self._execute("SELECT datname FROM pg_database")]
        folders = Path(config["data_dir"], "mcp_tests")
        if folders.is_dir():
            known += os.listdir(folders)
        left = []
        for name in sorted(set(known)):
            match = named.fullmatch(name)
            if match and self._is_left(int(match[1])):
                self.name = name
                self.drop()
                left.append(name)
        self.name = ""
        return left

    def _is_left(self, number: int) -> bool:
        if number >= 2**31:
            return False
        query = "SELECT pg_try_advisory_lock(%s, %s)"
        [(free,)] = self._execute(query, LOCK_CLASS, number)
        if free:
            self._execute("SELECT pg_advisory_unlock(%s, %s)", LOCK_CLASS, number)
        return free

    def _execute(self, query, *values) -> list[tuple]:
        with self.connection.cursor() as cr:
            cr.execute(query, values or None)
            return cr.fetchall() if cr.description else []


def prefix(source: str) -> str:
    """Return how the names of the databases for tests of this one begin.

    >>> prefix("odoo"), len(prefix("o" * 63)) + 10
    ('odoo_mcp_test_', 63)
    """
    most = LONGEST_NAME - len(MARK) - 10
    if len(source) > most:
        # not the same as that of another long name: its locks are not seen here
        digest = hashlib.sha256(source.encode()).hexdigest()[:8]
        source = f"{source[: most - 8]}{digest}"
    return source + MARK


@contextmanager
def connected(source: str) -> Iterator[TestsDatabase]:
    """Give one that has no name yet, with what others have left removed."""
    _name, info = sql_db.connection_info_for(source)
    with closing(psycopg2.connect(**info)) as connection:
        connection.autocommit = True
        found = TestsDatabase(source, connection)
        found.sweep()
        yield found


@contextmanager
def tests_database(source: str) -> Iterator[TestsDatabase]:
    """Give a name for a database, and remove what has been made of it in the end.

    :raise ToolError: see :meth:`TestsDatabase.begin`
    """
    with connected(source) as found:
        found.begin()
        try:
            yield found
        finally:
            found.drop()
