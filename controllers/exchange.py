"""What passes between a door and the protocol: an HTTP request, an HTTP response."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request as a door hands it down.

    :param headers: as received; looked up without regard to case
    :param address: IP address of the peer
    :param forwarded: a proxy passed it on
    :param deadline: monotonic time when the door must have answered; None: no end
    """

    method: str
    headers: Headers
    body: bytes
    address: str
    forwarded: bool = False
    deadline: float | None = None


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response for a door to send: JSON, or nothing.

    :param afterwards: what the door does when all of it has been sent
    """

    status: int
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    afterwards: tuple[Callable[[], None], ...] = ()

    def body(self) -> bytes:
        """Return the payload as compact UTF-8 JSON; no payload, no bytes.

        A lone surrogate has no UTF-8: it is written as its escape.
        """
        if self.payload is None:
            return b""
        try:
            return _dumps(self.payload, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return _dumps(self.payload, ensure_ascii=True).encode()


def _dumps(payload: Any, *, ensure_ascii: bool) -> str:
    return json.dumps(payload, ensure_ascii=ensure_ascii, separators=(",", ":"))
