"""Sessions of FastMCP's client; the arguments are its modes."""

from typing import Any

from asked import URL, run, tell
from fastmcp import Client


def connect(mode: str, key: str) -> Client:
    return Client(URL, auth=key, mode=mode)


async def session(client: Client) -> dict[str, Any]:
    async def call(name: str, arguments: dict, hear: Any = None) -> Any:
        return await client.call_tool(
            name, arguments, progress_handler=hear, raise_on_error=False
        )

    return await tell(client, call)


run(connect, session)
