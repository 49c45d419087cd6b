"""Clients that do what agents do, all at once, and note what came of each call."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dev.bench import wire
from dev.bench.targets import LISTENER, REVISION, ROUTE
from dev.console import HarnessError
from dev.odoo_instance import LOOPBACK
from dev.soak.site import LIMITED, Site

FILE = "The quick brown fox jumps over the lazy dog.\n" * 200
HONEST = (b"Rate limit '", b" jobs run already")
"""What a refusal says that is no failure."""


class Work(NamedTuple):
    """One kind of request.

    :param weight: how often, beside the others
    :param params: of a client, by its own file
    :param expected: what a right answer contains
    """

    name: str
    weight: int
    method: str
    params: Callable[[str], dict[str, Any]]
    expected: bytes

    @property
    def audited(self) -> bool:
        """Whether it is a call; lists are none."""
        return self.method != "tools/list"


def _tool(name: str, weight: int, expected: bytes, /, **arguments: Any) -> Work:
    def params(path: str) -> dict[str, Any]:
        given = {
            key: path if value is PATH else value for key, value in arguments.items()
        }
        return {"name": name, "arguments": given}

    return Work(name, weight, "tools/call", params, expected)


PATH = object()
UPDATE = "UPDATE res_partner SET ref = 'soak' WHERE id = 1"
SELECT = "SELECT id, name, email FROM res_partner ORDER BY id LIMIT 20"
CREATE = "env['res.partner'].create({'name': 'soak'}).name"
CONFIG = "odoo://config"
SCHEMA = {"action": "describe_table", "table_name": "res_partner"}

MIX = (
    _tool("query_database", 30, b'"row_count":', query=SELECT),
    _tool("execute_sql", 8, b'"affected_rows":', statement=UPDATE, dry_run=True),
    _tool("get_db_schema", 8, b"res_partner", **SCHEMA),
    _tool("write_file", 6, b'"bytes_written":', path=PATH, content=FILE),
    _tool("read_file", 8, b"quick brown fox", path=PATH),
    _tool("odoo_shell", 3, b'"return_value":"soak"', code=CREATE, dry_run=True),
    _tool("execute_command", 4, b'"exit_code":0', command="echo done"),
    _tool("list_modules", 6, b"odoo_dev_mcp", search="mcp"),
    _tool("read_config", 6, b"db_name"),
    _tool(LIMITED, 8, b"odoo_dev_mcp", module_name="odoo_dev_mcp"),
    Work("resources/read", 6, "resources/read", lambda _path: {"uri": CONFIG}, b"text"),
    Work("tools/list", 6, "tools/list", lambda _path: {}, b"inputSchema"),
)
JOB = _tool("execute_command", 1, b"structuredContent", command="echo", background=True)
"""As a job; its audit entry, too, is of the tool."""


class Seen(NamedTuple):
    """What came of a request.

    :param failure: what went wrong; empty: it was answered, or refused honestly
    """

    number: str
    work: Work
    door: str
    began: float
    seconds: float
    refused: bool
    failure: str


@dataclass
class Client:
    """One client at one door, with a connection and a file of its own."""

    number: int
    door: str
    port: int
    site: Site
    seen: list[Seen] = field(default_factory=list)

    def work(self, over: threading.Event) -> None:
        """Ask one thing after the other until it is over."""
        chance = random.Random(self.number)
        works = [*MIX, JOB._replace(name="execute_command (job)")]
        weights = [work.weight for work in works]
        with wire.Connection(LOOPBACK, self.port) as connection:
            # there is something to read
            self._ask(connection, 0, MIX[3])
            for turn in itertools.count(1):
                if over.is_set():
                    return
                [work] = chance.choices(works, weights)
                self._ask(connection, turn, work)

    def _ask(self, connection: wire.Connection, turn: int, work: Work) -> None:
        number = f"{self.number}-{turn}"
        request = self._request(number, work)
        # by the clock that PostgreSQL goes by, too
        began = time.time()
        refused, failure = False, ""
        try:
            answer = connection.ask(request)
            refused = any(said in answer.body for said in HONEST)
            if not refused:
                wire.check(answer, work.expected, work.name)
        except (OSError, HarnessError) as error:
            failure = f"{self.door}, {work.name}: {error!r}"
            connection.close()
        took = time.time() - began
        seen = Seen(number, work, self.door, began, took, refused, failure)
        self.seen.append(seen)

    def _request(self, number: str, work: Work) -> bytes:
        message = {
            "jsonrpc": "2.0",
            "id": number,
            "method": work.method,
            "params": work.params(str(self.site.folder / f"{self.number}.txt")),
        }
        headers = {
            "Host": f"{LOOPBACK}:{self.port}",
            "Authorization": f"Bearer {self.site.key}",
            "MCP-Protocol-Version": REVISION,
        }
        return wire.post("/mcp/v1", message, headers)


def run(
    site: Site, port: int, clients: int, seconds: float, look: Callable[[], None]
) -> list[Seen]:
    """Let clients work for a time, half of them at each door.

    :param port: Odoo's own
    :param look: called each second
    """
    doors = ((ROUTE, port), (LISTENER, site.listener_port))
    crowd = [Client(number, *doors[number % 2], site) for number in range(clients)]
    _all_at_once(crowd, seconds, look)
    return [seen for client in crowd for seen in client.seen]


def _all_at_once(
    crowd: Sequence[Client], seconds: float, look: Callable[[], None]
) -> None:
    over = threading.Event()
    threads = [
        threading.Thread(target=client.work, args=(over,), daemon=True)
        for client in crowd
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        look()
        time.sleep(min(1, left))
    over.set()
    for thread in threads:
        thread.join()
