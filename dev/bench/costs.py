"""What is no time of an answer: starts, memory, streams, large tables, governance."""

import contextlib
import json
import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from dev.bench import latency, process, wire
from dev.bench.site import Site
from dev.bench.targets import REVISION, McpServer, Target
from dev.odoo_instance import LOOPBACK
from dev.odoo_server import OdooServer

STARTS = 3
STREAMS = 500
PAGE_ROWS = 1000
PAGE_TURNS = 30
STREAM_ROUNDS = 300
LIST_TURNS = 7

GOVERNANCE = Path(__file__).with_name("governance.py")
MCP_LIBRARIES = ("pydantic_core", "rpds")
"""Compiled, so that a process shows from outside whether it has loaded them."""

LARGE = "SELECT id, tool, arguments, status FROM mcp_audit_log"


class Starts(NamedTuple):
    """Seconds to the first answer and bytes then, with and without the addon."""

    seconds: float
    plain_seconds: float
    bytes: int
    plain_bytes: int
    imports_mcp: bool


def starts(site: Site) -> Starts:
    """Start Odoo a few times with and without the addon, taking turns."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    memory: dict[bool, list[int]] = {True: [], False: []}
    imports = False
    for number in range(2 * STARTS):
        own = number % 2 == 0
        server = site.server() if own else site.plain_server()
        began = time.perf_counter()
        with server:
            seconds[own].append(time.perf_counter() - began)
            memory[own].append(process.proportional(server.pid))
            loaded = [process.has_mapped(server.pid, name) for name in MCP_LIBRARIES]
            imports = imports or (own and any(loaded))
            server.end()
    return Starts(
        statistics.median(seconds[True]),
        statistics.median(seconds[False]),
        round(statistics.median(memory[True])),
        round(statistics.median(memory[False])),
        imports,
    )


class Large(NamedTuple):
    """A query of a million rows: bytes that the server grew by, and the seconds of its
    first page: here, in psql that is started for it as an agent's command would be, and
    in one that is connected already."""

    growth: int
    page: float
    psql_page: float
    connected_page: float


def large_query(site: Site, port: int, pid: int) -> Large:
    """Ask for the first page of a million rows, taking turns with psql."""
    server = McpServer("", port, "/mcp/v1", {"Authorization": f"Bearer {site.key}"})
    params = {"name": "query_database", "arguments": {"query": LARGE}}
    request = server.request("tools/call", params)
    expected = b'"row_count":%d' % PAGE_ROWS
    seconds: dict[str, list[float]] = {"ours": [], "started": [], "connected": []}
    with wire.Connection(LOOPBACK, port) as connection, _psql(site) as psql:

        def ours() -> float:
            began = time.perf_counter()
            answer = connection.ask(request)
            took = time.perf_counter() - began
            wire.check(answer, expected, LARGE)
            return took

        def started() -> float:
            began = time.perf_counter()
            with _psql(site) as fresh:
                fresh()
                return time.perf_counter() - began

        ours()
        before = process.resident(pid)
        process.forget_peak(pid)
        for _turn in range(PAGE_TURNS):
            seconds["ours"].append(ours())
            seconds["started"].append(started())
            seconds["connected"].append(psql())
        growth = process.peak(pid) - before
    return Large(growth, *(statistics.median(found) for found in seconds.values()))


@contextlib.contextmanager
def _psql(site: Site) -> Iterator[Callable[[], float]]:
    """Give what asks psql for the same page, and returns the seconds that it took."""
    postgres = site.stack.postgres
    psql = subprocess.Popen(
        [
            *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
            *("--host", postgres.host, "--port", str(postgres.port)),
            *("--username", postgres.user, "--dbname", site.database),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert psql.stdin
    assert psql.stdout
    stdin, stdout = psql.stdin, psql.stdout

    def page() -> float:
        began = time.perf_counter()
        stdin.write(f"{LARGE} LIMIT {PAGE_ROWS};\n")
        stdin.flush()
        for _row in range(PAGE_ROWS):
            stdout.readline()
        return time.perf_counter() - began

    try:
        yield page
    finally:
        psql.kill()
        psql.wait()


class Streams(NamedTuple):
    """Open event streams: bytes that they cost, and how they slow a call down."""

    bytes: int
    ratio: float


def streams(site: Site, call: Target, pid: int) -> Streams:
    """Open streams at the listener, and measure a call with and without them."""
    key = {"Authorization": f"Bearer {site.key}", "MCP-Protocol-Version": REVISION}
    lines = {"Host": LOOPBACK, "Accept": "text/event-stream", **key}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request = f"GET /mcp/v1 HTTP/1.1\r\n{head}\r\n".encode()

    def p50() -> float:
        return latency.interleaved([call], STREAM_ROUNDS)[call.name].p50

    without = p50()
    before = process.proportional(pid)
    with contextlib.ExitStack() as stack:
        for _number in range(STREAMS):
            stream = wire.Connection(LOOPBACK, site.listener_port)
            stack.callback(stream.close)
            stream.send(request)
            while b"\r\n\r\n" not in stream.buffer:
                stream.buffer += stream.receive()
            assert stream.buffer.startswith(b"HTTP/1.1 200"), stream.buffer
        opened = p50()
        grown = process.proportional(pid) - before
    return Streams(grown, opened / min(without, p50()))


class Lists(NamedTuple):
    """Seconds of an administrator's view on a million audit entries."""

    opened: float
    filtered: float
    grouped: float


