"""A PostgreSQL of any version, read as query_database does, with no Odoo in it."""

import json
import secrets
import subprocess
from typing import Any

import psycopg2

from dev import paths, postgres_versions
from dev.odoo_instance import OdooInstance
from dev.postgres import SUPERUSER
from dev.stack import Stack
from dev.tests.test_sql_escapes import SET_UP

DATABASE = "mcp_reading"
OTHER = "mcp_other"
PROBE = paths.REPOSITORY / "dev" / "tests" / "reading_probe.py"

TABLES = """
CREATE TABLE res_users (id int, login text, password text, active boolean);
INSERT INTO res_users VALUES (1, 'admin', 'hunter2', true);
CREATE TABLE ir_config_parameter (id int, key text, value text);
INSERT INTO ir_config_parameter VALUES (1, 'database.secret', 'hunter2');
CREATE VIEW mcp_logins AS SELECT id, login, password AS passwd FROM res_users;
"""


class Reading:
    """A cluster, a database of Odoo's role in it, and a login for the reader.

    The way in is Debian's: the reader's socket wants an account, loopback a password.

    :raise HarnessError: there is no such version to be had
    """

    def __init__(self, stack: Stack, version: int) -> None:
        self.version = version
        self.cluster = postgres_versions.cluster(version)
        self.postgres = self.cluster.ensure()
        self.login = ("Mcp-18.0_mcp_reader", secrets.token_urlsafe(16))
        own = Stack(stack.source, stack.env, self.postgres)
        self.instance = OdooInstance(own, DATABASE)
        for name in (DATABASE, OTHER):
            self.execute(f"CREATE DATABASE {name} OWNER odoo", database="postgres")
        with self.owner() as connection, connection.cursor() as cursor:
            cursor.execute(SET_UP + TABLES)
        self.execute("CREATE EXTENSION dblink")
        self.process = self._start_probe()
        self.probe(["define"])

    def probe(self, *jobs: list[Any]) -> list[Any]:
        """Answers of the addon's own code to jobs of ``reading_probe.py``."""
        return [self._answer(job) for job in jobs]

    def _answer(self, job: list[Any]) -> Any:
        self.process.stdin.write(f"{json.dumps(job)}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the probe has ended"
        return json.loads(answer)

    def _start_probe(self) -> subprocess.Popen[str]:
        own = self.instance.stack
        self.instance.argv()  # writes the configuration
        return subprocess.Popen(
            [
                *(str(own.env.python), str(PROBE), str(self.instance.config_path)),
                *(DATABASE, *self.login),
            ],
            env={**own.variables(), "PYTHONPATH": str(own.source.package.parent)},
            cwd=self.instance.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def make(self) -> Any:
        """Make the role as documented, and tell what Odoo's role could not."""
        [asked] = self.probe(["making"])
        self.execute(*asked["statements"])
        [excess] = self.probe(["grant"])
        assert excess is None
        return asked

    def connect(self, user: str, database: str = DATABASE) -> Any:
        """A connection through the socket."""
        return psycopg2.connect(
            f"host={self.postgres.host} port={self.postgres.port} user={user} "
            f"dbname={database} application_name=mcp_canary"
        )

    def owner(self) -> Any:
        """One of Odoo's role."""
        return self.connect(self.postgres.user)

    def execute(self, *statements: str, database: str = DATABASE) -> list[Any]:
        """Rows of the last statement of a superuser's."""
        connection = self.connect(SUPERUSER, database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def remove(self) -> None:
        """End the cluster, and leave nothing of it."""
        self.process.kill()
        self.process.wait()
        self.cluster.remove()
        self.instance.forget()
