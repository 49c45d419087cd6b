"""What is measured: one request to one server, and the mark of its right answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dev.bench import wire
from dev.odoo_instance import LOOPBACK

REVISION = "2025-11-25"
"""What today's clients send."""

HEALTH = "GET /web/health"
FLOOR = "least controller"
JSONRPC = "/jsonrpc"
ROUTE = "Odoo's port"
LISTENER = "listener"

HANDSHAKE = "handshake"
TOOLS = "tools/list"
ONE = "SELECT 1"
PARTNERS = "80 partners"
ROWS = "10,000 rows"
FILE = "1 MB file"
SHELL = "no-op shell"
WORKS = (HANDSHAKE, TOOLS, ONE, PARTNERS, ROWS, FILE, SHELL)

SELDOM = {ROWS: 20, FILE: 10, SHELL: 10}
"""Works that take so long that they are measured in one of so many rounds."""

FIRST_ID = 100
"""JSON-RPC id of the first of several clients; they all have as many digits."""

FIELDS = ["id", "name", "email"]


@dataclass(frozen=True)
class Target:
    """One request.

    :param door: whom it is sent to, as the tables name it
    :param expected: what a right answer contains
    :param every: it is measured in one of so many rounds
    """

    door: str
    work: str
    port: int
    request: bytes
    expected: bytes
    every: int = 1

    @property
    def name(self) -> str:
        """Of both."""
        return f"{self.door}: {self.work}" if self.work else self.door

    def request_of(self, client: int) -> bytes:
        """The request of one of several clients: two of one session share no id."""
        own = FIRST_ID + client
        return self.request.replace(b'"id": %d' % FIRST_ID, b'"id": %d' % own, 1)

    def connection(self) -> wire.Connection:
        """A connection to its server."""
        return wire.Connection(LOOPBACK, self.port)


@dataclass(frozen=True)
class McpServer:
    """An MCP server over HTTP, and what its clients send with each request."""

    door: str
    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(self, method: str, params: Mapping[str, Any]) -> bytes:
        """A whole request."""
        message = {
            "jsonrpc": "2.0",
            "id": FIRST_ID,
            "method": method,
            "params": params,
        }
        named = {} if method == "initialize" else {"MCP-Protocol-Version": REVISION}
        host = {"Host": f"{LOOPBACK}:{self.port}"}
        return wire.post(self.path, message, {**host, **self.headers, **named})

    def initialize(self) -> bytes:
        """The first request of a client."""
        params = {
            "protocolVersion": REVISION,
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        }
        return self.request("initialize", params)

    def targets(
        self, calls: Mapping[str, tuple[str, Mapping[str, Any], bytes]], every: int = 1
    ) -> list[Target]:
        """Its handshake, its list of tools, and calls.

        :param calls: tool, arguments and mark of the answer, by work
        """
        plain: dict[str, tuple[bytes, bytes]] = {
            HANDSHAKE: (self.initialize(), b"protocolVersion"),
            TOOLS: (self.request("tools/list", {}), b"inputSchema"),
        }
        for work, (tool, arguments, expected) in calls.items():
            params = {"name": tool, "arguments": arguments}
            plain[work] = (self.request("tools/call", params), expected)
        return [
            Target(self.door, work, self.port, *found, every * SELDOM.get(work, 1))
            for work, found in plain.items()
        ]


def ours(door: str, port: int, key: str, file: str) -> list[Target]:
    """Of this addon, at one of its doors.

    :param file: path of the file of one megabyte
    """
    select = "SELECT id, name, email FROM res_partner ORDER BY id"
    server = McpServer(door, port, "/mcp/v1", {"Authorization": f"Bearer {key}"})
    query, last = "query_database", b'"row_count":'
    return server.targets(
        {
            ONE: (query, {"query": "SELECT 1 AS one"}, b'"one":1'),
            PARTNERS: (query, {"query": f"{select} LIMIT 80"}, last + b"80"),
            ROWS: (query, {"query": select, "limit": 10_000}, last + b"10000"),
            FILE: ("read_file", {"path": file}, b'"size_bytes":1048576'),
            SHELL: ("odoo_shell", {"code": "None"}, b'"return_value":null'),
        }
    )


def odoo(port: int, database: str, uid: int, api_key: str) -> list[Target]:
    """Of Odoo itself: the unit of all ratios, the floor, and its own RPC."""

    def rpc(work: str, limit: int) -> Target:
        named = {"fields": FIELDS, "limit": limit, "order": "id"}
        call = [database, uid, api_key, "res.partner", "search_read", [[]], named]
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "call",
            "params": {"service": "object", "method": "execute_kw", "args": call},
        }
        request = wire.post("/jsonrpc", message)
        return Target(JSONRPC, work, port, request, b'"result"', SELDOM.get(work, 1))

    return [
        Target(HEALTH, "", port, wire.get("/web/health"), b"pass"),
        Target(FLOOR, ONE, port, wire.get("/mcp_bench/select_1"), b"1"),
        rpc(ONE, 1),
        rpc(PARTNERS, 80),
        rpc(ROWS, 10_000),
    ]
