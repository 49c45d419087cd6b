"""Sessions of the official Python SDK; the arguments are its modes."""

import asyncio
import contextlib
import json
import os
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from asked import ASKED, URL, questions, run, tell
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestParams,
    ElicitResult,
    TextContent,
    ToolListChangedNotification,
)

SECONDS = 60
MODERN = "2026-07-28"

changed = asyncio.Event()


async def answer(_context: Any, asked: ElicitRequestParams) -> ElicitResult:
    questions.append(asked.message)
    return ElicitResult(action="accept", content=ASKED["answer"])


async def say(_context: Any, asked: CreateMessageRequestParams) -> CreateMessageResult:
    questions.append(asked.messages[0].content.text)
    text = TextContent(type="text", text=ASKED["says"])
    return CreateMessageResult(role="assistant", content=text, model="test")


async def hear(message: Any) -> None:
    if isinstance(message, ToolListChangedNotification):
        changed.set()


@contextlib.asynccontextmanager
async def connect(mode: str, key: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
        transport = streamable_http_client(URL, http_client=http)
        async with Client(
            transport,
            mode=mode,
            elicitation_callback=answer,
            sampling_callback=say,
            message_handler=hear,
        ) as client:
            yield client


async def session(client: Client) -> dict[str, Any]:
    async def call(name: str, arguments: dict, hear: Any = None) -> Any:
        return await client.call_tool(name, arguments, progress_callback=hear)

    return {**await tell(client, call), "titles": await titles(client)}


async def titles(client: Client) -> list[str]:
    """Those of a tool, before and, where changes are told, after that was told."""
    before = await title(client)
    if not client.server_capabilities.tools.list_changed:
        return [before]
    changed.clear()
    async with contextlib.AsyncExitStack() as stack:
        # before that, a stream is open all the time
        if client.protocol_version == MODERN:
            await stack.enter_async_context(client.listen(tools_list_changed=True))
        await asyncio.to_thread(change)
        await asyncio.wait_for(changed.wait(), SECONDS)
    return [before, await title(client)]


def change() -> None:
    """Have the administrator change a tool."""
    asked = json.loads(os.environ["MCP_CHANGE"])
    request = urllib.request.Request(
        asked["url"],
        json.dumps(asked["body"]).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=SECONDS).close()


async def title(client: Client) -> str:
    tools = (await client.list_tools()).tools
    return next(tool.title for tool in tools if tool.name == ASKED["changing"])


run(connect, session)
