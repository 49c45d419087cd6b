"""Broken requests get a clear answer or none, and the server goes on."""

import json
import socket
from collections.abc import Iterator

import pytest
import requests

from dev.odoo_instance import LOOPBACK
from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, LEGACY, McpClient
from dev.tests.waiting import at_once

TOO_LARGE = 20 * 1024 * 1024
JSON = "application/json"
INTERNAL_ERROR = -32603


@pytest.fixture(autouse=True)
def server_goes_on(either_server: OdooServer, key: str) -> Iterator[None]:
    """After each test the server is healthy and answers, and its log is not alarmed.

    More calls than there are workers: each of them must have survived.
    """
    before = len(either_server.log())
    yield
    assert "MCP route failed" not in either_server.log()[before:]
    for _turn in range(4):
        assert http(either_server).get(f"{ENDPOINT}/health").status_code == 200
        with McpClient(either_server.url, key) as client:
            result = client.tool("query_database", query="SELECT 7 AS n")
        assert result["structuredContent"]["rows"] == [{"n": 7}]


class http:  # noqa: N801
    """One-off requests to a server, by path."""

    def __init__(self, server: OdooServer) -> None:
        self.url = server.url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **options: object) -> requests.Response:
        return self.session.get(self.url + path, timeout=60, **options)

    def post(self, path: str, **options: object) -> requests.Response:
        return self.session.post(self.url + path, timeout=60, **options)


def raw(server: OdooServer, *sent: bytes) -> bytes:
    """All that the server says to these bytes, after which nothing more is sent."""
    with socket.create_connection((LOOPBACK, server.port), timeout=30) as connection:
        try:
            for part in sent:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError:  # it has hung up before all was sent
            return b""


def request_bytes(key: str, body: bytes, *headers: str, length: int = -1) -> bytes:
    """A legacy POST as it goes over the wire."""
    lines = [
        f"POST {ENDPOINT} HTTP/1.1",
        f"Host: {LOOPBACK}",
        f"Authorization: Bearer {key}",
        f"Content-Type: {JSON}",
        f"Content-Length: {len(body) if length < 0 else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def body_of(answer: bytes) -> dict:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def message(**changes: object) -> bytes:
    own = {"jsonrpc": "2.0", "id": 1, "method": "ping", **changes}
    return json.dumps(own).encode()


@pytest.mark.parametrize("with_key", [True, False])
def test_body_that_is_too_large_is_refused_in_json(
    with_key: bool, either_server: OdooServer, key: str
) -> None:
    headers = {"Content-Type": JSON}
    if with_key:
        headers["Authorization"] = f"Bearer {key}"
    answer = http(either_server).post(ENDPOINT, data=b" " * TOO_LARGE, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == JSON
    assert "too large" in answer.json()["error"]["message"]


def test_chunked_body_that_is_too_large_is_refused(
    either_server: OdooServer, key: str
) -> None:
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {key}"}
    chunks = (b" " * 65536 for _number in range(TOO_LARGE // 65536))
    answer = http(either_server).post(ENDPOINT, data=chunks, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == -32600


def test_chunked_body_works(either_server: OdooServer, key: str) -> None:
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {key}"}
    whole = message()
    chunks = (whole[start : start + 7] for start in range(0, len(whole), 7))
    answer = http(either_server).post(ENDPOINT, data=chunks, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_truncated_body_is_no_call(either_server: OdooServer, backend: Backend) -> None:
    key = backend.key("admin")
    call = {"name": "query_database", "arguments": {"query": "SELECT 1"}}
    whole = message(method="tools/call", params=call)
    answer = raw(either_server, request_bytes(key, whole, length=len(whole) + 1000))
    assert b" 400 " in answer[:20]
    assert body_of(answer)["error"]["code"] != INTERNAL_ERROR
    assert backend.entries(key) == []


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x80" * 200,
        b"NONSENSE\r\n\r\n",
        b"POST /mcp/v1\r\n\r\n",
        b"POST /mcp/v1 HTTP/9.9\r\n\r\n",
        b"GET /mcp/v1 HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /mcp/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n{}",
        b"POST /mcp/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n{}",
    ],
    ids=[
        *("nothing", "empty lines", "TLS hello", "no request", "no version"),
        *("unknown version", "500 headers", "long path", "negative length"),
        "length is no number",
    ],
)
def test_garbage_is_refused(sent: bytes, either_server: OdooServer) -> None:
    answer = raw(either_server, sent)
    status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/") else b""
    assert not status.startswith((b"2", b"5")), answer


def test_chunks_that_are_broken_are_no_request(either_server: OdooServer) -> None:
    head = [
        f"POST {ENDPOINT} HTTP/1.1",
        f"Host: {LOOPBACK}",
        f"Content-Type: {JSON}",
        "Transfer-Encoding: chunked",
    ]
    sent = "\r\n".join([*head, "", "zz", "{}", "0", "", ""])
    answer = raw(either_server, sent.encode())
    assert b" 400 " in answer[:20]
    assert body_of(answer)["error"]["code"] != INTERNAL_ERROR


def test_many_requests_without_a_key_at_once_are_all_told_so(
    either_server: OdooServer, backend: Backend
) -> None:
    count = "SELECT count(*) AS n FROM mcp_audit_log"
    before = backend.rows(count)

    def ask() -> list[tuple[int, str]]:
        with McpClient(either_server.url, None) as client:
            answers = [client.call("tools/list") for _turn in range(10)]
        return [
            (answer.status, answer.response.headers["WWW-Authenticate"][:6])
            for answer in answers
        ]

    assert at_once([ask] * 16) == [[(401, "Bearer")] * 10] * 16
    assert backend.rows(count) == before


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Mcp-Method", ["tools/call", "tools/call"]),
        ("Mcp-Method", ["tools/call", "tools/list"]),
        ("Mcp-Name", ["query_database", "query_database"]),
        ("Mcp-Name", ["query_database", "list_modules"]),
        ("MCP-Protocol-Version", ["2026-07-28", "2026-07-28"]),
        ("MCP-Protocol-Version", ["2026-07-28", LEGACY]),
    ],
)
def test_header_that_is_sent_twice_is_refused(
    name: str, values: list[str], either_server: OdooServer, backend: Backend
) -> None:
    key = backend.key("admin")
    client = McpClient(either_server.url, key)
    call = {"name": "query_database", "arguments": {"query": "SELECT 1"}}
    params = client.params(call, client.revision)
    sent = client.headers("tools/call", params, client.revision)
    doubled = [f"{name}: {value}" for value in values]
    owed = [
        f"{header}: {value}"
        for header, value in sent.items()
        if header.lower().startswith("mcp") and header != name
    ]
    body = message(method="tools/call", params=params)
    answer = raw(either_server, request_bytes(key, body, *owed, *doubled))
    assert b" 400 " in answer[:20]
    assert body_of(answer)["error"]["code"] == -32020
    assert backend.entries(key) == []
