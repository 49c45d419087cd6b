"""The dedicated listener: one process, one port, and nothing but /mcp/v1."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from dev.odoo_instance import LOOPBACK, free_port
from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, LEGACY, MODERN, McpClient
from dev.tests.waiting import Background, at_once, eventually, within

MARK = " mcp --config "


def listeners(database: str) -> list[psutil.Process]:
    """The listener processes of a database."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = " ".join(process.info["cmdline"] or ())
        lives = process.info["status"] != psutil.STATUS_ZOMBIE
        if lives and MARK in command and f"--database {database} " in command:
            found.append(process)
    return found


def health(port: int) -> int | None:
    session = requests.Session()
    session.trust_env = False
    try:
        url = f"http://{LOOPBACK}:{port}{ENDPOINT}/health"
        return session.get(url, timeout=30).status_code
    except requests.ConnectionError:
        return None


class Door:
    """A database with a server, and the port that its listener is set to."""

    def __init__(self, server: OdooServer) -> None:
        self.server = server
        self.backend = Backend(server)
        self.port = free_port()
        rules = self.backend.execute("mcp.rate.limit", "search", [])
        self.backend.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
        self.backend.parameter("listener_port", self.port)
        self.backend.parameter("listener_enabled", 1)
        self.key = self.backend.key("admin")

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def process(self) -> psutil.Process:
        """The listener, when it answers."""
        eventually(lambda: health(self.port) == 200, "the listener answers")
        # a candidate that finds the lock taken is there for a moment, too
        [found] = [one for one in listeners(self.server.database) if self._at(one)]
        return found

    def _at(self, process: psutil.Process) -> bool:
        try:
            sockets = process.net_connections("tcp")
        except psutil.Error:
            return False
        ports = [s.laddr.port for s in sockets if s.status == psutil.CONN_LISTEN]
        return self.port in ports

    def client(self) -> McpClient:
        self.process()
        return McpClient(self.url, self.key)


@pytest.fixture(scope="module", params=[0, 2], ids=["threaded", "prefork"])
def door(
    request: pytest.FixtureRequest,
    start_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
) -> Iterator[Door]:
    """A server with a listener, threaded, then with workers."""
    database = make_database(f"listener{request.param}")
    server = start_server(database=database, workers=request.param)
    yield Door(server)
    server.stop()
    eventually(lambda: not listeners(database), "it ends with its server", seconds=20)


# What does not depend on which process of Odoo keeps the listener running.
THREADED = pytest.mark.parametrize("door", [0], ids=["threaded"], indirect=True)


def test_listener_is_a_second_door_to_the_same_tools(door: Door) -> None:
    with door.client() as client:
        tools = client.call("tools/list").result["tools"]
        result = client.tool("query_database", query="SELECT 7 AS n")
    assert result["structuredContent"]["rows"] == [{"n": 7}]
    with McpClient(door.server.url, door.key) as other:
        assert other.call("tools/list").result["tools"] == tools
    [entry] = door.backend.entries(door.key)[-1:]
    assert (entry["tool"], entry["status"]) == ("query_database", "success")


@THREADED
def test_every_revision_is_spoken(door: Door) -> None:
    with door.client() as client:
        assert client.initialize().result["protocolVersion"] == LEGACY
        answer = client.call("server/discover")
        assert answer.result["supportedVersions"] == [MODERN]
        assert client.call("no/such").status == 404


@THREADED
def test_connection_is_kept_alive(door: Door) -> None:
    door.process()
    message = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    head = (
        f"POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {door.key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(message)}\r\n\r\n"
    ).encode()
    with socket.create_connection((LOOPBACK, door.port), timeout=10) as connection:
        for _turn in range(3):
            connection.sendall(head + message)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b'"result":{}}')


@THREADED
def test_nothing_else_is_served(door: Door) -> None:
    door.process()
    session = requests.Session()
    session.trust_env = False
    for path in ("/", "/web/login", "/web/health", "/jsonrpc", "/mcp", "/mcp/v1/x"):
        answer = session.get(door.url + path, timeout=10)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/json"
    for method in ("GET", "DELETE", "PUT", "PATCH", "BREW"):
        answer = session.request(method, door.url + ENDPOINT, timeout=10)
        assert answer.status_code == 405
    headers = {"Host": "evil.example"}
    answer = session.post(door.url + ENDPOINT, headers=headers, timeout=10)
    assert answer.status_code == 403


