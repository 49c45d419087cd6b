"""Prompts on committed rows: they only read, at each door, on each kind of server."""

from collections.abc import Iterator

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.test_subscriptions import Heard, listen

WRITING = "env['res.partner'].create({'name': 'sneaked in'})"
BUILT_IN = {
    "explain_access": {"user": "admin", "model": "res.partner", "operation": "read"},
    "plan_upgrade": {"target": "20.0"},
    "review_addon": {"module": "odoo_dev_mcp"},
    "write_module": {"name": "parrot_shop", "depends": "base"},
}


def make_prompt(backend: Backend, name: str, **values: object) -> int:
    """A new prompt for every MCP user."""
    toolset = backend.execute("mcp.toolset", "search", [("code", "=", "modules")])
    described = {"name": name, "title": name, "description": "A prompt of the tests."}
    values = {**described, "toolset_id": toolset[0], **values}
    return backend.execute("mcp.prompt", "create", values)


@pytest.fixture
def listening(listener_url: str, key: str) -> Iterator[McpClient]:
    """A modern client of the listener."""
    with McpClient(listener_url, key) as found:
        yield found


@pytest.mark.parametrize("kind", ["template", "code"])
def test_prompt_cannot_write(kind: str, client: McpClient, backend: Backend) -> None:
    values: dict[str, object] = {"template": f'<t t-set="x" t-value="{WRITING}"/>'}
    if kind == "code":
        tool = backend.tool("writes_for_a_prompt", f"action = str({WRITING})")
        [row] = backend.execute("mcp.tool", "read", [tool], ["server_action_id"])
        values = {"server_action_id": row["server_action_id"][0]}
    make_prompt(backend, f"writes_in_{kind}", **values)
    answer = client.call("prompts/get", {"name": f"writes_in_{kind}"})
    assert answer.error["code"] == -32603
    query = "SELECT FROM res_partner WHERE name = 'sneaked in'"
    assert backend.rows(query) == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_prompt_is_put_together_by_every_kind_of_server(
    name: str, either_server: OdooServer, key: str
) -> None:
    with McpClient(either_server.url, key) as client:
        params = {"name": name, "arguments": BUILT_IN[name]}
        [message] = client.call("prompts/get", params).result["messages"]
    assert message["role"] == "user"
    assert 1500 < len(message["content"]["text"]) < 24_000


def test_change_of_the_prompts_is_told_on_the_listener(
    listening: McpClient, backend: Backend
) -> None:
    discovered = listening.call("server/discover").result
    assert discovered["capabilities"]["prompts"] == {"listChanged": True}
    with (
        listen(listening, promptsListChanged=True) as prompts,
        listen(listening, toolsListChanged=True) as tools,
    ):
        heard, other = Heard(prompts), Heard(tools)
        first = heard.wait("notifications/subscriptions/acknowledged")
        assert first["params"]["notifications"] == {"promptsListChanged": True}
        other.wait("notifications/subscriptions/acknowledged")
        make_prompt(backend, "comes_later", template="x")
        heard.wait("notifications/prompts/list_changed")
        assert other.methods() == ["notifications/subscriptions/acknowledged"]
