"""What the list of tools costs a model: tokens of the answer to ``tools/list``."""

import json
from pathlib import Path

from dev import console
from dev.mcp_request import ask
from dev.node_env import NodeEnv

SCRIPT = Path(__file__).resolve().parent / "node" / "conformance" / "count_tokens.cjs"

BUDGET = 8_000
"""Tokens (o200k) of the list as shipped."""

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
    params: dict[str, str] = {}
    while True:
        page = ask(endpoint, key, "tools/list", params)
        tools += page["tools"]
        if "nextCursor" not in page:
            return tools
        params = {"cursor": page["nextCursor"]}
