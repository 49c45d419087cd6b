"""An HTTP/1.1 request, read as its grammar has it and no other way: RFC 9112.

What a proxy and the server behind it read differently is how a request gets past the
proxy unseen (RFC 9112 section 11.2). So what the grammar does not have is refused,
where Python's own ``http.server`` mends it, with a parser made for mail.
"""

import re
from typing import NamedTuple

from werkzeug.datastructures import Headers

from .door import MOST_BYTES, not_whole, too_large
from .rpc import RpcError

MOST_HEAD = 64 * 1024
"""Bytes of a request line and its fields, and of the trailers of a body."""

MOST_FIELDS = 100

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
CONTROLS = rb"\x00-\x08\x0a-\x1f\x7f"

REQUEST_LINE = re.compile(rb"(%b) ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])" % TOKEN)
FIELD_NAME = re.compile(TOKEN)
CONTROL = re.compile(rb"[%b]" % CONTROLS)
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^%b]*)?" % CONTROLS)


class Head(NamedTuple):
    """What comes before the body.

    :param target: path and query, as received
    :param version: ``HTTP/1.0`` or ``HTTP/1.1``
    """

    method: str
    target: str
    version: str
    headers: Headers

    @property
    def keeps(self) -> bool:
        """Whether the connection outlives the answer. RFC 9112 section 9.3."""
        options = self.headers.get("Connection", "").lower().split(",")
        return self.version == "HTTP/1.1" and "close" not in map(str.strip, options)

    @property
    def awaits_continue(self) -> bool:
        """Whether the body comes when it is asked for. RFC 9110 section 10.1.1."""
        expected = self.headers.get("Expect", "").lower()
        return self.version == "HTTP/1.1" and expected == "100-continue"


def read_head(stream) -> Head | None:
    """Return the head of the next request; None: the client has closed the connection.

    :raise RpcError: 400, it is none; 431, it is too large; 505, of another HTTP
    """
    lines = _lines(stream)
    if not lines:
        return None
    found = REQUEST_LINE.fullmatch(lines[0])
    if not found:
        raise _bad("its first line is no request line")
    method, target, version = (part.decode("ascii") for part in found.groups())
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise RpcError(
            -32600, f"{version} is not spoken here: HTTP/1.1 is.", status=505
        )
    headers = Headers([_field(line) for line in lines[1:]])
    hosts = headers.getlist("Host")
    if hosts[1:] or (not hosts and version == "HTTP/1.1"):
        # RFC 9112 section 3.2
        raise _bad("it names no host, or several")
    return Head(method, target, version, headers)


def _lines(stream) -> list[bytes]:
    """Return the lines up to an empty one; none: there is nothing more to read."""
    lines: list[bytes] = []
    left = MOST_HEAD
    while True:
        line = stream.readline(left + 1)
        if not line and not lines:
            return []
        left -= len(line)
        if left < 0 or len(lines) > MOST_FIELDS:
            raise RpcError(
                -32600,
                f"A head has at most {MOST_HEAD} bytes and {MOST_FIELDS} fields.",
                status=431,
            )
        if not line.endswith(b"\r\n"):
            raise _bad("a line of it does not end with CR LF")
        if line != b"\r\n":
            lines.append(line[:-2])
        elif lines:
            return lines
        # RFC 9112 section 2.2: an empty line before a request line is passed over


def _field(line: bytes) -> tuple[str, str]:
    """Return name and value. RFC 9112 section 5: no space before the colon, and no line
    that goes on with the value of the one before."""
    name, colon, value = line.partition(b":")
    if not colon or not FIELD_NAME.fullmatch(name) or CONTROL.search(value):
        raise _bad("a line of it is no field")
    return name.decode("ascii"), value.strip(b" \t").decode("latin-1")


def read_body(head: Head, stream) -> bytes:
    """Return the body, whole. RFC 9112 section 6.

    :raise RpcError: 413, it is too large; 400, it is not whole, or its length is told
        in two ways; 501, it is sent in a way that is not known
    """
    coding = head.headers.get("Transfer-Encoding")
    lengths = head.headers.getlist("Content-Length")
    if coding is not None:
        if lengths or head.version == "HTTP/1.0":
            raise _bad("Transfer-Encoding does not go with its length or version")
        if coding.lower() != "chunked":
            raise RpcError(-32600, "Send the body whole, or chunked.", status=501)
        return _chunks(stream)
    length = lengths[0] if lengths else "0"
    if not (length.isascii() and length.isdigit()) or lengths[1:]:
        raise _bad("its Content-Length is no number")
    if len(length) > 15 or int(length) > MOST_BYTES:
        raise too_large()
    return _exactly(stream, int(length))


def _chunks(stream) -> bytes:
    """RFC 9112 section 7.1; what comes after the last chunk is passed over."""
    parts, size = [], 0
    while True:
        line = stream.readline(MOST_HEAD)
        found = CHUNK.fullmatch(line[:-2]) if line.endswith(b"\r\n") else None
        if not found:
            raise not_whole()
        length = int(found[1], 16)
        if not length:
            break
        size += length
        if size > MOST_BYTES:
            raise too_large()
        parts.append(_exactly(stream, length))
        if stream.read(2) != b"\r\n":
            raise not_whole()
    left = MOST_HEAD
    while (line := stream.readline(left)) != b"\r\n":
        left -= len(line)
        if left <= 0 or not line.endswith(b"\r\n"):
            raise not_whole()
    return b"".join(parts)


def _exactly(stream, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise not_whole()
    return data


def _bad(reason: str) -> RpcError:
    return RpcError(-32600, f"This is no HTTP/1.1 request: {reason}.", status=400)
