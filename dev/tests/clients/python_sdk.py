"""Sessions of the official Python SDK; the arguments are its modes."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from asked import ASKED, URL, run, tell
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

SECONDS = 60
MODERN = "2026-07-28"


@contextlib.asynccontextmanager
async def connect(mode: str, key: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
        transport = streamable_http_client(URL, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def session(client: Client) -> dict[str, Any]:
    async def call(name: str, arguments: dict, hear: Any = None) -> Any:
        return await client.call_tool(name, arguments, progress_callback=hear)

    return {**await tell(client, call), "titles": await titles(client)}


async def titles(client: Client) -> list[str] | None:
    """Those of a tool before and after its change was told, where changes are told.

    Before 2026-07-28 this SDK listens only to servers that have sessions.
    """
    listens = client.server_capabilities.tools.list_changed
    if client.protocol_version != MODERN or not listens:
        return None
    before = await title(client)
    async with client.listen(tools_list_changed=True) as changes:
        await client.call_tool("odoo_shell", ASKED["change"])
        await anext(aiter(changes))
    return [before, await title(client)]


async def title(client: Client) -> str:
    tools = (await client.list_tools()).tools
    return next(tool.title for tool in tools if tool.name == ASKED["changing"])


run(connect, session)
