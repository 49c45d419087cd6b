"""A client that speaks each revision as on the wire, and shows the raw answer."""

import contextlib
import itertools
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

ENDPOINT = "/mcp/v1"
MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = "io.modelcontextprotocol"
EVENTS = "text/event-stream"
ACCEPT = f"application/json, {EVENTS}"

# The parameter that Mcp-Name repeats, by method.
NAMED_BY = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}


DATA = b"data: "


def unmarked(found: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object without the marks around what others wrote."""
    marks = ("data_begins", "data_ends")
    return {name: found[name] for name in found if name not in marks}


def received(connection: socket.socket) -> bytes:
    """All that comes until the other end closes the connection."""
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The messages in the lines of an event stream; comments are passed over."""
    for line in lines:
        if line.startswith(DATA):
            yield json.loads(line.removeprefix(DATA))


@dataclass(frozen=True)
class Answer:
    """One reply: the HTTP response beside what its body says."""

    response: requests.Response

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.response.status_code

    @property
    def body(self) -> Any:
        """The JSON-RPC envelope, or ``None`` where there is no body.

        Of an event stream it is that of the answer, which is its last message.
        """
        if self.response.headers.get("Content-Type") == EVENTS:
            *_notices, last = events(self.response.content.splitlines())
            return last
        return self.response.json() if self.response.content else None

    @property
    def result(self) -> Any:
        """The result; a protocol error fails the test with its text."""
        assert "result" in (self.body or {}), f"{self.status} {self.response.text}"
        return self.body["result"]

    @property
    def error(self) -> Any:
        """The protocol error; a result fails the test."""
        assert "error" in (self.body or {}), f"{self.status} {self.response.text}"
        return self.body["error"]


class Stream:
    """An answer that may come in pieces."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        # without chunks, where the connection ends the body, more than a byte at a
        # time would wait for that end
        size = None if response.raw.chunked else 1
        self._lines = response.iter_lines(chunk_size=size)

    def hang_up(self) -> None:
        """End the connection, even if another thread waits for what comes."""
        with contextlib.suppress(AttributeError, OSError):
            self.response.raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)

    @property
    def is_stream(self) -> bool:
        """Whether it is one of events, and no JSON."""
        return self.response.headers["Content-Type"] == EVENTS

    def messages(self) -> Iterator[dict[str, Any]]:
        """The messages of an event stream, as they arrive, to its end."""
        assert self.is_stream, self.response.text
        yield from events(self._lines)

    def comments(self) -> Iterator[bytes]:
        """The comments, as they arrive."""
        return (line for line in self._lines if line.startswith(b":"))


class McpClient:
    """One keep-alive connection to a server, with one key."""

    def __init__(self, url: str, key: str | None, *, revision: str = MODERN) -> None:
        self.url = url + ENDPOINT
        self.key = key
        self.revision = revision
        self.session = requests.Session()
        # A proxy of the environment is never asked for a loopback address.
        self.session.trust_env = False
        self._ids = itertools.count(1)

    def __enter__(self) -> "McpClient":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.session.close()

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        revision: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> Answer:
        """Send one request. A header given as ``None`` is left out."""
        revision = revision or self.revision
        message = {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": self.params(params, revision),
        }
        sent = self.headers(method, message["params"], revision) | dict(headers or {})
        return self.post(message, headers=sent, **options)

    def tool(self, name: str, /, **arguments: Any) -> Any:
        """Result of a tool in this client's revision, ``isError`` included."""
        return self.call("tools/call", {"name": name, "arguments": arguments}).result

    @contextlib.contextmanager
    def stream(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        meta: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Iterator["Stream"]:
        """Send one request, and read its answer as it comes.

        It has a connection of its own, which is closed at the end of the block.
        """
        with McpClient(self.url.removesuffix(ENDPOINT), self.key) as own:
            own._ids = self._ids
            params = {**(params or {}), "_meta": {**(meta or {})}}
            options = {"stream": True, "revision": self.revision, **options}
            with own.call(method, params, **options).response as response:
                stream = Stream(response)
                try:
                    yield stream
                finally:
                    stream.hang_up()

    def send(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        request_id: object = 1,
        version: str = "HTTP/1.1",
    ) -> socket.socket:
        """Send one request over a connection that the test reads, or closes."""
        params = self.params(params, self.revision)
        body = json.dumps(
            {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        ).encode()
        host, _, port = self.url.split("/")[2].partition(":")
        headers = {
            "Host": f"{host}:{port}",
            "User-Agent": self.session.headers["User-Agent"],
            "Connection": "close",
            "Content-Length": str(len(body)),
            **self.headers(method, params, self.revision),
        }
        lines = [f"POST {ENDPOINT} {version}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection = socket.create_connection((host, int(port)), timeout=180)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return connection

    def post(
        self, body: Any, *, headers: Mapping[str, str | None], **options: Any
    ) -> Answer:
        """Send any body, however wrong: bytes and text go as they are."""
        raw = {"data": body} if isinstance(body, (bytes, str)) else {"json": body}
        sent = {name: value for name, value in headers.items() if value is not None}
        options = {"timeout": 180, **raw, **options}
        return Answer(self.session.post(self.url, headers=sent, **options))

    def params(self, params: Mapping[str, Any] | None, revision: str) -> dict[str, Any]:
        """Parameters with the ``_meta`` that a modern request owes."""
        own = dict(params or {})
        if revision >= MODERN:
            owed = {
                f"{META}/protocolVersion": revision,
                f"{META}/clientCapabilities": {},
            }
            own["_meta"] = owed | own.get("_meta", {})
        return own

    def headers(
        self, method: str, params: Mapping[str, Any], revision: str
    ) -> dict[str, str]:
        """Headers that a correct client of this revision sends."""
        headers = {"Accept": ACCEPT, "Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if method != "initialize" and revision >= "2025-06-18":
            headers["MCP-Protocol-Version"] = revision
        if revision >= MODERN:
            headers["Mcp-Method"] = method
            if method in NAMED_BY:
                headers["Mcp-Name"] = str(params.get(NAMED_BY[method], ""))
        return headers

    def initialize(self, revision: str = LEGACY) -> Answer:
        """The handshake of the revisions before 2026-07-28, both steps."""
        answer = self.call(
            "initialize",
            {
                "protocolVersion": revision,
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
            revision=revision,
        )
        done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        self.post(done, headers=self.headers("notifications/initialized", {}, revision))
        return answer
