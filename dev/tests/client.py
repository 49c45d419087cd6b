"""A client that speaks each revision as on the wire, and shows the raw answer."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

ENDPOINT = "/mcp/v1"
MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = "io.modelcontextprotocol"
ACCEPT = "application/json, text/event-stream"

# The parameter that Mcp-Name repeats, by method.
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


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
        """The JSON-RPC envelope, or ``None`` where there is no body."""
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

    def post(
        self, body: Any, *, headers: Mapping[str, str | None], **options: Any
    ) -> Answer:
        """Send any body, however wrong: bytes and text go as they are."""
        raw = {"data": body} if isinstance(body, (bytes, str)) else {"json": body}
        sent = {name: value for name, value in headers.items() if value is not None}
        options = {"timeout": 60, **raw, **options}
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
