"""Keeps a listener running: what a process that serves HTTP does for it each turn."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from odoo.service import server
from odoo.tools import config

from . import listener_settings, odoo_child, odoo_process, server_config
from .server_turns import TURN_SECONDS, connection

START_SECONDS = 60
"""That a listener has until it holds the lock. It imports Odoo before: where that is
slow, more of them would make it slower still."""
READ_SECONDS = 120

DETACHED = """
import os, sys
if not os.fork():
    os.setsid()
    os.execv(sys.argv[1], sys.argv[1:])
"""
"""The listener is nobody's child: a restarted Odoo would never reap it."""
written: dict[str, float] = {}
"""Files for listeners that this process has started, and when (monotonic)."""

LOG_OPTIONS = ("logfile", "log_level", "log_handler", "syslog")


def turn(database: str) -> float:
    """Start the listener of ``database`` if it should be there and is not."""
    _forget()
    with connection(database) as cr:
        settings = listener_settings.read(cr)
        mine = (
            settings.enabled
            and not listener_settings.is_held(cr)
            and listener_settings.claim_start(cr, START_SECONDS)
        )
    if mine:
        written[_spawn(database)] = time.monotonic()
    return TURN_SECONDS


def _forget() -> None:
    """Remove the files that a listener has not read in time, as one that has died."""
    for path, since in list(written.items()):
        if time.monotonic() > since + READ_SECONDS:
            Path(path).unlink(missing_ok=True)
            del written[path]


def _spawn(database: str) -> str:
    """Start the listener with the configuration in force, and return its file.

    It reads that file, with a password in it, once and removes it. Its section
    ``served`` has the configuration of this server, guardrails and all.
    """
    descriptor, path = tempfile.mkstemp(suffix=".conf")
    os.close(descriptor)
    odoo_child.write_config(
        path,
        *(*odoo_child.OPTIONS, *LOG_OPTIONS),
        served={"config": server_config.handed_over()},
    )
    addons_path = odoo_child.option_text(config["addons_path"])
    subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c", DETACHED),
            *(*odoo_child.program(), f"--addons-path={addons_path}", "mcp"),
            *("--config", path, "--database", database),
            *("--server-pid", str(server.server.pid)),
            *("--server-program", odoo_process.own_program()),
            *("--python-since", str(odoo_process.python_since())),
        ],
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return path
