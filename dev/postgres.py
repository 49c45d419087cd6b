"""PostgreSQL for the harness: the one that PGHOST names, else a private cluster.

The private cluster lives in the cache, listens on a unix socket alone, and stays up
after a command so that the next one starts in seconds.
"""

import os
import pwd
import re
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev import console, paths
from dev.console import HarnessError
from dev.python_env import apt_install

ROLE = "odoo"
SUPERUSER = "postgres"
PORT = 5432
SYSTEM_ACCOUNT = "postgres"

# Odoo's pool is up to 64 connections a process, and tests run several processes.
MAX_CONNECTIONS = 300

# A crash of the machine itself may cost the databases, that of make run, too. To wait
# for the disk takes seconds at each removal of one, and a test run removes dozens.
IN_HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

# PostgreSQL refuses to run as root, and its own account cannot pass root's 0700 home.
# Either capability lets it pass, the weaker first, and leaves the home as it is.
PASSING_CAPABILITIES = ("", "dac_read_search", "dac_override")


@dataclass(frozen=True)
class Postgres:
    """How to reach the server, in libpq's terms; a password stays in PGPASSWORD."""

    host: str
    port: int
    user: str

    @property
    def conninfo(self) -> str:
        """Connection string without a database."""
        return f"host='{self.host}' port={self.port} user='{self.user}'"


def server() -> Postgres:
    """A server that answers, started when it is ours and down."""
    return _server("", IN_HASTE)


def durable_server() -> Postgres:
    """One that waits for the disk, as those do that matter."""
    return _server("-durable", ())


def own_cluster(root: Path, *options: str) -> "Cluster":
    """One for a caller who ends it, below a folder of theirs."""
    return Cluster(root, _binaries(), options)


def _server(suffix: str, options: tuple[str, ...]) -> Postgres:
    given = console.setting("PGHOST")
    if given:
        return _given(given)
    binaries = _binaries()
    root = paths.cache() / f"postgres-{_major(binaries)}{suffix}"
    return Cluster(root, binaries, options).ensure()


def _given(host: str) -> Postgres:
    port = int(console.setting("PGPORT", str(PORT)))
    user = console.setting("PGUSER", pwd.getpwuid(os.getuid()).pw_name)
    if not _accepts(host, port):
        raise HarnessError(
            f"PostgreSQL at PGHOST={host} port {port} does not answer: "
            "start it, or unset PGHOST for a private cluster"
        )
    if user == SUPERUSER:
        raise HarnessError(
            "Odoo refuses the role postgres: create another "
            "(createuser --createdb odoo) and set PGUSER=odoo"
        )
    return Postgres(host, port, user)


