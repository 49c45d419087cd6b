"""A registry of the test's own is told where each server is, and breaks none."""

import hashlib
import hmac
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest
import requests

from dev.odoo_instance import LOOPBACK
from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually

SECRET = "hush, registry"
PAYLOAD = {
    *("server_id", "hostname", "ip_addresses", "port", "transport", "version"),
    *("odoo_version", "database", "capabilities", "started_at"),
}
PERIOD = 5
HANGS = 10
"""Seconds after which a server gives a registry up."""


@dataclass(frozen=True)
class Received:
    """One call that the registry got."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.body)


class Registry(ThreadingHTTPServer):
    """Records each call; ``behave`` says how it answers them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), Handler)
        self.received: list[Received] = []
        self.behave: Callable[[Handler], None] = agree
        self.released = threading.Event()
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}/hook"

    def calls(self, action: str = "") -> list[Received]:
        """What was received until now, in order."""
        path = f"/hook/{action}"
        return [call for call in self.received if call.path.startswith(path)]

    def waited_for(self, action: str, count: int = 1, **patience: float) -> Received:
        """The call with this number, when it has come."""
        wanted = f"{count} x {action}"
        eventually(lambda: len(self.calls(action)) >= count, wanted, **patience)
        return self.calls(action)[count - 1]

    def close(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_arguments: object) -> None:
        """A server that has given up is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = Received(time.monotonic(), self.path, dict(self.headers), body)
        self.server.received.append(call)
        self.server.behave(self)

    def do_GET(self) -> None:
        self.do_POST()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """The output is the tests'."""


def agree(handler: Handler) -> None:
    handler.answer(200, b'{"status": "ok"}')


def hang(handler: Handler) -> None:
    handler.server.released.wait(60)


def dribble(handler: Handler) -> None:
    """Never silent for long, never at the end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.released.wait(0.5):
        handler.wfile.write(b"a")


def trickle(handler: Handler) -> None:
    """An answer that is fine so far, and goes on."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not handler.server.released.wait(0.5):
        handler.wfile.write(b"a")


def redirect(handler: Handler) -> None:
    handler.answer(302, Location=f"{handler.server.url}/elsewhere")


