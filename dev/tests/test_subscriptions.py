"""Streams that stay open, on the listener: what changes is told to who asked for it."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest
import requests

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, LEGACY, META, MODERN, McpClient, Stream
from dev.tests.waiting import eventually

ID = f"{META}/subscriptionId"
MODULES = "odoo://modules"


class Heard:
    """What comes on a stream, collected while the test goes on."""

    def __init__(self, stream: Stream) -> None:
        self.messages: list[dict] = []
        self.ended = threading.Event()
        self.stream = stream
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        try:
            for message in self.stream.messages():
                self.messages.append(message)
        except (requests.RequestException, OSError, AttributeError, ValueError):
            pass
        finally:
            self.ended.set()

    def methods(self) -> list[str]:
        return [message.get("method", "result") for message in self.messages]

    def wait(self, method: str) -> dict:
        """The first notification of a method, when it has come."""

        def find() -> dict | None:
            named = [m for m in self.messages if m.get("method") == method]
            return named[0] if named else None

        return eventually(find, f"{method} is told", seconds=20)


@contextlib.contextmanager
def changing_table(
    backend: Backend, name: str
) -> Iterator[tuple[str, Callable[[], None]]]:
    """URI of a table's schema, and what changes it."""
    columns = itertools.count()

    def run(statement: str) -> None:
        with backend.cursor() as cursor:
            cursor.execute(statement)

    run(f"CREATE TABLE {name} (id int)")
    try:
        yield (
            f"odoo://schema/{name}",
            lambda: run(f"ALTER TABLE {name} ADD c{next(columns)} int"),
        )
    finally:
        run(f"DROP TABLE {name}")


@pytest.fixture
def own_key(backend: Backend) -> str:
    """A key for this test alone."""
    return backend.key("admin")


@pytest.fixture
def client(listener_url: str, own_key: str) -> Iterator[McpClient]:
    """A modern client of the listener."""
    with McpClient(listener_url, own_key) as found:
        yield found


def listen(client: McpClient, **notifications: object):
    return client.stream("subscriptions/listen", {"notifications": notifications})


def get(url: str, key: str | None, **headers: str) -> requests.Response:
    """GET the endpoint, as clients before 2026-07-28 do."""
    session = requests.Session()
    session.trust_env = False
    sent = {"Accept": "text/event-stream", **headers}
    if key:
        sent["Authorization"] = f"Bearer {key}"
    return session.get(url + ENDPOINT, headers=sent, stream=True, timeout=60)


def toggle(backend: Backend, name: str) -> Iterator[None]:
    """Switch a tool off and on again."""
    [tool] = backend.execute("mcp.tool", "search", [("name", "=", name)])
    for active in (False, True):
        backend.execute("mcp.tool", "write", [tool], {"active": active})
        rows = backend.rows("SELECT active FROM mcp_tool WHERE id = %s", tool)
        assert rows == [{"active": active}]
        yield


def test_toggled_tool_is_told_to_who_asked_for_it_and_to_nobody_else(
    client: McpClient, backend: Backend
) -> None:
    with (
        listen(client, toolsListChanged=True) as tools,
        listen(client, resourcesListChanged=True) as resources,
    ):
        heard, other = Heard(tools), Heard(resources)
        first = heard.wait("notifications/subscriptions/acknowledged")
        assert first["params"]["notifications"] == {"toolsListChanged": True}
        other.wait("notifications/subscriptions/acknowledged")
        for number, _state in enumerate(toggle(backend, "write_file"), 2):
            eventually(lambda n=number: len(heard.messages) >= n, "the change is told")
        assert set(heard.methods()[1:]) == {"notifications/tools/list_changed"}
        assert other.methods() == ["notifications/subscriptions/acknowledged"]
        ids = {message["params"]["_meta"][ID] for message in heard.messages}
        assert len(ids) == 1


def test_what_the_caller_cannot_read_is_not_agreed_to(client: McpClient) -> None:
    uris = [MODULES, "odoo://no/such"]
    with listen(client, resourceSubscriptions=uris) as stream:
        agreed = Heard(stream).wait("notifications/subscriptions/acknowledged")
    assert agreed["params"]["notifications"] == {"resourceSubscriptions": [MODULES]}


