"""Content blocks: what a tool's result and a prompt's message are made of.

Revision 2026-07-28, server/tools, "Tool Result".
"""

import base64
from dataclasses import dataclass
from typing import NamedTuple

from .exceptions import ToolError


class Content(dict):
    """One block, as MCP writes it."""


@dataclass(frozen=True)
class ToolResult:
    """All that a tool answers.

    :param content: what a model reads; empty: the JSON of ``structured``
    :param structured: a JSON object, or None
    """

    content: tuple[Content, ...] = ()
    structured: dict | None = None


class Written(dict):
    """A JSON object with its text, so that it is written once.

    :param text: compact JSON of the object, exactly
    """

    def __init__(self, value: dict, text: str) -> None:
        super().__init__(value)
        self.text = text


class ResourceContent(NamedTuple):
    """What a resource is now, where its record does not say of what kind that is."""

    data: str | bytes
    mime_type: str


def text(value: object) -> Content:
    """Return a block of text."""
    return Content(type="text", text=str(value))


def image(data: bytes | str, mime_type: str = "image/png") -> Content:
    """Return a picture.

    :param data: bytes, or their base64
    """
    return Content(type="image", data=_base64(data), mimeType=mime_type)


def audio(data: bytes | str, mime_type: str = "audio/wav") -> Content:
    """Return a sound.

    :param data: bytes, or their base64
    """
    return Content(type="audio", data=_base64(data), mimeType=mime_type)


def resource(
    uri: str,
    text: str | None = None,
    blob: bytes | str | None = None,
    mime_type: str | None = None,
) -> Content:
    """Return a resource with all that is in it.

    :param blob: bytes, or their base64, of what is no text
    :raise ToolError: neither text nor blob, or both
    """
    if (text is None) == (blob is None):
        raise ToolError("A resource has either a text or a blob.")
    found = {"uri": uri, "mimeType": mime_type}
    found |= {"text": text} if blob is None else {"blob": _base64(blob)}
    return Content(type="resource", resource=_given(found))


def resource_link(
    uri: str,
    name: str,
    title: str | None = None,
    description: str | None = None,
    mime_type: str | None = None,
    size: int | None = None,
) -> Content:
    """Return the address of a resource, which a client can read when it wants it.

    :param size: bytes of its content, if known
    """
    found = {"uri": uri, "name": name, "title": title, "description": description}
    return Content(
        _given({**found, "mimeType": mime_type, "size": size}, "resource_link")
    )


def _given(values: dict, kind: str | None = None) -> dict:
    found = {name: value for name, value in values.items() if value is not None}
    return {"type": kind, **found} if kind else found


def _base64(data: bytes | str) -> str:
    """Return base64, of bytes or as it was given.

    :raise ToolError: a text that is none
    """
    try:
        if isinstance(data, str):
            base64.b64decode(data, validate=True)
            return data
        return base64.b64encode(data).decode()
    except (TypeError, ValueError) as error:
        raise ToolError("Data is bytes, or their base64 as text.") from error


def blocks(result) -> list[Content] | None:
    """Return the blocks that a record's code has answered with; None: no blocks."""
    if isinstance(result, Content):
        return [result]
    several = isinstance(result, list | tuple) and bool(result)
    if several and all(isinstance(block, Content) for block in result):
        return list(result)
    return None
