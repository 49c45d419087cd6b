"""What passes between a door and the protocol: an HTTP request, an HTTP response."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from ..models.content import Written

if TYPE_CHECKING:
    from .hub import Hub, Subscription
    from .stream import EventStream


STRUCTURED = "structuredContent"


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request as a door hands it down.

    :param headers: as received; looked up without regard to case
    :param address: IP address of the peer
    :param forwarded: a proxy passed it on
    :param query: of its URL, as received: what follows the ``?``
    :param deadline: monotonic time when the door must have answered; None: no end
    :param stream: what the answer can become before its end; None: it cannot
    :param hub: keeps streams open; None: the door has none
    :param uid: who is logged in to Odoo, at the door that is for them; None: nobody
    """

    method: str
    headers: Headers
    body: bytes
    address: str
    forwarded: bool = False
    query: str = ""
    deadline: float | None = None
    stream: "EventStream | None" = None
    hub: "Hub | None" = None
    uid: int | None = None


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response for a door to send: JSON, a text, or nothing.

    :param afterwards: what the door does when all of it has been sent
    :param stays: the answer is this stream, which stays open
    :param text: sent as it is, instead of a payload
    :param text_type: media type of ``text``
    """

    status: int
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    afterwards: tuple[Callable[[], None], ...] = ()
    stays: "Subscription | None" = None
    text: str | None = None
    text_type: str = "text/plain; charset=utf-8"

    @property
    def content_type(self) -> str | None:
        """Media type of the body; None: there is none."""
        if self.text is not None:
            return self.text_type
        return None if self.payload is None else "application/json"

    def body(self) -> bytes:
        """Return the text, or the payload as JSON; neither, no bytes."""
        if self.text is not None:
            return self.text.encode()
        return b"" if self.payload is None else dumps(self.payload)


def dumps(payload: Any) -> bytes:
    """Return a value as compact UTF-8 JSON, in one line.

    A lone surrogate has no UTF-8: it is written as its escape.
    """
    try:
        return _dumps(payload).encode()
    except UnicodeEncodeError:
        return _json(payload, ensure_ascii=True).encode()


def _dumps(payload: Any) -> str:
    """Return it as JSON, with structured content as it has been written already."""
    result = payload.get("result") if isinstance(payload, dict) else None
    written = result.get(STRUCTURED) if isinstance(result, dict) else None
    if not isinstance(written, Written):
        return _json(payload)
    rest = {name: result[name] for name in result if name != STRUCTURED}
    # the result is the last member of a response, and has others beside this one
    return (
        f'{_json({**payload, "result": rest})[:-2]},"{STRUCTURED}":{written.text}}}}}'
    )


def _json(payload: Any, *, ensure_ascii: bool = False) -> str:
    return json.dumps(payload, ensure_ascii=ensure_ascii, separators=(",", ":"))
