"""What the listener takes for a request: what RFC 9112 says, and nothing else.

Each case is a way to have two servers read the same bytes as different requests.
"""

import re
import socket

import pytest

from dev.odoo_instance import LOOPBACK
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
LENGTH = b"Content-Length: 40\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
IN_CHUNKS = b"28\r\n" + PING + b"\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def listening_port(listener_url: str) -> int:
    """Where the listener of the shared database is."""
    return int(listener_url.rpartition(":")[2])


@pytest.fixture(scope="module")
def head(backend: Backend) -> bytes:
    """Request line and fields, up to those about the body."""
    key = backend.key("admin")
    return (
        f"POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    ).encode()


def said(port: int, *sent: bytes) -> bytes:
    """All that the listener says to these bytes, after which nothing more comes."""
    with socket.create_connection((LOOPBACK, port), timeout=30) as connection:
        for part in sent:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(answer: bytes) -> list[int]:
    """The status of each answer."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


@pytest.mark.parametrize(
    "rest",
    [
        LENGTH + b"\r\n" + PING,
        b"content-length:40\r\n\r\n" + PING,
        b"Content-Length: \t 40 \t\r\n\r\n" + PING,
        CHUNKED + b"\r\n" + IN_CHUNKS,
        b"transfer-encoding: CHUNKED\r\n\r\n" + IN_CHUNKS,
        CHUNKED
        + b"\r\n0A;a=b\r\n"
        + PING[:10]
        + b"\r\n1e \t;\r\n"
        + PING[10:]
        + b"\r\n000\r\nTrailer: x\r\nOther: y\r\n\r\n",
        b"X-Latin: \xe4\r\nX-Empty:\r\nX-Tab: a\tb\r\n" + LENGTH + b"\r\n" + PING,
    ],
    ids=[
        *("length", "lower case", "white space", "chunks", "upper case"),
        *("extensions and trailers", "values"),
    ],
)
def test_request_is_read_as_its_grammar_says(
    rest: bytes, head: bytes, listening_port: int
) -> None:
    # and the next one on the connection, too
    whole = head + rest
    assert statuses(said(listening_port, whole, whole)) == [200, 200]


BAD_FIELDS = {
    "two lengths": LENGTH + LENGTH,
    "two lengths that differ": LENGTH + b"Content-Length: 4\r\n",
    "a list of lengths": b"Content-Length: 40, 40\r\n",
    "a length with a sign": b"Content-Length: +40\r\n",
    "a length with a fraction": b"Content-Length: 40.0\r\n",
    "a length in hexadecimal": b"Content-Length: 0x28\r\n",
    "a length with an underscore": b"Content-Length: 4_0\r\n",
    "a length in other digits": "Content-Length: ٤٠\r\n".encode(),
    "an empty length": b"Content-Length:\r\n",
    "length and chunks": LENGTH + CHUNKED,
    "chunks and length": CHUNKED + LENGTH,
    "a space before the colon": b"Content-Length : 40\r\n",
    "a tab before the colon": b"Transfer-Encoding\t: chunked\r\n" + LENGTH,
    "a space before the name": b" X: y\r\n" + LENGTH,
    "a line that goes on": b"X: y\r\n z\r\n" + LENGTH,
    "a length that goes on": b"Content-Length:\r\n 40\r\n",
    "no colon": b"nonsense\r\n" + LENGTH,
    "no name": b": y\r\n" + LENGTH,
    "a name with a control": b"Content\x00-Length: 40\r\n",
    "a name with a letter that is none": b"X-\xe4: y\r\n" + LENGTH,
    "a NUL": b"X: a\x00b\r\n" + LENGTH,
    "a carriage return": b"X: a\rContent-Length: 4\r\n" + LENGTH,
    "a line feed alone": b"X: a\n" + LENGTH,
    "an escape": b"X: \x1b[31m\r\n" + LENGTH,
    "two hosts": b"Host: example.com\r\n" + LENGTH,
}


@pytest.mark.parametrize("fields", BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_head_that_can_be_read_in_two_ways_is_refused(
    fields: bytes, head: bytes, listening_port: int
) -> None:
    # what follows is not taken for a request
    answer = said(listening_port, head + fields + b"\r\n" + PING + head)
    assert statuses(answer) == [400], answer
    assert b"Connection: close" in answer


BAD_LINES = {
    "no version": b"POST /mcp/v1",
    "two spaces": b"POST  /mcp/v1 HTTP/1.1",
    "a space at the end": b"POST /mcp/v1 HTTP/1.1 ",
    "a tab": b"POST\t/mcp/v1\tHTTP/1.1",
    "a space in the target": b"POST /mcp/v1 /x HTTP/1.1",
    "a control in the target": b"POST /mcp/v1\x00 HTTP/1.1",
    "another protocol": b"POST /mcp/v1 HTCPCP/1.1",
    "lower case": b"POST /mcp/v1 http/1.1",
    "a method that is none": b"PO(ST /mcp/v1 HTTP/1.1",
    "a long version": b"POST /mcp/v1 HTTP/1.10",
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_line_that_is_no_request_line_is_refused(
    line: bytes, head: bytes, listening_port: int
) -> None:
    fields = head.partition(b"\r\n")[2]
    whole = line + b"\r\n" + fields + LENGTH + b"\r\n" + PING
    assert statuses(said(listening_port, whole)) == [400]


BAD_CHUNKS = {
    "a size with a sign": b"+28\r\n" + PING + b"\r\n0\r\n\r\n",
    "a negative size": b"-28\r\n" + PING + b"\r\n0\r\n\r\n",
    "a size with a prefix": b"0x28\r\n" + PING + b"\r\n0\r\n\r\n",
    "a size with an underscore": b"2_8\r\n" + PING + b"\r\n0\r\n\r\n",
    "a space before the size": b" 28\r\n" + PING + b"\r\n0\r\n\r\n",
    "no size": b"\r\n" + PING + b"\r\n0\r\n\r\n",
    "a size without an end": b"2" * 70_000,
    "a line feed alone": b"28\n" + PING + b"\n0\n\n",
    "too long a chunk": b"28\r\n" + PING + b"x\r\n0\r\n\r\n",
    "too short a chunk": b"29\r\n" + PING + b"\r\n0\r\n\r\n",
    "a size beyond all": b"f" * 16 + b"\r\n" + PING,
    "no last chunk": b"28\r\n" + PING + b"\r\n",
    "endless trailers": b"0\r\n" + b"A: b\r\n" * 20_000,
}


@pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_chunks_that_are_none_are_refused(
    chunks: bytes, head: bytes, listening_port: int
) -> None:
    answer = said(listening_port, head + CHUNKED + b"\r\n" + chunks)
    assert statuses(answer) == [400], answer


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /mcp/v1 HTTP/1.1\r\n\r\n", 400),
        (b"POST /mcp/v1 HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        (b"POST /mcp/v1 HTTP/0.9\r\nHost: localhost\r\n\r\n", 505),
        (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nA: " + b"b" * 70_000, 431),
    ],
    ids=["no host", "HTTP/2", "HTTP/0.9", "a long line", "100 fields", "a long field"],
)
def test_other_heads_are_refused_with_their_status(
    sent: bytes, status: int, listening_port: int
) -> None:
    assert statuses(said(listening_port, sent)) == [status]


def test_way_to_send_a_body_that_is_not_known_is_refused(
    head: bytes, listening_port: int
) -> None:
    for coding in (b"gzip, chunked", b"chunked, chunked", b"identity", b"xchunked"):
        whole = head + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + IN_CHUNKS
        assert statuses(said(listening_port, whole)) == [501], coding


def test_body_comes_when_it_is_asked_for(head: bytes, listening_port: int) -> None:
    address = (LOOPBACK, listening_port)
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(head + LENGTH + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(PING)
        assert statuses(connection.recv(65536)) == [200]


def test_connection_ends_when_the_client_says_so(
    head: bytes, listening_port: int
) -> None:
    body = LENGTH + b"\r\n" + PING
    for last in (
        head + b"Connection: close\r\n" + body,
        head + b"Connection: X, Close\r\n" + body,
        head.replace(b"HTTP/1.1", b"HTTP/1.0") + body,
    ):
        assert statuses(said(listening_port, last, head + body)) == [200]


def test_answer_reaches_a_client_that_goes_on_sending(
    head: bytes, listening_port: int
) -> None:
    large = head + b"Content-Length: 99999999\r\n\r\n"
    assert statuses(said(listening_port, large, bytes(8 * 1024 * 1024))) == [413]
