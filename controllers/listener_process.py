"""The life of the listener's process: it holds the lock, follows its settings, and ends
with the Odoo server that started it."""

import contextlib
import logging
import os
import select
import signal
import threading
from contextlib import closing

import psycopg2

from odoo import sql_db
from odoo.modules.registry import Registry

from ..models import listener_settings, odoo_process, server_config
from ..models.fork_child import reset_limits
from .listener import Listener

_logger = logging.getLogger(__name__)

TURN_SECONDS = 2


class ServerWatch:
    """Knows when the Odoo server has ended, or has executed itself again.

    :param program: what it executed when it started this process, see
        :func:`.odoo_process.program`
    :raise ProcessLookupError: it has ended
    """

    def __init__(self, pid: int, program: str) -> None:
        self.pid = pid
        self.program = program
        self.descriptor = os.pidfd_open(pid)

    def lives(self, seconds: float) -> bool:
        """Wait, and tell whether the server is still the same."""
        poller = select.poll()
        poller.register(self.descriptor, select.POLLIN)
        if poller.poll(seconds * 1000):
            return False
        try:
            return odoo_process.program(self.pid) == self.program
        except OSError:
            return False


def run(
    database: str,
    server_pid: int,
    server_program: str,
    python_since: float,
    config: str,
) -> None:
    """Be the listener of ``database`` until the server or its settings change.

    :param server_program: see :class:`ServerWatch`
    :param config: what the server's configuration is, see :mod:`.server_config`
    """
    server_config.take_over(config)
    odoo_process.served.update(pid=server_pid, python_since=python_since)
    # the thread that started this process blocks them all
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    reset_limits()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _name, info = sql_db.connection_info_for(database)
    with closing(psycopg2.connect(**info)) as connection:
        connection.autocommit = True
        with connection.cursor() as cr:
            if not listener_settings.take(cr):
                return
            # else it has ended, or executed itself again, while this process started
            with contextlib.suppress(ProcessLookupError, psycopg2.Error):
                watch = ServerWatch(server_pid, server_program)
                if watch.lives(0):
                    _serve(database, watch, cr)


def _serve(database: str, watch: ServerWatch, cr) -> None:
    """Listen where the settings say; another process takes over when they change."""
    settings = listener_settings.read(cr)
    # what the one before has told is over
    listener_settings.tell(cr)
    Registry(database)
    listener = problem = None
    while settings.enabled and watch.lives(TURN_SECONDS if listener or problem else 0):
        if listener_settings.read(cr) != settings:
            break
        if listener:
            continue
        try:
            listener = Listener(settings.host, settings.port, database)
        except (OSError, OverflowError) as error:
            if str(error) != problem:
                problem = str(error)
                said = f"cannot listen at {settings.host}:{settings.port}: {error}"
                _logger.warning("MCP listener: %s", said)
                listener_settings.tell(cr, error=said)
            continue
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{listener.server_address[1]}/mcp/v1"
        listener_settings.tell(cr, url=url)
        _logger.info("MCP listener: serving %s at %s", database, url)
    if listener:
        listener.shutdown()
        listener.hub.close()
        listener.server_close()
