"""The MCP servers that users would take instead: they stand before Odoo's RPC.

Each from PyPI, in an environment of its own, on the same Odoo. Neither speaks SQL:
where ours selects one, they read one partner.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev import paths, python_env
from dev.bench import wire
from dev.bench.site import Site
from dev.bench.targets import FIELDS, ONE, PARTNERS, ROWS, McpServer, Target
from dev.console import HarnessError
from dev.odoo_instance import LOOPBACK, free_port
from dev.odoo_server import OdooServer

START_SECONDS = 60
EVERY = 5
"""They take ten times as long as the others: so many rounds without them."""

PATH = "/mcp"


@dataclass(frozen=True)
class Peer:
    """A package of PyPI that is an MCP server for Odoo.

    :param arguments: of its program, which has the package's name
    :param works: which of the works it can do
    """

    package: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    works: tuple[str, ...]


def known(site: Site, server: OdooServer) -> list[Peer]:
    """Both, set up for an Odoo."""
    common = {"ODOO_URL": server.url, "ODOO_DB": site.database}
    return [
        Peer(
            "mcp-server-odoo",
            ("--transport", "streamable-http"),
            {
                **common,
                "ODOO_USER": "admin",
                "ODOO_API_KEY": site.api_key,
                "ODOO_YOLO": "read",
                "ODOO_MCP_MAX_LIMIT": "10000",
            },
            (ONE, PARTNERS, ROWS),
        ),
        # its lists end at 100 records
        Peer(
            "odoo-mcp",
            ("--transport", "streamable-http", "--path", PATH),
            {**common, "ODOO_USERNAME": "admin", "ODOO_PASSWORD": site.api_key},
            (ONE, PARTNERS),
        ),
    ]


@contextlib.contextmanager
def running(site: Site, server: OdooServer) -> Iterator[list[Target]]:
    """Start both, and give what can be measured of them."""
    with contextlib.ExitStack() as stack:
        targets = []
        for peer in known(site, server):
            port = stack.enter_context(_started(peer))
            targets += _targets(peer, port)
        yield targets


@contextlib.contextmanager
def _started(peer: Peer) -> Iterator[int]:
    env = python_env.environment(peer.package)
    port = free_port()
    command = [str(env.bin / peer.package), *peer.arguments]
    with _log(peer.package).open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host", LOOPBACK, "--port", str(port)],
            env=env.variables(peer.environment),
            cwd=paths.cache(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def _log(package: str) -> Path:
    return paths.made(paths.cache() / "run") / f"{package}.log"


def _targets(peer: Peer, port: int) -> list[Target]:
    headers = _session(McpServer(peer.package, port, PATH))
    server = McpServer(peer.package, port, PATH, headers)
    sizes = {ONE: 1, PARTNERS: 80, ROWS: 10_000}
    calls: dict[str, tuple[str, Mapping[str, Any], bytes]] = {}
    for work in peer.works:
        arguments = {"model": "res.partner", "fields": FIELDS, "limit": sizes[work]}
        calls[work] = ("search_records", {**arguments, "order": "id"}, b"My Company")
    return server.targets(calls, every=EVERY)


def _session(server: McpServer) -> dict[str, str]:
    """Begin a session, and return the header that goes on with it."""
    deadline = time.monotonic() + START_SECONDS
    with wire.Connection(LOOPBACK, server.port) as connection:
        while True:
            with contextlib.suppress(OSError):
                answer = connection.ask(server.initialize())
                break
            if time.monotonic() > deadline:
                raise HarnessError(
                    f"{server.door} does not answer: see {_log(server.door)}"
                )
            time.sleep(0.2)
        wire.check(answer, b"protocolVersion", server.door)
        session = answer.headers.get("mcp-session-id")
        headers = {"Mcp-Session-Id": session} if session else {}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        connection.ask(wire.post(server.path, note, headers))
    return headers