def _accepts(host: str, port: int) -> bool:
    """Whether somebody listens there; needs no client program."""
    try:
        if host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(3)
                probe.connect(f"{host}/.s.PGSQL.{port}")
        else:
            socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Cluster:
    """A private cluster, below one folder, which a new major version starts anew.

    :param options: settings that it is started with, ``name=value``
    :param port: of loopback, where the options have it listen there
    :param access: its ``pg_hba.conf``; empty: whoever reaches the socket is trusted
    """

    root: Path
    binaries: Path
    options: tuple[str, ...] = IN_HASTE
    port: int = PORT
    access: str = ""

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.root / "data"

    @property
    def sockets(self) -> Path:
        """Folder of its unix socket, readable by its owner alone: it trusts comers."""
        return paths.socket_folder(self.root / "socket")

    def ensure(self) -> Postgres:
        """Create and start what is not there yet; one process at a time."""
        with console.exclusive(self.root.name):
            if not _accepts(str(self.sockets), self.port):
                self._start()
        return Postgres(str(self.sockets), self.port, ROLE)

    def remove(self) -> None:
        """End it, and leave nothing of it behind."""
        with console.exclusive(self.root.name):
            if self.data.exists():
                console.run(
                    [
                        *(*self._account_prefix(), self.binaries / "pg_ctl", "stop"),
                        *("--silent", "--mode", "immediate", "--pgdata", self.data),
                    ],
                    failure="PostgreSQL does not stop",
                    cwd=self.root,
                )
            shutil.rmtree(self.root)

    @property
    def pid(self) -> int:
        """The postmaster. https://www.postgresql.org/docs/current/app-postgres.html"""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def program(self, name: str) -> Path:
        """One of the programs of its version: ``pg_dump``, ``psql``…"""
        return self.binaries / name

    def stop(self) -> None:
        """End it at once, where nobody asks how it ends."""
        ended = ["pg_ctl", "stop", "--silent", "--mode", "immediate", "--pgdata"]
        command = [*self._account_prefix(), self.binaries / ended[0], *ended[1:]]
        console.run(
            [*command, self.data], failure="PostgreSQL does not stop", cwd=self.root
        )

    def _start(self) -> None:
        self._make_folders()
        prefix = self._account_prefix()
        if not self.data.exists():
            self._initialise(prefix)
        console.progress("starting PostgreSQL…")
        self._launch(prefix)

    def _make_folders(self) -> None:
        for folder in (self.root, self.sockets):
            paths.made(folder).chmod(0o700)
            if os.getuid() == 0:
                shutil.chown(folder, SYSTEM_ACCOUNT)

    def _initialise(self, prefix: Sequence[str]) -> None:
        """Make the data folder, role included; it appears whole or not at all."""
        console.progress("creating a private PostgreSQL cluster…")
        partial = self.root / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        console.run(
            [
                *(*prefix, self.binaries / "initdb", "--pgdata", partial),
                *("--username", SUPERUSER, "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8"),
            ],
            failure="initdb failed",
            cwd=self.root,
        )
        with (partial / "postgresql.conf").open("a") as configuration:
            configuration.write(self._settings())
        if self.access:
            (partial / "pg_hba.conf").write_text(self.access)
        console.run(
            [
                *(*prefix, self.binaries / "postgres", "--single"),
                *("-D", partial, "postgres"),
            ],
            text_input=f"CREATE ROLE {ROLE} LOGIN CREATEDB\n",
            failure="cannot create Odoo's database role",
            cwd=self.root,
        )
        partial.rename(self.data)

    def _settings(self) -> str:
        return (
            "listen_addresses = ''\n"
            f"unix_socket_directories = '{self.sockets}'\n"
            "unix_socket_permissions = 0700\n"
            f"port = {self.port}\n"
            f"max_connections = {MAX_CONNECTIONS}\n"
        )

    def _launch(self, prefix: Sequence[str]) -> None:
        """pg_ctl waits until connections are accepted, and judges a stale pid file."""
        log = self.root / "postgres.log"
        options = " ".join(f"-c {setting}" for setting in self.options)
        console.run(
            [
                *(*prefix, self.binaries / "pg_ctl", "start", "--silent", "--wait"),
                *("--timeout", "60", "--pgdata", self.data, "--log", log),
                *("--options", options),
            ],
            failure=f"PostgreSQL does not start (see {log})",
            cwd=self.root,
        )

    def _account_prefix(self) -> list[str]:
        """What runs a command as PostgreSQL's account, able to reach its folder."""
        if os.getuid() != 0:
            return []
        for capability in PASSING_CAPABILITIES:
            prefix = _as_account(capability)
            if _succeeds([*prefix, "stat", f"{self.root}/."]):
                return prefix
        raise HarnessError(
            f"the account {SYSTEM_ACCOUNT} cannot reach {self.root}: "
            "set XDG_CACHE_HOME to a folder that others may pass (e.g. /var/cache)"
        )


def _as_account(capability: str) -> list[str]:
    command = [
        *("setpriv", f"--reuid={SYSTEM_ACCOUNT}", f"--regid={SYSTEM_ACCOUNT}"),
        "--init-groups",
    ]
    if capability:
        command += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        # else access(2), by which initdb looks for postgres, does not count it:
        # capabilities(7), "Effect of user ID changes"
        command.append("--securebits=+no_setuid_fixup")
    return command


def _succeeds(command: Sequence[str]) -> bool:
    try:
        console.run(command, failure="probe", cwd=Path("/"))
    except HarnessError:
        return False
    return True


def _binaries() -> Path:
    """Folder of initdb and pg_ctl, of the newest version here; fetched if none is."""
    found = _installed_binaries()
    if not found:
        apt_install("postgresql", needed_for="databases")
        found = _installed_binaries()
    if not found:
        raise HarnessError("initdb is missing: install Debian's postgresql package")
    return found


def _installed_binaries() -> Path | None:
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(re.sub(r"\D", "", path.parts[-3]) or 0),
    )
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _major(binaries: Path) -> str:
    told = console.run([binaries / "postgres", "--version"], failure="postgres")
    found = re.search(r"\d+", told)
    return found[0] if found else "0"