def test_table_that_changes_is_told(client: McpClient, backend: Backend) -> None:
    with backend.cursor() as cursor:
        cursor.execute("CREATE TABLE mcp_watched (id int)")
    try:
        uri = "odoo://schema/mcp_watched"
        with listen(client, resourceSubscriptions=[uri]) as stream:
            heard = Heard(stream)
            heard.wait("notifications/subscriptions/acknowledged")
            with backend.cursor() as cursor:
                cursor.execute("ALTER TABLE mcp_watched ADD COLUMN name text")
            told = heard.wait("notifications/resources/updated")
            assert told["params"]["uri"] == uri
    finally:
        with backend.cursor() as cursor:
            cursor.execute("DROP TABLE mcp_watched")


def test_task_is_told_when_it_ends(client: McpClient) -> None:
    meta = {f"{META}/clientCapabilities": {"extensions": {f"{META}/tasks": {}}}}
    command = {"command": "sleep 3; echo done", "background": True}
    params = {"name": "execute_command", "arguments": command, "_meta": meta}
    task = client.call("tools/call", params).result["taskId"]
    wanted = {"notifications": {"taskIds": [task]}}
    with client.stream("subscriptions/listen", wanted, meta=meta) as stream:
        heard = Heard(stream)
        eventually(
            lambda: heard.messages[1:] and heard.messages[-1]["params"].get("result"),
            "its end is told",
        )
    told = heard.messages[-1]
    assert told["method"] == "notifications/tasks"
    assert (told["params"]["taskId"], told["params"]["status"]) == (task, "completed")
    result = told["params"]["result"]["structuredContent"]
    assert result["stdout"] == "done\n"
    refused = client.call("subscriptions/listen", wanted)
    assert refused.error["code"] == -32021


def test_get_opens_a_stream_for_clients_of_before(
    listener_url: str, own_key: str, backend: Backend
) -> None:
    with get(listener_url, own_key) as response:
        assert response.status_code == 200
        heard = Heard(Stream(response))
        changes = toggle(backend, "write_file")
        next(changes)
        told = heard.wait("notifications/tools/list_changed")
        next(changes)
        assert told.get("params", {}) == {}
        heard.stream.hang_up()


def test_resource_that_a_key_has_subscribed_to_is_told_on_its_streams(
    listener_url: str, own_key: str, backend: Backend
) -> None:
    with (
        McpClient(listener_url, own_key, revision=LEGACY) as client,
        changing_table(backend, "mcp_subscribed") as (uri, change),
        get(listener_url, own_key) as response,
    ):
        heard = Heard(Stream(response))
        assert client.call("resources/subscribe", {"uri": uri}).result == {}
        query = "SELECT 1 FROM mcp_subscription WHERE uri = %s"
        assert backend.rows(query, uri)
        told = None
        for _turn in range(20):
            change()
            if heard.messages or heard.ended.wait(1):
                told = heard.messages[0]
                break
        assert told["method"] == "notifications/resources/updated"
        assert told["params"] == {"uri": uri}
        assert client.call("resources/unsubscribe", {"uri": uri}).result == {}
        assert not backend.rows(query, uri)
        wrong = client.call("resources/subscribe", {"uri": "odoo://no/such"})
        assert wrong.error["code"] == -32602
        heard.stream.hang_up()


def test_capabilities_are_those_of_the_door(
    server: OdooServer, listener_url: str, own_key: str
) -> None:
    told = {}
    for url in (server.url, listener_url):
        with McpClient(url, own_key) as client:
            told[url] = client.call("server/discover").result["capabilities"]
            assert told[url] | client.initialize().result["capabilities"] == told[url]
    assert told[server.url]["tools"] == {}
    assert told[listener_url]["tools"] == {"listChanged": True}
    assert told[listener_url]["resources"] == {"listChanged": True, "subscribe": True}


def test_odoos_port_has_no_such_streams(server: OdooServer, own_key: str) -> None:
    with McpClient(server.url, own_key) as client:
        answer = client.call("subscriptions/listen", {"notifications": {}})
        assert (answer.status, answer.error["code"]) == (404, -32601)
    assert get(server.url, own_key).status_code == 405


