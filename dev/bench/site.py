"""The Odoo that is measured: a database, filled alike on each run, and its servers."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dev import console, database, paths, postgres, stack
from dev.bench import wire
from dev.console import HarnessError
from dev.odoo_instance import LOOPBACK, OdooInstance, free_port
from dev.odoo_server import OdooServer
from dev.odoo_source import OdooSource
from dev.stack import Stack

FLOOR_ADDONS = Path(__file__).with_name("floor")
FLOOR_MODULE = "mcp_bench_floor"
FILL = Path(__file__).with_name("fill.sql")
LISTENER_SECONDS = 60
MEGABYTE = 1024 * 1024

KEYS_SCRIPT = """
import json
from datetime import timedelta
from odoo import fields
admin = env.ref("base.user_admin")
names = env["mcp.api.key"]._generate(admin, {"name": "bench"})
until = fields.Datetime.now() + timedelta(days=1)
rpc = env["res.users.apikeys"].with_user(admin)._generate("rpc", "bench", until)
print("keys:", json.dumps([names, rpc, admin.id]))
"""


@dataclass(frozen=True)
class Site:
    """A filled database, and what a client must know of it.

    :param plain: a database without the addon, to compare starts with
    :param key: of this addon
    :param api_key: Odoo's own, for its RPC
    :param file: of one megabyte
    """

    stack: Stack
    database: str
    plain: str
    listener_port: int
    key: str
    api_key: str
    uid: int
    file: Path

    def server(self, workers: int = 0) -> OdooServer:
        """Odoo on the filled database."""
        return OdooServer(
            self.stack, self.database, workers=workers, options=_options(self.stack)
        )

    def plain_server(self) -> OdooServer:
        """Odoo without the addon."""
        return OdooServer(self.stack, self.plain)

    def wait_for_listener(self) -> None:
        """Return when the listener answers.

        :raise HarnessError: it never does
        """
        deadline = time.monotonic() + LISTENER_SECONDS
        with wire.Connection(LOOPBACK, self.listener_port) as connection:
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    if connection.ask(wire.get("/mcp/v1/health")).status == 200:
                        return
                time.sleep(0.2)
        raise HarnessError("the listener does not answer")


@contextlib.contextmanager
def prepared(source: OdooSource) -> Iterator[Site]:
    """A site on a PostgreSQL that waits for the disk; removed at the end."""
    own = replace(stack.on(source), postgres=postgres.durable_server())
    database.sweep(own)
    name = database.temporary_name(own, "bench")
    plain = database.temporary_name(own, "bench_plain")
    file = paths.made(paths.cache() / "run") / f"{name}.txt"
    try:
        yield _prepare(own, name, plain, file)
    finally:
        for made in (name, plain):
            database.drop(own, made)
            OdooInstance(own, made).forget()
        file.unlink(missing_ok=True)


def _prepare(own: Stack, name: str, plain: str, file: Path) -> Site:
    console.progress(f"Odoo {own.series}: a database with a million audit entries…")
    database.with_addon(own, name)
    database.copy(own, database.template(own), plain)
    instance = OdooInstance(own, name, options=_options(own))
    instance.run_once("-i", FLOOR_MODULE)
    port = free_port()
    told = instance.shell(KEYS_SCRIPT).rpartition("keys: ")[2]
    key, api_key, uid = json.loads(told)
    statements = FILL.read_text().replace("{listener_port}", str(port))
    own.sql(name, *filter(str.strip, statements.split(";\n")))
    line = "The quick brown fox jumps over the lazy dog 123 times.\n"
    file.write_text((line * (MEGABYTE // len(line) + 1))[: MEGABYTE - 1] + "\n")
    return Site(own, name, plain, port, key, api_key, uid, file)


def _options(own: Stack) -> dict[str, object]:
    addons = ",".join(map(str, [*own.addons_paths, FLOOR_ADDONS]))
    return {"addons_path": addons, "max_cron_threads": 0}
