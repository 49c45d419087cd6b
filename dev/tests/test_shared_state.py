"""What is decided on one server holds on every other from the next request on."""

from collections.abc import Iterator

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient, unmarked

REQUESTS = 6
DEVELOPER = "odoo_dev_mcp.odoo_dev_mcp_group_developer"


@pytest.fixture(params=["second_server", "prefork_server"])
def other(request: pytest.FixtureRequest) -> OdooServer:
    """A server other than the one on which the administrator works."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def unique(request: pytest.FixtureRequest, other: OdooServer) -> str:
    """A name for this test alone."""
    return f"{request.node.originalname[5:25]}_{other.workers}"


def listed(server: OdooServer, key: str) -> set[str]:
    """Names of the tools; all of several connections must agree on them."""
    found = []
    for _turn in range(REQUESTS):
        with McpClient(server.url, key) as client:
            tools = client.call("tools/list").result["tools"]
            found.append({tool["name"] for tool in tools})
    assert all(names == found[0] for names in found)
    return found[0]


def codes(server: OdooServer, key: str) -> set[int]:
    """HTTP statuses of several connections."""
    found = set()
    for _turn in range(REQUESTS):
        with McpClient(server.url, key) as client:
            found.add(client.call("tools/list").status)
    return found


@pytest.fixture
def switched(backend: Backend, unique: str) -> Iterator[tuple[str, int]]:
    """A tool to switch, and its id."""
    tool = backend.tool(unique, "action = {'n': 1}")
    yield unique, tool
    backend.execute("mcp.tool", "write", [tool], {"active": True})
    backend.execute("mcp.tool", "unlink", [tool])


def test_tool_that_is_switched_off_is_gone_everywhere(
    other: OdooServer, key: str, backend: Backend, switched: tuple[str, int]
) -> None:
    name, tool = switched
    assert name in listed(other, key)
    for active in (False, True, False):
        backend.execute("mcp.tool", "write", [tool], {"active": active})
        assert (name in listed(other, key)) is active
    with McpClient(other.url, key) as client:
        answer = client.call("tools/call", {"name": name, "arguments": {}})
        assert answer.error["code"] == -32602


def test_code_of_a_tool_that_is_changed_is_changed_everywhere(
    other: OdooServer, key: str, backend: Backend, switched: tuple[str, int]
) -> None:
    name, tool = switched
    for number in (2, 3):
        [row] = backend.execute("mcp.tool", "read", [tool], ["server_action_id"])
        code = {"code": f"action = {{'n': {number}}}"}
        backend.execute(
            "ir.actions.server", "write", [row["server_action_id"][0]], code
        )
        for _turn in range(REQUESTS):
            with McpClient(other.url, key) as client:
                assert unmarked(client.tool(name)["structuredContent"]) == {"n": number}


def test_toolset_that_is_switched_off_takes_its_tools_along(
    other: OdooServer, key: str, backend: Backend, unique: str
) -> None:
    values = {"name": unique, "code": unique}
    toolset = backend.execute("mcp.toolset", "create", values)
    tool = backend.tool(unique, "action = {'n': 1}", toolset_id=toolset)
    assert unique in listed(other, key)
    backend.execute("mcp.toolset", "write", [toolset], {"active": False})
    assert unique not in listed(other, key)
    backend.execute("mcp.tool", "unlink", [tool])


def test_changed_rate_limit_counts_at_once(
    other: OdooServer, backend: Backend, switched: tuple[str, int]
) -> None:
    name, tool = switched
    key = backend.key("admin")
    rule = {"name": f"Rule of {name}", "calls": 1, "period": 600}
    limit = backend.execute("mcp.rate.limit", "create", rule)
    backend.execute("mcp.tool", "write", [tool], {"rate_limit_id": limit})
    with McpClient(other.url, key) as client:
        assert not client.tool(name).get("isError")
        assert client.tool(name)["isError"] is True
        backend.execute("mcp.rate.limit", "write", [limit], {"calls": 2})
        assert not client.tool(name).get("isError")
        assert client.tool(name)["isError"] is True


@pytest.mark.parametrize(
    ("action", "undo"), [("action_revoke", None), ("action_suspend", "action_resume")]
)
def test_key_that_is_taken_away_is_refused_everywhere(
    action: str, undo: str | None, other: OdooServer, backend: Backend
) -> None:
    key = backend.key("admin")
    record = [backend.key_id(key)]
    assert codes(other, key) == {200}
    backend.execute("mcp.api.key", action, record)
    assert codes(other, key) == {401}
    if undo:
        backend.execute("mcp.api.key", undo, record)
        assert codes(other, key) == {200}


def test_groups_of_a_user_are_changed_everywhere(
    other: OdooServer, backend: Backend, unique: str
) -> None:
    user = backend.user(unique, DEVELOPER)
    key = backend.key(unique)
    assert "query_database" in listed(other, key)
    backend.run(
        f"group = env.ref({DEVELOPER!r})\n"
        "field = 'user_ids' if 'user_ids' in group else 'users'\n"
        f"group.write({{field: [(3, {user})]}})"
    )
    assert codes(other, key) <= {200, 403}
    with McpClient(other.url, key) as client:
        call = {"name": "query_database", "arguments": {"query": "SELECT 1"}}
        assert "error" in client.call("tools/call", call).body


def test_archived_user_is_refused_everywhere(
    other: OdooServer, backend: Backend, unique: str
) -> None:
    user = backend.user(unique, DEVELOPER)
    key = backend.key(unique)
    assert codes(other, key) == {200}
    backend.execute("res.users", "write", [user], {"active": False})
    assert codes(other, key) == {401}