def test_subscription_made_at_odoos_port_is_told_on_the_listeners_streams(
    server: OdooServer, listener_url: str, own_key: str, backend: Backend
) -> None:
    with (
        McpClient(server.url, own_key, revision=LEGACY) as client,
        changing_table(backend, "mcp_subscribed_elsewhere") as (uri, change),
        get(listener_url, own_key) as response,
    ):
        heard = Heard(Stream(response))
        assert client.call("resources/subscribe", {"uri": uri}).result == {}
        for _turn in range(20):
            change()
            if heard.messages or heard.ended.wait(1):
                break
        assert heard.messages[0]["params"] == {"uri": uri}
        assert client.call("resources/unsubscribe", {"uri": uri}).result == {}
        heard.stream.hang_up()


@pytest.mark.parametrize(
    ("key", "headers", "status"),
    [
        (None, {}, 401),
        ("odoo_mcp_wrong", {}, 401),
        ("own", {"Accept": "application/json"}, 405),
        ("own", {"MCP-Protocol-Version": MODERN}, 405),
        ("own", {"Origin": "https://evil.example"}, 403),
        ("own", {"Host": "evil.example"}, 403),
    ],
)
def test_get_that_is_none_of_ours_is_refused(
    key: str | None,
    headers: dict[str, str],
    status: int,
    listener_url: str,
    own_key: str,
) -> None:
    sent = own_key if key == "own" else key
    assert get(listener_url, sent, **headers).status_code == status


def test_stream_ends_when_its_key_is_revoked(
    client: McpClient, backend: Backend, own_key: str
) -> None:
    with listen(client, toolsListChanged=True) as stream:
        heard = Heard(stream)
        heard.wait("notifications/subscriptions/acknowledged")
        with backend.cursor() as cursor:
            cursor.execute(
                "UPDATE mcp_api_key SET revoked_date = now() AT TIME ZONE 'UTC' "
                "WHERE id = %s",
                [backend.key_id(own_key)],
            )
        assert heard.ended.wait(20)
        # and its client is told that this was no accident of the network
        [*_notices, last] = heard.messages
        assert last["result"]["resultType"] == "complete"
        assert last["id"] == last["result"]["_meta"][ID]


def test_streams_end_gracefully_when_the_listener_moves(
    make_database: Callable[[str], str], make_server: Callable[..., OdooServer]
) -> None:
    from dev.tests.test_listener import Door

    server = make_server(database=make_database("moving"))
    door = Door(server)
    with door.client() as client, listen(client, toolsListChanged=True) as stream:
        heard = Heard(stream)
        heard.wait("notifications/subscriptions/acknowledged")
        door.backend.parameter("listener_enabled", 0)
        assert heard.ended.wait(20)
        assert "result" in heard.messages[-1]


def test_client_that_vanishes_leaves_nothing_open(
    client: McpClient, listener_url: str, backend: Backend
) -> None:
    port = int(listener_url.rpartition(":")[2])
    [process] = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
    }
    listener = psutil.Process(process)

    def open_streams() -> int:
        names = [connection.status for connection in listener.net_connections("tcp")]
        return len(names) - names.count(psutil.CONN_LISTEN)

    params = {"notifications": {"toolsListChanged": True}}
    connections = [client.send("subscriptions/listen", params) for _turn in range(20)]
    for connection in connections:
        heard = b""
        while b"acknowledged" not in heard:
            heard += connection.recv(65536)
    assert open_streams() >= 20
    for connection in connections:
        connection.close()
    eventually(lambda: open_streams() == 0, "the listener has closed them, too")
    eventually(lambda: listener.num_threads() < 10, "their threads have ended")


def test_stream_asks_for_no_more_than_it_may(client: McpClient) -> None:
    uris = [f"odoo://schema/table_{number}" for number in range(51)]
    wanted = {"notifications": {"resourceSubscriptions": uris}}
    assert client.call("subscriptions/listen", wanted).error["code"] == -32602
