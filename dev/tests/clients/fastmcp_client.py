"""Sessions of FastMCP's client; the arguments are its modes."""

from typing import Any

from asked import ASKED, URL, questions, run, tell
from fastmcp import Client


async def answer(message: str, *_details: Any) -> dict[str, str]:
    questions.append(message)
    return ASKED["answer"]


def say(messages: list[Any], *_details: Any) -> str:
    questions.append(messages[0].content.text)
    return ASKED["says"]


def connect(mode: str, key: str) -> Client:
    return Client(
        URL, auth=key, mode=mode, elicitation_handler=answer, sampling_handler=say
    )


async def session(client: Client) -> dict[str, Any]:
    async def call(name: str, arguments: dict, hear: Any = None) -> Any:
        return await client.call_tool(
            name, arguments, progress_handler=hear, raise_on_error=False
        )

    return await tell(client, call)


run(connect, session)