def audit_lists(site: Site, server: OdooServer) -> Lists:
    """Open, filter and group the list as the web client does."""
    session = _session(site, server)
    fields = ("create_date", "user_id", "key_name", "tool", "arguments", "status")
    specification = {name: {} for name in (*fields, "duration_ms")}
    specification["user_id"] = {"fields": {"display_name": {}}}
    day = ["&", ("create_date", ">=", "2026-01-15"), ("create_date", "<", "2026-01-16")]

    def rows(domain: list[object]) -> Callable[[], float]:
        named = {"specification": specification, "domain": domain, "limit": 80}
        named |= {"count_limit": 10_001, "offset": 0, "order": ""}
        return lambda: session("web_search_read", named, b'"length"')

    ways = {
        "opened": rows([]),
        "filtered": rows([*day, ("tool", "=", "read_file")]),
        "grouped": _grouping(site, session, []),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _turn in range(LIST_TURNS):
        for name in random.sample([*ways], len(ways)):
            seconds[name].append(ways[name]())
    return Lists(**{name: statistics.median(found) for name, found in seconds.items()})


def _grouping(site: Site, session, domain) -> Callable[[], float]:
    named = {"domain": domain, "groupby": ["tool"], "limit": 80}
    if site.stack.series == "18.0":
        named |= {"fields": ["duration_ms"], "lazy": True}
    else:
        named |= {"aggregates": ["duration_ms:avg", "__count"]}
    return lambda: session("web_read_group", named, b"read_file")


def _session(site: Site, server: OdooServer):
    """Log in, and give what asks as the web client does and returns the seconds."""
    connection = wire.Connection(LOOPBACK, server.port)
    login = {"db": site.database, "login": "admin", "password": "admin"}
    body = {"jsonrpc": "2.0", "method": "call", "params": login}
    answer = connection.ask(wire.post("/web/session/authenticate", body))
    wire.check(answer, b'"uid"', "the administrator's session")
    cookie = answer.headers["set-cookie"].partition(";")[0]

    def ask(method: str, named: dict, expected: bytes) -> float:
        path = f"/web/dataset/call_kw/mcp.audit.log/{method}"
        params = {"model": "mcp.audit.log", "method": method, "args": []}
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "params": {**params, "kwargs": named},
        }
        request = wire.post(path, body, {"Cookie": cookie})
        began = time.perf_counter()
        answer = connection.ask(request)
        took = time.perf_counter() - began
        wire.check(answer, expected, method)
        return took

    return ask


def governance(site: Site) -> float:
    """Milliseconds of a call that are key, access, limit and audit."""
    code = GOVERNANCE.read_text().replace("{key}", site.key)
    told = site.server().shell(code).rpartition("governance: ")[2]
    milliseconds: float = json.loads(told)
    return milliseconds


def hardware() -> str:
    """The machine, in a line."""
    told = Path("/proc/cpuinfo").read_text()
    models = [line for line in told.splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else os.uname().machine
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores ({model}), {pages / 2**30:.0f} GiB"
