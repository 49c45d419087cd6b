"""Bytes and bodies of somebody who means harm, at the listener."""

import itertools
import re
import socket
from collections.abc import Iterator

import pytest
from attacks.http import BODIES, HOSTS, MALFORMED_HOSTS, ORIGINS, RAW
from attacks.text import FORGED, TEXTS

from dev.odoo_instance import LOOPBACK
from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, META, McpClient

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
CALL = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
    b'{"name":"query_database","arguments":{"query":"SELECT 1"}}}'
)
LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ \S+ [\w.]+: ")


@pytest.fixture(scope="module")
def own_key(backend: Backend) -> str:
    """A key that nobody else calls with."""
    return backend.key("admin")


@pytest.fixture(scope="module")
def head(own_key: str) -> bytes:
    """Request line and fields, up to those about the body."""
    return (
        f"POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {own_key}\r\nContent-Type: application/json\r\n"
    ).encode()


@pytest.fixture
def uncalled(backend: Backend, own_key: str) -> Iterator[None]:
    """No tool is called meanwhile with the key."""
    before = len(backend.entries(own_key))
    yield
    assert len(backend.entries(own_key)) == before


@pytest.fixture(scope="module")
def port(listener_url: str) -> int:
    return int(listener_url.rpartition(":")[2])


def said(port: int, sent: bytes) -> bytes:
    """All that the listener says to these bytes, after which nothing more comes."""
    with socket.create_connection((LOOPBACK, port), timeout=30) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:  # it has hung up before all was sent
            return b""


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


def whole(head: bytes, fields: bytes, body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}\r\n\r\n".encode()
    return head + fields + length + body


@pytest.mark.parametrize("kind", list(dict.fromkeys(raw.kind for raw in RAW)))
def test_bytes_that_can_be_read_in_two_ways_call_nothing(
    kind: str, head: bytes, port: int, uncalled: None
) -> None:
    call = whole(head, b"", CALL)
    for raw in RAW:
        if raw.kind != kind:
            continue
        sent = raw.sent
        for name, value in ((b"head", head), (b"ping", PING), (b"call", call)):
            sent = sent.replace(b"{%b}" % name, value)
        assert statuses(said(port, sent)) == raw.statuses, raw
    assert statuses(said(port, whole(head, b"", PING))) == [200]


def test_call_that_a_request_smuggles_would_have_been_one(
    head: bytes, port: int, backend: Backend, own_key: str
) -> None:
    before = len(backend.entries(own_key))
    assert statuses(said(port, whole(head, b"", CALL))) == [200]
    assert len(backend.entries(own_key)) == before + 1


def test_body_that_can_be_read_in_two_ways_is_no_call_at_the_listener_either(
    head: bytes, port: int, uncalled: None
) -> None:
    plain = head.replace(b"Content-Type: application/json\r\n", b"")
    for body in BODIES:
        headers = {"Content-Type": "application/json", **body.headers}
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = said(port, whole(plain, fields.encode(), body.sent))
        assert statuses(answer) == [body.status], body
        assert f'"code":{body.code},'.encode() in answer, body


def test_host_and_origin_that_only_look_like_this_server_are_refused(
    head: bytes, port: int, uncalled: None
) -> None:
    for host in (*HOSTS, *MALFORMED_HOSTS):
        named = head.replace(b"localhost", host.encode(), 1)
        assert statuses(said(port, whole(named, b"", CALL))) in ([400], [403]), host
    for origin in ORIGINS:
        field = b"Origin: " + origin.encode() + b"\r\n"
        assert statuses(said(port, whole(head, field, CALL))) == [403], origin
    for first, second in (
        (b"http://localhost", b"null"),
        (b"null", b"http://localhost"),
    ):
        twice = b"Origin: " + first + b"\r\nOrigin: " + second + b"\r\n"
        assert statuses(said(port, whole(head, twice, CALL))) == [403]


def test_two_keys_are_none(
    head: bytes, port: int, own_key: str, uncalled: None
) -> None:
    other = b"Authorization: Bearer odoo_mcp_" + b"A" * 43 + b"\r\n"
    same = f"Authorization: Bearer {own_key}\r\n".encode()
    for again in (other, same, b"authorization:\r\n"):
        assert statuses(said(port, whole(head, again, CALL))) == [401]
        first = head.replace(b"\r\n", b"\r\n" + again, 1)
        assert statuses(said(port, whole(first, b"", CALL))) == [401]


def test_text_forges_no_line_of_odoos_log_and_sends_nothing_to_a_terminal(
    server: OdooServer, listener_url: str, own_key: str
) -> None:
    before = len(server.log_path.read_bytes())
    headers = {"Mcp-Name": None, "Mcp-Method": None}
    with (
        McpClient(server.url, own_key) as first,
        McpClient(listener_url, own_key) as second,
    ):
        for text in TEXTS:
            meta = {f"{META}/clientInfo": {"name": text, "version": text}}
            arguments = {"query": "SELECT 1 AS a", text: text}
            for client, (method, params) in zip(
                itertools.cycle([first, second]),
                (
                    ("tools/call", {"name": text, "arguments": arguments}),
                    ("tools/call", {"name": "query_database", "arguments": arguments}),
                    ("prompts/get", {"name": text}),
                    ("resources/read", {"uri": text}),
                    (text, {"_meta": meta}),
                ),
                strict=False,
            ):
                client.call(method, params, revision="2025-03-26", headers=headers)
    written = server.log_path.read_bytes()[before:]
    lines = written.split(b"\n")
    assert not [line for line in lines if line.startswith(FORGED.encode()[:20])]
    assert b"forged-by-mcp-attack" not in written
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", written)
    for mark in ("\u202e", "\u2066", "\u200b", "\U000e0069", "\x9b", "\u2028"):
        assert mark.encode() not in written
    assert b"Traceback" not in written
