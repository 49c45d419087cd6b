"""The official MCP client against a running server; run in the client environment.

Address and key come in MCP_URL and MCP_KEY. Status 0 when both generations of the
protocol list the tools and read real rows.
"""

import asyncio
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

# How the client negotiates, and the revision that must come of it.
MODES = {"auto": "2026-07-28", "legacy": "2025-11-25"}
SECONDS = 60
ROWS = 3
TOOL = "query_database"
QUERY = (
    "SELECT id, name, email FROM res_partner "
    f"WHERE email IS NOT NULL ORDER BY id LIMIT {ROWS}"
)


class CheckFailed(Exception):
    """The server answered, but not as it should."""


async def main() -> int:
    """Try every mode, telling what each got, before judging."""
    ended = [await _attempt(mode, revision) for mode, revision in MODES.items()]
    print(f"\n{sum(ended)} of {len(ended)} connections succeeded", flush=True)
    return 0 if all(ended) else 1


async def _attempt(mode: str, revision: str) -> bool:
    print(f"\nmcp.Client(url, mode={mode!r})")
    try:
        await asyncio.wait_for(_session(mode, revision), SECONDS)
    except Exception as error:
        print(f"  failed: {_cause(error)}")
        return False
    return True


def _cause(error: BaseException) -> str:
    """The exception that a task group wraps, with its type: some have no message."""
    while getattr(error, "exceptions", None):
        error = error.exceptions[0]  # type: ignore[attr-defined]
    return f"{type(error).__name__}: {error}"


async def _session(mode: str, revision: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['MCP_KEY']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
        transport = streamable_http_client(os.environ["MCP_URL"], http_client=http)
        async with Client(transport, mode=mode) as client:
            await _talk(client, revision)


async def _talk(client: Client, revision: str) -> None:
    server = client.server_info
    print(f"  connected  {server.name} {server.version}" if server else "  connected")
    print(f"  revision   {client.protocol_version}")
    tools = (await client.list_tools()).tools
    print(f"  tools      {', '.join(tool.name for tool in tools)}")
    _require(client.protocol_version == revision, f"expected revision {revision}")
    _require(TOOL in [tool.name for tool in tools], f"no tool {TOOL}")
    result = await client.call_tool(TOOL, {"query": QUERY})
    _require(not result.is_error, f"{TOOL}: {result.content}")
    rows = (result.structured_content or {}).get("rows", [])
    print(f"  {TOOL}  {QUERY}")
    for row in rows:
        print(f"    {row}")
    _require(len(rows) == ROWS, f"{TOOL} returned {len(rows)} rows, expected {ROWS}")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise CheckFailed(complaint)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