def garbage(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff\x01 garbage\r\n\r\n" * 5)


def flood(handler: Handler) -> None:
    """An answer without an end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not handler.server.released.wait(0):
        handler.wfile.write(b"\x00 flood" * 10_000)


def fail(handler: Handler) -> None:
    handler.answer(500, b"out of order")


@pytest.fixture
def registry() -> Iterator[Registry]:
    own = Registry()
    yield own
    own.close()


@pytest.fixture(scope="module", params=[0, 2], ids=["threaded", "prefork"])
def home(
    request: pytest.FixtureRequest,
    start_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
) -> Iterator[Backend]:
    """A server in a database of its own, threaded, then with workers."""
    database = make_database(f"phone{request.param}")
    server = start_server(database=database, workers=request.param)
    yield Backend(server)
    server.end()


THREADED = pytest.mark.parametrize("home", [0], ids=["threaded"], indirect=True)


@pytest.fixture
def phones(home: Backend, registry: Registry) -> Iterator[Backend]:
    """The server, told to call the registry; afterwards nothing is remembered."""
    call(home, registry)
    yield home
    home.parameter("phone_home_url", False)
    eventually(lambda: not entry(home).get("payload"), "it is no longer registered")
    home.parameter("phone_home_state", False)


def call(backend: Backend, registry: Registry, seconds: int = PERIOD) -> None:
    backend.parameter("phone_home_seconds", seconds)
    backend.parameter("phone_home_secret", SECRET)
    backend.parameter("phone_home_url", registry.url)


def entry(backend: Backend) -> dict[str, Any]:
    """What this host has written down of its calls."""
    query = "SELECT value FROM ir_config_parameter WHERE key = %s"
    rows = backend.rows(query, "odoo_dev_mcp.phone_home_state")
    return json.loads(rows[0]["value"]).get(socket.gethostname(), {}) if rows else {}


def shown(backend: Backend) -> dict[str, str]:
    """What Settings show."""
    names = ["mcp_phone_home_state", "mcp_phone_home_error"]
    [settings] = backend.execute("res.config.settings", "create", [{}])
    return backend.execute("res.config.settings", "read", [settings], names)[0]


def pauses(calls: list[Received]) -> list[float]:
    """Seconds between calls."""
    times = [received.at for received in calls]
    return [after - before for before, after in itertools.pairwise(times)]


def error(backend: Backend) -> str:
    """What Settings show, when there is an error."""
    return eventually(lambda: shown(backend)["mcp_phone_home_error"], "an error")


def health(server: OdooServer) -> float:
    """Seconds that /web/health takes."""
    session = requests.Session()
    session.trust_env = False
    began = time.monotonic()
    assert session.get(f"{server.url}/web/health", timeout=30).status_code == 200
    return time.monotonic() - began


def test_server_registers_and_then_calls_at_the_configured_seconds(
    phones: Backend, registry: Registry
) -> None:
    first = registry.waited_for("register", seconds=10)
    assert set(first.payload) == PAYLOAD
    database = phones.server.database
    assert first.payload["server_id"] == f"{database}_{socket.gethostname()}"
    assert first.payload["port"] == phones.server.port
    assert first.payload["transport"] == "http/sse"
    assert "query_database" in first.payload["capabilities"]
    digest = hmac.new(SECRET.encode(), first.body, hashlib.sha256).hexdigest()
    assert first.headers["X-Odoo-MCP-Signature"] == f"sha256={digest}"
    registry.waited_for("heartbeat", 4, seconds=5 * PERIOD)
    # one a period, however many workers
    gaps = pauses(registry.calls())
    assert all(0.6 * PERIOD < gap < 1.8 * PERIOD for gap in gaps), gaps
    paths = [received.path for received in registry.calls()]
    assert paths[:5] == ["/hook/register"] + ["/hook/heartbeat"] * 4
    assert registry.calls("heartbeat")[0].payload == first.payload
    told = shown(phones)
    assert database in told["mcp_phone_home_state"]
    assert "HTTP 200" in told["mcp_phone_home_state"]
    assert not told["mcp_phone_home_error"]


def test_second_server_of_the_host_is_silent_and_takes_over(
    phones: Backend, registry: Registry, make_server: Callable[..., OdooServer]
) -> None:
    first = registry.waited_for("register", seconds=10)
    other = make_server(database=phones.server.database, workers=phones.server.workers)
    try:
        seen = len(registry.calls())
        registry.waited_for("heartbeat", len(registry.calls("heartbeat")) + 3)
        gaps = pauses(registry.calls()[seen - 1 :])
        assert all(0.6 * PERIOD < gap < 1.8 * PERIOD for gap in gaps), gaps
        assert len(registry.calls("register")) == 1
        phones.server.stop()
        second = registry.waited_for("register", 2, seconds=10)
        assert second.payload["started_at"] > first.payload["started_at"]
        phones.server.start()
        beats = len(registry.calls("heartbeat"))
        registry.waited_for("heartbeat", beats + 2)
        assert len(registry.calls("register")) == 2
    finally:
        other.stop()
    registry.waited_for("register", 3, seconds=10)


def test_restarted_server_registers_anew(phones: Backend, registry: Registry) -> None:
    phones.parameter("phone_home_seconds", 3600)
    first = registry.waited_for("register", seconds=10)
    # a worker that is stopped amid its call leaves the call to another
    eventually(lambda: entry(phones).get("payload"), "it is written down")
    phones.server.stop()
    phones.server.start()
    second = registry.waited_for("register", 2, seconds=10)
    assert second.payload["started_at"] > first.payload["started_at"]
    assert second.payload["server_id"] == first.payload["server_id"]
    # a restart by signal keeps the process
    key = phones.key("admin")
    with McpClient(phones.server.url, key) as client:
        assert not client.tool("service_status", action="restart").get("isError")
    third = registry.waited_for("register", 3)
    assert third.payload["started_at"] > second.payload["started_at"]


def test_hanging_registry_blocks_nobody(phones: Backend, registry: Registry) -> None:
    registry.waited_for("register", seconds=10)
    registry.behave = hang
    registry.waited_for("heartbeat")
    assert max(health(phones.server) for _turn in range(20)) < HANGS / 2
    assert phones.execute("res.users", "search_count", [])
    assert f"no whole answer within {HANGS} s" in error(phones)


@THREADED
@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (dribble, "no whole answer within"),
        (trickle, "no whole answer within"),
        (redirect, "redirects to http://127.0.0.1"),
        (garbage, "not HTTP"),
        (fail, "HTTP 500: out of order"),
    ],
    ids=["dribble", "trickle", "redirect", "garbage", "fail"],
)
def test_registry_that_does_not_agree_is_told_in_settings(
    home: Backend, registry: Registry, behaviour: Callable[[Handler], None], words: str
) -> None:
    registry.behave = behaviour
    call(home, registry)
    try:
        assert words in error(home)
        assert not registry.calls("elsewhere")
        assert "phone-home" in home.server.log()
        assert health(home.server) < HANGS / 2
        registry.released.set()
        registry.behave = agree
        eventually(lambda: shown(home)["mcp_phone_home_state"], "it registers")
        assert not shown(home)["mcp_phone_home_error"]
    finally:
        home.parameter("phone_home_url", False)
        registry.waited_for("deregister", seconds=10)


@THREADED
def test_answer_without_an_end_is_not_read_to_it(
    phones: Backend, registry: Registry
) -> None:
    registry.waited_for("register", seconds=10)
    process = psutil.Process(phones.server.pid)
    before = process.memory_info().rss
    registry.behave = flood
    registry.waited_for("heartbeat", 2)
    told = eventually(lambda: flooded(phones), "the start of it is shown")
    assert len(told) < 1000
    assert process.memory_info().rss - before < 20 * 1024 * 1024
    registry.behave = agree


def flooded(backend: Backend) -> str:
    told = shown(backend)["mcp_phone_home_state"] or ""
    return told if "flood" in told else ""


@THREADED
def test_metadata_address_is_not_called(home: Backend) -> None:
    home.parameter("phone_home_url", "https://169.254.169.254/hook")
    try:
        assert "169.254.169.254, which is never called" in error(home)
    finally:
        home.parameter("phone_home_url", False)
        home.parameter("phone_home_state", False)


@THREADED
def test_registry_that_is_gone_is_tried_less_and_less(
    phones: Backend, registry: Registry
) -> None:
    registry.waited_for("register", seconds=10)
    registry.behave = fail
    registry.waited_for("heartbeat", 4)
    gaps = pauses(registry.calls("heartbeat"))
    for gap, wanted in zip(gaps, (5, 10, 20), strict=False):
        assert 0.8 * wanted < gap < 1.6 * wanted, gaps
    assert "failed 4 times" in error(phones)
    registry.behave = agree
    press(phones, registry.url)
    eventually(lambda: not shown(phones)["mcp_phone_home_error"], "at once", seconds=10)


def press(backend: Backend, url: str) -> dict[str, Any]:
    """What the button of Settings shows."""
    values = {"mcp_phone_home_url": url, "mcp_phone_home_secret": SECRET}
    [settings] = backend.execute("res.config.settings", "create", [values])
    action = backend.execute(
        "res.config.settings", "action_mcp_test_phone_home", [settings]
    )
    return action["params"]


@THREADED
def test_button_ends_in_time(home: Backend, registry: Registry) -> None:
    assert press(home, registry.url)["type"] == "success"
    registry.behave = hang
    began = time.monotonic()
    told = press(home, registry.url)
    assert time.monotonic() - began < 2 * HANGS
    assert told["type"] == "danger"
    assert f"no whole answer within {HANGS} s" in told["message"]
    assert [received.path for received in registry.calls()] == ["/hook/register"] * 2


@THREADED
def test_registry_that_forgot_the_server_is_told_again(
    phones: Backend, registry: Registry
) -> None:
    registry.waited_for("register", seconds=10)
    forgotten = iter([404, 410])

    def forget(handler: Handler) -> None:
        gone = handler.path.endswith("heartbeat")
        handler.answer(next(forgotten, 200) if gone else 200)

    registry.behave = forget
    registry.waited_for("register", 3)
    registry.waited_for("heartbeat", 3)
    assert len(registry.calls("register")) == 3


@THREADED
def test_other_url_or_secret_registers_anew(
    phones: Backend, registry: Registry
) -> None:
    first = registry.waited_for("register", seconds=10)
    other = Registry()
    try:
        phones.parameter("phone_home_url", other.url)
        other.waited_for("register", seconds=10)
        last = registry.waited_for("deregister", seconds=10)
        assert last.payload == first.payload
        phones.parameter("phone_home_secret", "another")
        second = other.waited_for("register", 2, seconds=10)
        digest = hmac.new(b"another", second.body, hashlib.sha256).hexdigest()
        assert second.headers["X-Odoo-MCP-Signature"] == f"sha256={digest}"
        phones.parameter("phone_home_url", False)
        other.waited_for("deregister", seconds=10)
    finally:
        other.close()


@pytest.mark.parametrize("workers", [0, 2], ids=["threaded", "prefork"])
def test_uninstallation_deregisters(
    make_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    registry: Registry,
    workers: int,
) -> None:
    server = make_server(database=make_database(f"leaving{workers}"), workers=workers)
    backend = Backend(server)
    call(backend, registry)
    first = registry.waited_for("register", seconds=10)
    uninstall(backend)
    last = registry.waited_for("deregister", seconds=10)
    assert last.payload == first.payload
    calls = len(registry.calls())
    assert registry.calls()[-1] is last
    eventually(lambda: time.monotonic() - last.at > 2 * PERIOD, "two periods")
    assert len(registry.calls()) == calls
    left = "SELECT key FROM ir_config_parameter WHERE key LIKE 'odoo_dev_mcp.%%'"
    assert backend.rows(left) == []


def test_uninstallation_does_not_wait_for_a_registry_that_hangs(
    make_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    registry: Registry,
) -> None:
    server = make_server(database=make_database("leaving"))
    backend = Backend(server)
    call(backend, registry, seconds=3600)
    registry.waited_for("register", seconds=10)
    eventually(lambda: entry(backend).get("payload"), "it is registered")
    registry.behave = hang
    began = time.monotonic()
    uninstall(backend)
    assert time.monotonic() - began < 45
    query = "SELECT state FROM ir_module_module WHERE name = 'odoo_dev_mcp'"
    assert backend.rows(query) == [{"state": "uninstalled"}]
    assert "within 5 s" in server.log() or "within 4" in server.log()
    assert health(server) < HANGS / 2


def uninstall(backend: Backend) -> None:
    domain = [("name", "=", "odoo_dev_mcp")]
    [module] = backend.execute("ir.module.module", "search", domain)
    backend.execute("ir.module.module", "button_immediate_uninstall", [module])
