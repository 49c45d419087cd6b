"""One configuration of Odoo on one database, and the commands run with it."""

import configparser
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev import console, paths
from dev.console import HarnessError
from dev.stack import Stack

LOOPBACK = "127.0.0.1"

# A process of Odoo opens what its load needs, up to this; see MAX_CONNECTIONS.
DB_MAXCONN = 48
COMMAND_SECONDS = 1800


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class OdooInstance:
    """A database with the configuration file that Odoo opens it with.

    ``options`` go to ``[options]``; ``sections`` are further sections of the same file,
    such as the addon's own ``[odoo_dev_mcp]``.
    """

    def __init__(
        self,
        stack: Stack,
        database: str,
        *,
        port: int = 0,
        workers: int = 0,
        options: Mapping[str, object] | None = None,
        sections: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.stack = stack
        self.database = database
        self.port = port or free_port()
        self.workers = workers
        self.options = dict(options or {})
        self.sections = dict(sections or {})
        self._admin_passwd = secrets.token_urlsafe(24)
        self._gevent_port = free_port() if workers else 0

    @property
    def series(self) -> str:
        """``18.0`` or ``19.0``."""
        return self.stack.series

    @property
    def url(self) -> str:
        """Where Odoo answers, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def folder(self) -> Path:
        """Configuration and logs of this database."""
        return paths.made(paths.cache() / "run" / f"{self.database}-{self.series}")

    @property
    def config_path(self) -> Path:
        """The odoo.conf of this instance."""
        return self.folder / f"odoo-{self.port}.conf"

    @property
    def log_path(self) -> Path:
        """Everything Odoo said, its standard output and error."""
        return self.folder / f"odoo-{self.port}.log"

    def argv(self, *arguments: str, command: Sequence[str] = ()) -> list[str]:
        """Command line of Odoo with this configuration, written anew."""
        self._write_config()
        interpreter = str(self.stack.env.python)
        program = [interpreter, str(self.stack.source.command), *command]
        return [*program, "--config", str(self.config_path), *arguments]

    def run_once(self, *arguments: str) -> str:
        """Let Odoo do one thing (``-i …``, ``-u …``) and end; its log.

        :raise HarnessError: Odoo ended with a failure; the log's last error is told.
        """
        status, log = self.attempt(*arguments)
        if status:
            raise HarnessError(
                f"Odoo {self.series} failed on {' '.join(arguments)}: "
                f"{console.log_reason(log)} (see {self.log_path})"
            )
        return log

    def attempt(self, *arguments: str) -> tuple[int, str]:
        """Exit status and log of Odoo doing one thing, for a caller who judges them."""
        argv = self.argv(*arguments, "--stop-after-init", *self._single_process())
        with self.log_path.open("w+", errors="replace") as log:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.stack.variables(),
                cwd=self.folder,
                timeout=COMMAND_SECONDS,
                check=False,
            )
            log.seek(0)
            return done.returncode, log.read()

    def shell(self, code: str) -> str:
        """Standard output of code run in ``odoo shell`` with ``env`` and committed."""
        argv = self.argv("--no-http", *self._single_process(), command=["shell"])
        return console.run(
            argv,
            text_input=f"{code}\nenv.cr.commit()\n",
            env=self.stack.variables(),
            cwd=self.folder,
            timeout=COMMAND_SECONDS,
            failure=f"code in odoo shell failed on {self.database}",
        )

    def forget(self) -> None:
        """Remove configuration and log of a database that is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _single_process() -> tuple[str, ...]:
        return ("--workers=0", "--max-cron-threads=0")

    def _write_config(self) -> None:
        parser = configparser.RawConfigParser()
        parser["options"] = {
            name: str(value)
            for name, value in (self._defaults() | self.options).items()
        }
        for name, values in self.sections.items():
            parser[name] = {key: str(value) for key, value in values.items()}
        # A server that restarts itself may be reading the file: replace, not rewrite.
        descriptor, written = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(descriptor, "w") as handle:
            parser.write(handle)
        Path(written).replace(self.config_path)

    def _defaults(self) -> dict[str, object]:
        """Loopback only; one database named, as a filter lists all on each call."""
        postgres = self.stack.postgres
        defaults: dict[str, object] = {
            "addons_path": ",".join(map(str, self.stack.addons_paths)),
            "admin_passwd": self._admin_passwd,
            "data_dir": self.stack.data,
            "db_host": postgres.host,
            "db_port": postgres.port,
            "db_user": postgres.user,
            "db_name": self.database,
            "db_maxconn": DB_MAXCONN,
            "http_interface": LOOPBACK,
            "http_port": self.port,
            "list_db": False,
            "without_demo": "all" if self.series == "18.0" else True,
            "workers": self.workers,
        }
        if self._gevent_port:
            defaults["gevent_port"] = self._gevent_port
        return defaults
