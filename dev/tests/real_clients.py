"""Sessions of real clients: what each is asked to do, and what it must tell."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dev import paths
from dev.tests.backend import ADMIN, Backend
from dev.tests.client import ENDPOINT, LEGACY, MODERN

DRIVERS = Path(__file__).with_name("clients")
SECONDS = 180
REVISIONS = {"auto": MODERN, "legacy": LEGACY}
ROWS = [{"name": "Ada of the clients"}, {"name": "Grace of the clients"}]
ADMIN_ID = 2
CHANGING = "told_to_clients"
ASKING = "asks_clients"
FORM = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
ASKS = f"""
told = mcp.ask({{
    'person': mcp.elicitation('Your name?', {FORM}),
    'model': mcp.sampling('Why?', 9),
}})
action = [told['person']['content']['name'], told['model']['content']['text']]
"""
WRONG_KEY = "odoo_mcp_wrong"
ASKED = {
    "query": {
        "query": "SELECT name FROM res_partner WHERE ref = %s ORDER BY name",
        "params": ["real clients"],
    },
    "wrong": {"query": "SELEC 1"},
    "wrong_key": WRONG_KEY,
    "prompt": {"name": "review_addon", "arguments": {"module": "web"}},
    "asking": ASKING,
    "answer": {"name": "Ada"},
    "says": "because",
    "command": {"command": "for n in 1 2 3; do echo line $n; sleep 0.4; done"},
    "resource": "odoo://system",
    "changing": CHANGING,
}
CHANGE = f"""
tool = env['mcp.tool'].search([('name', '=', {CHANGING!r})])
tool.write({{'title': tool.title + '!'}})
"""
"""What an administrator does meanwhile: no tool call changes a tool."""


class Door(NamedTuple):
    """Where a client connects, and whether changes are told there."""

    address: str
    tells_changes: bool

    @property
    def url(self) -> str:
        """What the client is given."""
        return self.address + ENDPOINT


def prepare(backend: Backend) -> None:
    """The rows that are read, and the tool that changes under the clients' eyes."""
    partners = [{**row, "ref": "real clients"} for row in ROWS]
    backend.execute("res.partner", "create", partners)
    backend.tool(CHANGING, "action = {}")
    backend.tool(ASKING, ASKS)
    [model] = backend.execute("ir.model", "search", [("model", "=", "mcp.tool")])
    action = {"name": CHANGING, "model_id": model, "state": "code", "code": CHANGE}
    backend.execute("ir.actions.server", "create", action)


def change(backend: Backend) -> dict[str, Any]:
    """The request that has the administrator change the tool: URL and JSON body."""
    named = [("name", "=", CHANGING)]
    found = backend.execute("ir.actions.server", "search", named, order="id desc")
    called = ("ir.actions.server", "run", [found[:1]])
    params = {
        "service": "object",
        "method": "execute_kw",
        "args": [backend.server.database, ADMIN_ID, ADMIN[1], *called],
    }
    body = {"jsonrpc": "2.0", "method": "call", "params": params}
    return {"url": f"{backend.server.url}/jsonrpc", "body": body}


def facts(door: Door, key: str, backend: Backend) -> dict[str, str]:
    """Variables of a driver in ``clients/``."""
    # A proxy of the environment is never asked for a loopback address.
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"]))
    return {
        "MCP_URL": door.url,
        "MCP_KEY": key,
        "MCP_ASKED": json.dumps(ASKED),
        "MCP_CHANGE": json.dumps(change(backend)),
        "NO_PROXY": direct,
    }


def run(
    command: Sequence[object], variables: Mapping[str, str], **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a client to its end, whatever that is."""
    return subprocess.run(
        [str(part) for part in command],
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **options,
    )


def sessions(
    command: Sequence[object], variables: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """What a driver tells of its session in each mode; that it fails fails the test."""
    done = run([*command, *REVISIONS], variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def require(session: Mapping[str, Any], revision: str) -> None:
    """Fail unless a client got all that it asked for."""
    assert session["revision"] == revision
    assert session["server"] == "odoo_dev_mcp"
    assert {"query_database", "execute_command", CHANGING} <= set(session["tools"])
    assert session["rows"] == ROWS
    assert session["refused"]["is_error"] is True
    assert "42601" in session["refused"]["text"]
    assert "'no_such_tool'" in session["unknown"]
    assert session["stdout"] == "line 1\nline 2\nline 3\n"
    assert session["progress"], "no progress was told"
    assert set(session["progress"]) <= {"line 1", "line 2", "line 3"}
    assert json.loads(session["resource"])["odoo_version"]
    assert ASKED["prompt"]["name"] in session["prompts"]
    assert "`web`" in session["prompt"]
    assert sorted(session["questions"]) == ["Why?", "Your name?"]
    assert session["told"] == ["Ada", "because"]


def snippet(title: str, door: Door, key: str) -> str:
    """A block of the README's, with address and key in their places."""
    readme = (paths.REPOSITORY / "README.md").read_text()
    pattern = rf"^\*\*{re.escape(title)}\*\*.*?^```\w*\n(.*?)^```$"
    [block] = re.findall(pattern, readme, re.DOTALL | re.MULTILINE)
    assert "http://127.0.0.1:8069/mcp/v1" in block
    assert "KEY" in block
    return block.replace("http://127.0.0.1:8069/mcp/v1", door.url).replace("KEY", key)