def test_commands_and_code_run_behind_it(door: Door) -> None:
    with door.client() as client:
        result = client.tool("execute_command", command="sleep 0.1; echo done")
        assert result["structuredContent"]["stdout"] == "done\n"
        result = client.tool("odoo_shell", code="env.user.login")
        assert result["structuredContent"]["return_value"] == "admin"


def test_time_limits_of_odoo_are_not_its(
    make_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> None:
    own = Door(
        make_server(
            database=make_database("patient"),
            workers=2,
            options={"limit_time_real": 12, "limit_time_cpu": 5},
        )
    )
    with own.client() as client:
        result = client.tool("execute_command", command="sleep 14; echo done")
    assert result["structuredContent"]["stdout"] == "done\n"


def test_there_is_exactly_one_for_two_servers_and_the_other_takes_over(
    door: Door, make_server: Callable[..., OdooServer]
) -> None:
    database = door.server.database
    other = make_server(database=database, workers=door.server.workers)
    try:
        first = door.process()
        first.kill()
        first.wait(5)
        began = time.monotonic()
        second = door.process()
        assert within(10, began)
        assert second.pid != first.pid
        eventually(lambda: listeners(database) == [second], "it is the only one")
    finally:
        other.stop()
    assert door.process().is_running()


@THREADED
def test_settings_are_followed_without_a_restart(door: Door) -> None:
    door.process()
    before, door.port = door.port, free_port()
    door.backend.parameter("listener_port", door.port)
    assert door.process().is_running()
    assert health(before) is None
    door.backend.parameter("listener_enabled", 0)
    eventually(lambda: not listeners(door.server.database), "it is off", seconds=10)
    assert health(door.port) is None
    door.backend.parameter("listener_enabled", 1)
    assert door.process().is_running()


def told(door: Door) -> dict:
    names = ["mcp_listener_url", "mcp_listener_error"]
    [settings] = door.backend.execute("res.config.settings", "create", [{}])
    return door.backend.execute("res.config.settings", "read", [settings], names)[0]


@THREADED
def test_taken_port_is_told_and_odoo_goes_on(door: Door) -> None:
    door.process()
    assert told(door)["mcp_listener_url"] == f"{door.url}{ENDPOINT}"
    before = door.port
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        taken = holder.getsockname()[1]
        door.backend.parameter("listener_port", taken)
        eventually(lambda: told(door)["mcp_listener_error"], "Settings tell it")
        assert str(taken) in told(door)["mcp_listener_error"]
        assert "cannot listen" in door.server.log()
        with McpClient(door.server.url, door.key) as client:
            assert not client.tool("query_database", query="SELECT 1").get("isError")
    eventually(lambda: health(taken) == 200, "it listens when the port is free")
    door.backend.parameter("listener_port", before)
    door.process()


def test_listener_ends_with_a_killed_server_and_comes_back_with_it(
    door: Door,
) -> None:
    door.process()
    door.server.kill()
    eventually(lambda: not listeners(door.server.database), "it is gone", seconds=10)
    # workers that outlive their master
    path = str(door.server.config_path)
    orphans = [
        process
        for process in psutil.process_iter(["cmdline"])
        if path in " ".join(process.info["cmdline"] or ())
    ]
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, 10)
    door.server.start()
    assert door.process().is_running()


def test_restart_of_odoo_restarts_the_listener(door: Door) -> None:
    first = door.process()
    with door.client() as client:
        began = time.monotonic()
        result = client.tool("service_status", action="restart")
        assert not result.get("isError"), result["content"][0]["text"]
    eventually(lambda: not first.is_running(), "the first one ends", seconds=15)
    second = door.process()
    assert second.pid != first.pid
    with door.client() as client:
        found = client.tool("service_status")["structuredContent"]
    assert found["pid"] == door.server.pid
    assert found["uptime_seconds"] < time.monotonic() - began + 1


@THREADED
def test_password_is_in_no_command_line_and_no_file_stays(door: Door) -> None:
    command = door.process().cmdline()
    path = command[command.index("--config") + 1]
    eventually(lambda: not Path(path).exists(), "the file is gone", seconds=5)


