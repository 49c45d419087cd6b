"""A limit is exact, whatever the number of processes that serve the calls."""

import zlib
from collections import Counter
from collections.abc import Callable

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import Answer, McpClient
from dev.tests.waiting import at_once, eventually

LIMIT = 20
CALLS = 60
CLIENTS = 8
PERIOD = 600

LimitedTool = Callable[..., str]


@pytest.fixture
def limited(backend: Backend, request: pytest.FixtureRequest) -> LimitedTool:
    """Makes a tool with a rule of its own, and tells its name."""

    def make(**rule: object) -> str:
        name = f"limited_{zlib.crc32(request.node.name.encode())}"
        values = {"name": f"Rule of {name}", "calls": LIMIT, "period": PERIOD, **rule}
        limit = backend.execute("mcp.rate.limit", "create", values)
        backend.tool(name, "action = {'done': True}", rate_limit_id=limit)
        return name

    return make


def call(client: McpClient, tool: str) -> Answer:
    return client.call("tools/call", {"name": tool, "arguments": {}})


def fire(servers: list[OdooServer], key: str, tool: str) -> list[Answer]:
    """All calls, from clients that are spread over the servers."""

    def turns(number: int) -> list[Answer]:
        server = servers[number % len(servers)]
        with McpClient(server.url, key) as client:
            return [call(client, tool) for _turn in range(number, CALLS, CLIENTS)]

    jobs = [lambda number=number: turns(number) for number in range(CLIENTS)]
    return [answer for answers in at_once(jobs) for answer in answers]


def refused(answers: list[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.result.get("isError")]


@pytest.mark.parametrize(
    "names",
    [["server", "second_server"], ["prefork_server"]],
    ids=["two servers", "prefork"],
)
def test_sixty_calls_at_once_pass_a_limit_of_twenty_exactly_twenty_times(
    names: list[str],
    backend: Backend,
    limited: LimitedTool,
    request: pytest.FixtureRequest,
) -> None:
    tool, key = limited(), backend.key("admin")
    servers = [request.getfixturevalue(name) for name in names]
    answers = fire(servers, key, tool)
    assert len(answers) == CALLS
    assert len(refused(answers)) == CALLS - LIMIT
    for answer in refused(answers):
        assert f"Rule of {tool}" in answer.result["content"][0]["text"]
        assert 0 < int(answer.response.headers["Retry-After"]) <= PERIOD
    statuses = Counter(entry["status"] for entry in backend.entries(key))
    assert statuses == {"success": LIMIT, "refused": CALLS - LIMIT}


@pytest.mark.parametrize(
    ("scope", "passed"), [("key", 2), ("user", 1), ("database", 1)]
)
def test_scope_says_whose_calls_are_counted_together(
    scope: str,
    passed: int,
    server: OdooServer,
    second_server: OdooServer,
    backend: Backend,
    limited: LimitedTool,
) -> None:
    tool = limited(scope=scope, calls=1)
    answers = []
    for own in (server, second_server):
        with McpClient(own.url, backend.key("admin")) as client:
            answers.append(call(client, tool))
    assert len(answers) - len(refused(answers)) == passed


def test_calls_pass_again_after_retry_after(
    client: McpClient, limited: LimitedTool
) -> None:
    tool = limited(calls=1, period=2)
    assert not refused([call(client, tool)])
    wait = int(refused([call(client, tool)])[0].response.headers["Retry-After"])
    assert 1 <= wait <= 2
    eventually(
        lambda: not refused([call(client, tool)]), "a call passes", seconds=wait + 1
    )


def test_refused_tool_has_not_run(client: McpClient, backend: Backend) -> None:
    rule = {"name": "Once", "calls": 1, "period": PERIOD}
    limit = backend.execute("mcp.rate.limit", "create", rule)
    code = "env['res.partner'].create({'name': 'limited partner'})"
    backend.tool("write_once", code, rate_limit_id=limit)
    answers = [call(client, "write_once") for _turn in range(3)]
    assert len(refused(answers)) == 2
    query = "SELECT count(*) AS n FROM res_partner WHERE name = 'limited partner'"
    assert backend.rows(query) == [{"n": 1}]
