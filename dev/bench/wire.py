"""HTTP as a benchmark needs it: bytes out, bytes in, and next to nothing of its own.

One connection does one request after the other, and is kept for as long as the server
keeps it: Odoo's own port closes it after each answer, which is part of its cost.
"""

import contextlib
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dev.console import HarnessError

SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers by lower-case name, the body without chunks."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A connection to one server; a context manager that closes it."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.socket: socket.socket | None = None
        self.buffer = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self.socket:
            self.socket.close()
        self.socket, self.buffer = None, b""

    def ask(self, request: bytes) -> Answer:
        """Answer to a request.

        A kept connection that the server has closed meanwhile is replaced, once.

        :raise OSError: the server does not answer
        """
        if self.socket:
            with contextlib.suppress(ConnectionError):
                return self._exchange(request)
            self.close()
        self._open()
        return self._exchange(request)

    def _open(self) -> None:
        self.socket = socket.create_connection(self.address, timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        """Send a request whose answer nobody waits for: a stream that stays open."""
        self._open()
        assert self.socket
        self.socket.sendall(request)

    def receive(self) -> bytes:
        """Whatever comes next."""
        assert self.socket
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionResetError("the server has closed the connection")
        return data

    def _exchange(self, request: bytes) -> Answer:
        assert self.socket
        self.socket.sendall(request)
        head = self._until(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_reason = first.split(" ")
        headers = {}
        for line in lines:
            name, _colon, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self._body(headers, int(status))
        kept = version == "HTTP/1.1" and headers.get("connection") != "close"
        if not kept:
            self.close()
        return Answer(int(status), headers, body)

    def _body(self, headers: Mapping[str, str], status: int) -> bytes:
        """RFC 9112 section 6.3."""
        if status in (202, 204) and "content-length" not in headers:
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return self._chunks()
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        with contextlib.suppress(ConnectionResetError):
            while True:
                self.buffer += self.receive()
        return self._exactly(len(self.buffer))

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._exactly(2)
        self._until(b"\r\n")
        return b"".join(parts)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self.buffer += self.receive()
        found, _mark, self.buffer = self.buffer.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        parts, missing = [self.buffer], size - len(self.buffer)
        while missing > 0:
            parts.append(self.receive())
            missing -= len(parts[-1])
        data = b"".join(parts)
        self.buffer = data[size:]
        return data[:size]


def post(path: str, body: Any, headers: Mapping[str, str] | None = None) -> bytes:
    """A POST of JSON, whole."""
    data = json.dumps(body).encode()
    lines = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Content-Length": str(len(data)),
        **(headers or {}),
    }
    return _head(f"POST {path}", lines) + data


def get(path: str) -> bytes:
    """A GET, whole."""
    return _head(f"GET {path}", {"Host": "127.0.0.1"})


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{first} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, "", ""]).encode()


def check(answer: Answer, expected: bytes, what: str) -> None:
    """Refuse an answer that is not what the work was about.

    A benchmark of errors would be fast.
    """
    failed = b'"isError":true' in answer.body.replace(b" ", b"")
    if answer.status != 200 or expected not in answer.body or failed:
        told = answer.body[:300].decode(errors="replace")
        raise HarnessError(f"{what}: {answer.status} {told}")
