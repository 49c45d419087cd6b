"""What a server does beside its requests: for each kind of work a thread that turns.

With workers and a database named, Odoo loads the registry in the master, which may not
have threads: there the thread starts in each fork, and finds out whether it is one. All
processes that serve HTTP turn: which of them does the work, PostgreSQL decides.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

import psycopg2

from odoo import sql_db
from odoo.service import server
from odoo.tools import config

from . import odoo_process

_logger = logging.getLogger(__name__)

TURN_SECONDS = 2.5
FAULT_SECONDS = 60
"""After an error that nobody has foreseen: the log is not to be filled with it."""

Turn = Callable[[str], float]

turning: set[tuple[int, str, str]] = set()
"""Process, work and database that have a thread already; a fork starts its own."""


def keep_turning(name: str, database: str, turn: Turn) -> None:
    """Call ``turn(database)`` again and again as long as this server lives.

    :param name: of the work
    :param turn: returns the seconds until its next turn
    """
    if not server.server or config["stop_after_init"] or config["test_enable"]:
        return  # a command, a test, a shell
    odoo_process.own_program()
    if isinstance(server.server, server.PreforkServer) and _is_master():
        os.register_at_fork(after_in_child=lambda: _start(name, database, turn))
    else:
        _start(name, database, turn)


@contextlib.contextmanager
def connection(database: str) -> Iterator[psycopg2.extensions.cursor]:
    """Give a cursor of a connection that no request uses; commit and close it."""
    _name, info = sql_db.connection_info_for(database)
    with contextlib.closing(psycopg2.connect(**info)) as own, own, own.cursor() as cr:
        yield cr


def _is_master() -> bool:
    return os.getpid() == server.server.pid


def _may_serve_http() -> bool:
    """Tell the threaded server, or a child of the prefork one, from other processes.

    A fork of odoo_shell, or a worker that outlived its master or a restart, leaves it
    to others.
    """
    if isinstance(server.server, server.ThreadedServer):
        return _is_master()
    return os.getppid() == server.server.pid and not odoo_process.is_of_before()


def _start(name: str, database: str, turn: Turn) -> None:
    key = (os.getpid(), name, database)
    if key in turning or not _may_serve_http():
        return
    turning.add(key)
    threading.Thread(
        target=_keep_turning,
        args=(name, database, turn),
        name=f"odoo_dev_mcp.{name}",
        daemon=True,
    ).start()


def _keep_turning(name: str, database: str, turn: Turn) -> None:
    # signals are for Odoo's own threads
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pause = threading.Event()
    seconds = TURN_SECONDS
    while not pause.wait(seconds) and _serves_http():
        try:
            seconds = turn(database)
        except (psycopg2.Error, OSError, subprocess.SubprocessError) as error:
            seconds = TURN_SECONDS
            _logger.debug("%s of %s: %s", name, database, error)
        except Exception:
            seconds = FAULT_SECONDS
            _logger.exception("%s of %s", name, database)


def _serves_http() -> bool:
    """Tell whether this process answers requests: cron workers, too, are children."""
    if not _may_serve_http():
        return False
    names = [thread.name for thread in threading.enumerate()]
    return _is_master() or any("WorkerHTTP" in name for name in names)
