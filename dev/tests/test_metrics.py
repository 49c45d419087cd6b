"""Prometheus reads the same counts at every door, of all servers, after a restart."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import requests

from dev.odoo_instance import LOOPBACK, free_port
from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, McpClient, received
from dev.tests.exposition import CONTENT_TYPE, Exposition
from dev.tests.waiting import at_once, eventually

PROXIED = {"X-Forwarded-For": "203.0.113.7"}
DURATION = "odoo_mcp_call_duration_seconds"
CLIENTS = 12
CALLS = 25


def ask(url: str, **headers: str) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    return session.get(f"{url}{ENDPOINT}/metrics", headers=headers, timeout=60)


def told(url: str) -> Exposition:
    answer = ask(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    return Exposition(answer.text)


@pytest.fixture(scope="module")
def own_server(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Iterator[OdooServer]:
    """Two workers and a listener, on a database of its own."""
    own = start_server(database=make_database("metrics"), workers=2)
    yield own
    own.end()


@pytest.fixture(scope="module")
def own_backend(own_server: OdooServer) -> Backend:
    own = Backend(own_server)
    rules = own.execute("mcp.rate.limit", "search", [])
    own.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
    return own


@pytest.fixture(scope="module")
def own_key(own_backend: Backend) -> str:
    return own_backend.key("admin")


@pytest.fixture(scope="module")
def listener_url(own_backend: Backend) -> str:
    """Where the listener is told to listen."""
    port = free_port()
    own_backend.parameter("listener_port", port)
    own_backend.parameter("listener_enabled", 1)
    return f"http://{LOOPBACK}:{port}"


@pytest.fixture
def listener(listener_url: str) -> str:
    """The listener's address, when it answers."""

    def answers() -> bool:
        try:
            return ask(listener_url).ok
        except requests.ConnectionError:
            return False

    eventually(answers, "the listener answers")
    return listener_url


def call(url: str, key: str, tool: str) -> None:
    with McpClient(url, key) as client:
        for _turn in range(CALLS):
            client.call("tools/call", {"name": tool, "arguments": {}})


def test_calls_that_end_at_once_on_two_servers_and_a_listener_are_all_counted(
    own_server: OdooServer,
    own_backend: Backend,
    own_key: str,
    listener: str,
    make_server: Callable[..., OdooServer],
) -> None:
    other = make_server(database=own_server.database)
    own_backend.tool("counted", "action = {'n': 1}")
    own_backend.tool("failing", "raise UserError('no')")
    doors = [own_server.url, other.url, listener]
    tools = ["counted", "failing", "made_up"]
    at_once(
        [
            partial(call, doors[number % 3], own_key, tools[number // 3 % 3])
            for number in range(CLIENTS)
        ]
    )
    # clients 0 to 2 and 9 to 11 call the first tool, three each of the others
    wanted = [6 * CALLS, 3 * CALLS, 3 * CALLS]
    for door in doors:
        found = told(door)
        assert [
            found.calls("counted"),
            found.calls("failing", "error"),
            found.calls("unknown", "refused"),
        ] == wanted
        assert found.value(f"{DURATION}_count", tool="counted") == wanted[0]
        assert found.value("odoo_mcp_calls_open") == 0
    query = "SELECT status, count(*)::int AS n FROM mcp_audit_log GROUP BY 1 ORDER BY 1"
    statuses = {row["status"]: row["n"] for row in own_backend.rows(query)}
    assert statuses == {"success": 150, "error": 75, "refused": 75}


def test_counts_survive_a_restart_and_the_end_of_the_audit_entries(
    own_server: OdooServer, own_backend: Backend, own_key: str
) -> None:
    own_backend.tool("lasting", "action = {'n': 1}")
    call(own_server.url, own_key, "lasting")
    with own_backend.cursor() as cursor:
        # as retention removes them
        cursor.execute("SET LOCAL mcp.retention = 'on'; DELETE FROM mcp_audit_log")
    own_server.stop()
    own_server.start()
    assert told(own_server.url).calls("lasting") == CALLS
    call(own_server.url, own_key, "lasting")
    assert told(own_server.url).calls("lasting") == 2 * CALLS


def test_call_under_way_is_open_on_every_door(
    own_server: OdooServer, own_backend: Backend, own_key: str, listener: str
) -> None:
    own_backend.tool("held", "env.cr.execute('SELECT pg_advisory_lock(424242)')")
    with own_backend.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(424242)")
        client = McpClient(own_server.url, own_key)
        # a client that closed the connection would have cancelled its call
        connection = client.send("tools/call", {"name": "held", "arguments": {}})
        for door in (own_server.url, listener):
            eventually(
                lambda door=door: told(door).value("odoo_mcp_calls_open") == 1,
                "it is open",
            )
    assert b"isError" not in received(connection)
    eventually(lambda: told(listener).value("odoo_mcp_calls_open") == 0, "it ends")


def test_call_does_not_wait_for_counts_that_others_have_locked(
    own_server: OdooServer, own_backend: Backend, own_key: str
) -> None:
    own_backend.tool("hurried", "action = {'n': 1}")
    call(own_server.url, own_key, "hurried")
    with own_backend.cursor() as cursor:
        cursor.execute("SELECT id FROM mcp_metric FOR UPDATE")
        with McpClient(own_server.url, own_key) as client:
            message = {"name": "hurried", "arguments": {}}
            for _turn in range(3):
                assert client.call("tools/call", message, timeout=10).result
        assert told(own_server.url).calls("hurried") == CALLS + 3
    call(own_server.url, own_key, "hurried")
    assert told(own_server.url).calls("hurried") == 2 * CALLS + 3


def test_stranger_needs_a_key_at_both_doors(
    own_server: OdooServer, own_key: str, listener: str
) -> None:
    for door in (own_server.url, listener):
        answer = ask(door, **PROXIED)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["error"]["code"] == -32003
        assert ask(door, **PROXIED, Authorization=f"Bearer {own_key}").ok
        assert ask(door, Host="rebound.example").status_code == 403
        assert ask(door, Origin="https://evil.example").status_code == 403


def test_listener_is_up_until_it_is_switched_off(
    own_server: OdooServer, own_backend: Backend, listener: str
) -> None:
    def up() -> float | None:
        return told(own_server.url).value("odoo_mcp_listener_up")

    eventually(lambda: up() == 1, "it is up")
    assert told(listener).value("odoo_mcp_listener_up") == 1
    own_backend.parameter("listener_enabled", 0)
    assert up() is None
    own_backend.parameter("listener_enabled", 1)
    eventually(lambda: up() == 1, "it is up again")
