"""What the list of tools costs a model: tokens of the answer to ``tools/list``."""

import json
import urllib.request
from pathlib import Path

from dev import console
from dev.node_env import NodeEnv

SCRIPT = Path(__file__).resolve().parent / "node" / "conformance" / "count_tokens.cjs"

BUDGET = 8_000
"""Tokens (o200k) of the list as shipped."""

META = "io.modelcontextprotocol"
REVISION = "2026-07-28"
SECONDS = 60


def count(env: NodeEnv, endpoint: str, key: str) -> tuple[int, int]:
    """Number of tools that a key is offered, and the tokens of their list."""
    tools = _tools(endpoint, key)
    text = json.dumps(tools, ensure_ascii=False, separators=(",", ":"))
    tokens = console.run(
        [env.node, SCRIPT],
        failure="the tokens of tools/list cannot be counted",
        env=env.variables({"NODE_PATH": str(env.root / "node_modules")}),
        text_input=text,
        timeout=SECONDS,
    )
    return len(tools), int(tokens)


def _tools(endpoint: str, key: str) -> list[dict]:
    """Every page of the list, as a client gets it."""
    tools: list[dict] = []
    cursor = None
    while True:
        page = _page(endpoint, key, cursor)
        tools += page["tools"]
        cursor = page.get("nextCursor")
        if cursor is None:
            return tools


def _page(endpoint: str, key: str, cursor: str | None) -> dict:
    meta = {f"{META}/protocolVersion": REVISION, f"{META}/clientCapabilities": {}}
    params = {"_meta": meta} | ({"cursor": cursor} if cursor else {})
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
    request = urllib.request.Request(
        endpoint,
        data=json.dumps(message).encode(),
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION,
            "Mcp-Method": "tools/list",
        },
    )
    # A proxy of the environment is never asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        result: dict = json.load(answer)["result"]
    return result
