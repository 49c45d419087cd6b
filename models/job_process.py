"""The process of a job: a fork of the server that outlives whatever process started it.

It runs the call as any process does, writes down what the work prints, and ends with
the Odoo server: that may execute itself again meanwhile, as for a restart, but not end.
"""

import codecs
import contextlib
import logging
import os
import select
import threading
import time
from contextlib import closing

import psutil
import psycopg2

from odoo import sql_db

from . import forked, odoo_process
from .call_watcher import watching
from .caller import Admitted
from .exceptions import Cancelled, Lost
from .live_call import Client, LiveCall
from .mcp_job import LOCK_CLASS
from .parameters import parameter

_logger = logging.getLogger(__name__)

BATCH = 100_000
"""Characters of output that are written down at once, without waiting for more."""

GONE = "The connection to the database is gone, and the job with it."

STOP_SECONDS = 10
"""So long the work of a job that is to stop may take to do so."""


def start(registrar, admitted: Admitted, job_id: int) -> None:
    """Start the process of a job that has been written down.

    :raise ForkError: no process came to life
    """
    server = odoo_process.main_pid()
    database = registrar.registry.db_name
    forked.detach(lambda: run(registrar, admitted, job_id, server), database)


def run(registrar, admitted: Admitted, job_id: int, server: int) -> None:
    """Be the process of a job, from its start to its end.

    :param server: process id of the Odoo server that it ends with
    """
    database = registrar.registry.db_name
    _name, info = sql_db.connection_info_for(database)
    with closing(psycopg2.connect(**info)) as connection:
        connection.autocommit = True
        with connection.cursor() as cr:
            # held until this process ends, however it does
            cr.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, job_id])
        with registrar.transaction() as env:
            if not env["mcp.job"]._start(job_id, admitted.entry):
                return
            most = parameter(env, "job_output")
        client = JobClient(connection, job_id, most, server)
        live = LiveCall(
            admitted.entry, timeout=admitted.feature.timeout or None, client=client
        )
        with watching(live, database):
            registrar.carry_out(admitted, live, job_id)


class JobClient(Client):
    """Writes down how a job goes, for whoever asks for it.

    :param connection: to the database, in autocommit
    :param most: characters of output that are kept: the last ones
    :param server: process id of the Odoo server
    """

    def __init__(self, connection, job_id: int, most: int, server: int) -> None:
        self.connection = connection
        self.job_id = job_id
        self.most = most
        self.server = os.pidfd_open(server)
        self.decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self.lock = threading.Lock()
        self.pending = ""
        self.position = 0
        self.told: tuple | None = None
        self.stopping_since: float | None = None

    def progress(self, done, total, message):
        self.told = done, total, message

    def log(self, level, data, logger):
        self.output(f"{level.upper()} {logger}: {data}\n".encode())

    def output(self, data):
        with self.lock:
            # what PostgreSQL's text cannot hold
            self.pending += self.decoder.decode(data).replace("\0", "\ufffd")
            full = len(self.pending) > BATCH
        if full:
            with contextlib.suppress(psycopg2.Error):
                self.write_down()

    def finish(self):
        with contextlib.suppress(psycopg2.Error):
            self.write_down()

    def tick(self, cancelled):
        reason = cancelled or self._why_stop()
        if reason and self.stopping_since is None:
            self.stopping_since = time.monotonic()
        elif reason and time.monotonic() > self.stopping_since + STOP_SECONDS:
            _end_all()
        return reason

    def _why_stop(self) -> Cancelled | None:
        poller = select.poll()
        poller.register(self.server, select.POLLIN)
        if poller.poll(0):
            return Lost("The Odoo server has ended, and the job with it.")
        try:
            self.write_down()
        except psycopg2.Error as error:
            if self.connection.closed:
                return Lost(GONE)
            said = error.diag.message_primary or error
            return Lost(f"Its output cannot be written down, so it was stopped: {said}")
        return None

    def write_down(self) -> None:
        """Write output and progress into the database."""
        with self.lock, self.connection.cursor() as cr:
            if self.told:
                cr.execute(
                    "UPDATE mcp_job SET progress = %s, progress_total = %s, "
                    "message = %s WHERE id = %s",
                    [*self.told, self.job_id],
                )
                self.told = None
            if not self.pending:
                return
            text = self.pending
            cr.execute(
                "INSERT INTO mcp_job_output (job_id, position, size, text) "
                "VALUES (%s, %s, %s, %s)",
                [self.job_id, self.position, len(text), text],
            )
            self.pending = ""
            self.position += len(text)
            if self.position > self.most:
                cr.execute(
                    "DELETE FROM mcp_job_output WHERE job_id = %s "
                    "AND position + size < %s",
                    [self.job_id, self.position - self.most],
                )


def _end_all() -> None:
    """End this process and what it started, for its work does not listen."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()
    os._exit(1)
