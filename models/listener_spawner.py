"""Keeps a listener running: in each process that serves HTTP, a thread that looks.

With workers and a database named, Odoo loads the registry in the master, which may not
have threads: there the thread starts in each fork, and finds out whether it is one.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg2

from odoo import sql_db
from odoo.service import server
from odoo.tools import config

from . import (
    guardrails,
    listener_settings,
    odoo_child,
    odoo_process,
    server_config,
)

_logger = logging.getLogger(__name__)

TURN_SECONDS = 2.5
START_SECONDS = 8
READ_SECONDS = 120

DETACHED = """
import os, sys
if not os.fork():
    os.setsid()
    os.execv(sys.argv[1], sys.argv[1:])
"""
"""The listener is nobody's child: a restarted Odoo would never reap it."""
SERVED = "served"
"""Section of the listener's file: what the server's own configuration is."""

LOG_OPTIONS = ("logfile", "log_level", "log_handler", "syslog")
watched: set[tuple[int, str]] = set()
"""Process and database that have a thread already; a fork starts its own."""


def watch_over(database: str) -> None:
    """Have a listener for ``database`` as long as this server lives."""
    if not server.server or config["stop_after_init"] or config["test_enable"]:
        return  # a command, a test, a shell
    if isinstance(server.server, server.PreforkServer) and _is_master():
        os.register_at_fork(after_in_child=lambda: _start(database))
    else:
        _start(database)


def _is_master() -> bool:
    return os.getpid() == server.server.pid


def _may_serve_http() -> bool:
    """Tell the threaded server, or a child of the prefork one, from other processes.

    A fork of odoo_shell, or a worker that outlived its master, leaves it to others.
    """
    if isinstance(server.server, server.ThreadedServer):
        return _is_master()
    return os.getppid() == server.server.pid


def _start(database: str) -> None:
    key = (os.getpid(), database)
    if key in watched or not _may_serve_http():
        return
    watched.add(key)
    threading.Thread(
        target=_watch, args=(database,), name="odoo_dev_mcp.listener", daemon=True
    ).start()


def _watch(database: str) -> None:
    # signals are for Odoo's own threads
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    turn = threading.Event()
    seconds = TURN_SECONDS
    written: dict[str, float] = {}
    while not turn.wait(seconds) and _serves_http():
        seconds = TURN_SECONDS
        _forget(written)
        try:
            if _is_missing(database):
                written[_spawn(database)] = time.monotonic()
                # until it holds the lock
                seconds = START_SECONDS
        except (psycopg2.Error, OSError, subprocess.SubprocessError) as error:
            _logger.debug("listener of %s: %s", database, error)


def _forget(written: dict[str, float]) -> None:
    """Remove the files that a listener has not read in time, if it has died before.

    :param written: when each was written
    """
    for path, since in list(written.items()):
        if time.monotonic() > since + READ_SECONDS:
            Path(path).unlink(missing_ok=True)
            del written[path]


def _serves_http() -> bool:
    """Tell whether this process answers requests: cron workers, too, are children."""
    if not _may_serve_http():
        return False
    names = [thread.name for thread in threading.enumerate()]
    return _is_master() or any("WorkerHTTP" in name for name in names)


def _is_missing(database: str) -> bool:
    _name, info = sql_db.connection_info_for(database)
    with closing(psycopg2.connect(**info)) as connection, connection.cursor() as cr:
        settings = listener_settings.read(cr)
        return settings.enabled and not listener_settings.is_held(cr)


def _spawn(database: str) -> str:
    """Start the listener with the configuration in force, and return its file.

    It reads that file, with a password and what it must not do, once and removes it.
    """
    descriptor, path = tempfile.mkstemp(suffix=".conf")
    os.close(descriptor)
    odoo_child.write_config(
        path,
        *(*odoo_child.OPTIONS, *LOG_OPTIONS),
        **{
            guardrails.SECTION: guardrails.guardrails().options(),
            SERVED: {"config": server_config.handed_over()},
        },
    )
    addons_path = odoo_child.option_text(config["addons_path"])
    subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c", DETACHED),
            *(*odoo_child.program(), f"--addons-path={addons_path}", "mcp"),
            *("--config", path, "--database", database),
            *("--server-pid", str(server.server.pid)),
            *("--python-since", str(odoo_process.python_since())),
        ],
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return path