@THREADED
def test_eight_clients_at_once(door: Door) -> None:
    door.process()

    def call(number: int) -> list[int]:
        with McpClient(door.url, door.key) as client:
            query = {"query": "SELECT %s::int AS n", "params": [number]}
            results = [client.tool("query_database", **query) for _turn in range(20)]
        return [result["structuredContent"]["rows"][0]["n"] for result in results]

    answers = at_once([lambda number=number: call(number) for number in range(8)])
    assert answers == [[number] * 20 for number in range(8)]


@THREADED
def test_thousand_silent_connections_are_closed_in_time(door: Door) -> None:
    """As many as there are places: nobody else gets in until they have timed out."""
    listener = door.process()
    address = (LOOPBACK, door.port)
    silent = [socket.create_connection(address, timeout=10) for _turn in range(1000)]
    with McpClient(door.server.url, door.key) as client:
        assert client.call("tools/list").status == 200
    eventually(lambda: health(door.port) == 200, "it answers again", seconds=150)
    for connection in silent:
        connection.close()
    assert listener.is_running()


@THREADED
def test_five_hundred_silent_connections_hinder_nobody(door: Door) -> None:
    process = door.process()
    silent = [
        socket.create_connection((LOOPBACK, door.port), timeout=10) for _ in range(500)
    ]
    try:
        with door.client() as client:
            result = client.tool("query_database", query="SELECT 1 AS n")
        assert result["structuredContent"]["rows"] == [{"n": 1}]
    finally:
        for connection in silent:
            connection.close()
    eventually(lambda: process.num_threads() < 50, "their threads end")


@THREADED
def test_body_that_dribbles_is_given_up(door: Door) -> None:
    door.process()
    head = (
        f"POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    ).encode()

    def dribble() -> float:
        began = time.monotonic()
        with socket.create_connection((LOOPBACK, door.port), timeout=60) as connection:
            connection.sendall(head)
            connection.settimeout(1)
            while time.monotonic() - began < 60:
                try:
                    connection.sendall(b" ")
                    if not connection.recv(1):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
        return time.monotonic() - began

    slow = Background(dribble)
    with ThreadPoolExecutor(4) as pool, door.client() as client:
        list(pool.map(lambda _n: health(door.port), range(20)))
        assert not client.tool("query_database", query="SELECT 1").get("isError")
    assert 25 < slow.result(70) < 50


def test_privileged_port_is_told_and_odoo_goes_on(
    stack: Stack, make_database: Callable[[str], str]
) -> None:
    server = OdooServer(stack, database=make_database("privileged"))
    if not os.geteuid():
        # root may listen there, unless that capability is dropped. capabilities(7)
        server.prefix = ("setpriv", "--bounding-set=-net_bind_service")
    with server:
        door = Door(server)
        door.backend.parameter("listener_port", 81)
        eventually(lambda: told(door)["mcp_listener_error"], "Settings tell it")
        assert "127.0.0.1:81" in told(door)["mcp_listener_error"]
        assert "cannot listen at 127.0.0.1:81" in server.log()
        with McpClient(server.url, door.key) as client:
            assert client.call("tools/list").status == 200
        door.backend.parameter("listener_port", door.port)
        eventually(lambda: health(door.port) == 200, "it listens at another port")


def test_guardrails_of_the_server_hold_the_listener_too(
    make_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """It is started from a file of its own, and yet tells and guards the server's."""
    (tmp_path / "file").write_text("x")
    section = {"disabled_tools": "odoo_shell", "path_roots": str(tmp_path)}
    server = make_server(
        database=make_database("guarded"),
        workers=2,
        sections={"odoo_dev_mcp": section},
    )
    door = Door(server)
    with door.client() as client:
        names = {tool["name"] for tool in client.call("tools/list").result["tools"]}
        assert "execute_command" in names
        assert "odoo_shell" not in names
        assert not client.tool("read_file", path=f"{tmp_path}/file").get("isError")
        assert client.tool("read_file", path="/etc/passwd")["isError"] is True
        found = client.tool("read_config")["structuredContent"]
        assert found["config_path"] == str(server.config_path)
        assert found["file"]["odoo_dev_mcp"] == section
        assert found["values"]["workers"] == 2
        assert found["values"]["http_port"] == server.port
        assert found["sources"]["workers"] == "file"
