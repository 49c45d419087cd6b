"""What a prompt answers, as messages of the protocol.

Revision 2026-07-28, server/prompts, "PromptMessage".
"""

from .exceptions import ToolError
from .visible import visible

ROLES = ("user", "assistant")
BLOCKS = ("text", "image", "audio", "resource", "resource_link")


def is_block(value) -> bool:
    """Tell whether a value is a block of content.

    >>> is_block({"type": "text", "text": "a"}), is_block({"type": "sale"}), is_block(1)
    (True, False, False)
    """
    return isinstance(value, dict) and value.get("type") in BLOCKS


def messages(answer) -> list[dict]:
    """Return the messages that a template or code has answered with.

    >>> messages("Hello") == messages([{"role": "user", "content": "Hello"}])
    True

    :raise ToolError: it is none, or one of them is none
    """
    if not isinstance(answer, list | tuple):
        answer = [answer]
    return [_message(item) for item in answer]


def _message(item) -> dict:
    role, content = "user", item
    if isinstance(item, dict) and "role" in item:
        role, content = item["role"], item.get("content")
    if isinstance(content, str):
        content = {"type": "text", "text": visible(content)}
    if role not in ROLES or not is_block(content):
        raise ToolError(
            "The code of a prompt answers with text, or with a list of messages: "
            "{'role': 'user' or 'assistant', 'content': text or a block of content}; "
            f"not with {str(item)[:200]}"
        )
    return {"role": role, "content": content}
