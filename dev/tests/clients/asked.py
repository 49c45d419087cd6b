"""What every Python client does in its sessions, told as JSON on standard output.

Where comes in MCP_URL and MCP_KEY, what is asked in MCP_ASKED: see ``real_clients.py``.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

URL = os.environ["MCP_URL"]
KEY = os.environ["MCP_KEY"]
ASKED = json.loads(os.environ["MCP_ASKED"])

questions: list[str] = []
"""What the person and the model were asked: clients add to it, and answer."""


async def tell(client: Any, call: Callable[..., Awaitable[Any]]) -> dict[str, Any]:
    """What the client sees.

    :param call: calls a tool: name, arguments, and what hears the progress
    """
    messages = []

    async def hear(_done: float, _total: float | None, message: str | None) -> None:
        messages.append(message)

    tools = await client.list_tools()
    rows = await call("query_database", ASKED["query"])
    refused = await call("query_database", ASKED["wrong"])
    printed = await call("execute_command", ASKED["command"], hear)
    resource = await client.read_resource(ASKED["resource"])
    prompts = await client.list_prompts()
    prompt = await client.get_prompt(**ASKED["prompt"])
    questions.clear()
    told = await call(ASKED["asking"], {})
    return {
        "revision": client.protocol_version,
        "server": client.server_info.name,
        "tools": [tool.name for tool in getattr(tools, "tools", tools)],
        "rows": rows.structured_content["rows"],
        "refused": {"is_error": refused.is_error, "text": refused.content[0].text},
        "unknown": await failure(call("no_such_tool", {})),
        "stdout": printed.structured_content["stdout"],
        "progress": messages,
        "resource": getattr(resource, "contents", resource)[0].text,
        "prompts": [prompt.name for prompt in getattr(prompts, "prompts", prompts)],
        "prompt": prompt.messages[0].content.text,
        "questions": list(questions),
        "told": told.structured_content["result"],
    }


async def failure(doing: Awaitable[Any]) -> str | None:
    """What is told of what fails."""
    try:
        await doing
    except Exception as error:
        first: BaseException = error
        while grouped := getattr(first, "exceptions", None):
            first = grouped[0]
        return str(first)
    return None


def run(
    connect: Callable[[str, str], AbstractAsyncContextManager[Any]],
    session: Callable[[Any], Awaitable[dict[str, Any]]],
) -> None:
    """Run a session in each mode that is an argument, and knock with a wrong key.

    :param connect: gives a client of a mode, with a key
    """

    async def knock(mode: str) -> None:
        async with connect(mode, ASKED["wrong_key"]) as client:
            await client.list_tools()

    async def told(mode: str) -> dict[str, Any]:
        async with connect(mode, KEY) as client:
            got = await session(client)
        return {**got, "wrong_key": await failure(knock(mode))}

    async def all_told() -> dict[str, Any]:
        return {mode: await told(mode) for mode in sys.argv[1:]}

    print(json.dumps(asyncio.run(all_told())))
