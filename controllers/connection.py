"""One connection to the dedicated listener: HTTP/1.1 in, HTTP/1.1 out, kept alive."""

import contextlib
import io
import logging
import socket
import time
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.serving import DechunkedInput

from .door import MOST_BYTES, PROXY_HEADERS, not_whole, too_large
from .exchange import HttpRequest, HttpResponse
from .rpc import RpcError
from .stream import EventStream
from .transport import respond

if TYPE_CHECKING:
    from .listener import Listener

_logger = logging.getLogger(__name__)

IDLE_SECONDS = 75
"""A connection may be silent between two requests for that long."""

REQUEST_SECONDS = 30
"""From its first byte on, a request must have arrived whole in that time."""


class Deadline(io.RawIOBase):
    """What a client sends, as long as it does not take too long.

    :raise TimeoutError: it is silent for too long, or too slow
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.end: float | None = None

    def next_request(self) -> None:
        """Wait for another request."""
        self.end = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        left = IDLE_SECONDS if self.end is None else self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long to arrive")
        self.connection.settimeout(left)
        count = self.connection.recv_into(buffer)
        if self.end is None:
            self.end = time.monotonic() + REQUEST_SECONDS
        # what is written must not wait for ever either
        self.connection.settimeout(REQUEST_SECONDS)
        return count


class Handler(BaseHTTPRequestHandler):
    """One connection: HTTP in, HTTP out, one request after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "odoo_dev_mcp"
    sys_version = ""
    # head and body of an answer leave together
    wbufsize = -1
    server: "Listener"

    # socketserver's own returns nothing
    # pylint: disable=missing-return
    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.deadline = Deadline(self.connection)
        self.rfile = io.BufferedReader(self.deadline)

    def finish(self) -> None:
        # what could not be sent has nobody left to read it
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().finish()

    def handle_one_request(self) -> None:
        self.deadline.next_request()
        with contextlib.suppress(ConnectionError, BrokenPipeError, TimeoutError):
            super().handle_one_request()
            return
        self.close_connection = True

    def answer(self) -> None:
        """Answer one request, whatever its method: the protocol decides."""
        stream = EventStream(self._start_stream, self.connection, "listener")
        try:
            request = replace(self._request(), stream=stream, hub=self.server.hub)
            response = self.server.answer(self.path, request)
            if response.stays:
                self.server.hub.follow(response.stays, stream)
        except RpcError as fault:
            # what is left of the body cannot be told from a next request
            self.close_connection = True
            response = respond(None, fault)
        except Exception:
            _logger.exception("the listener failed to answer")
            self.close_connection = True
            response = respond(None, RpcError(-32603, "Internal error", status=500))
        if stream.opened:
            self._end_stream(stream, response)
        else:
            self._send(response)
        for act in response.afterwards:
            act()

    def __getattr__(self, name: str):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def _request(self) -> HttpRequest:
        headers = Headers(self.headers.items())
        return HttpRequest(
            method=self.command,
            headers=headers,
            body=self._body(headers),
            address=self.client_address[0],
            forwarded=bool(
                PROXY_HEADERS.intersection(name.title() for name, _value in headers)
            ),
            query=self.path.partition("?")[2],
        )

    def _body(self, headers: Headers) -> bytes:
        """Return the body, whole. RFC 9112 section 6.

        :raise RpcError: 413, it is too large; 400, it is not whole
        """
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            try:
                body = DechunkedInput(self.rfile).read(MOST_BYTES + 1)
            except OSError as error:
                raise not_whole() from error
            if len(body) > MOST_BYTES:
                raise too_large()
            return body
        length = headers.get("Content-Length", "0")
        if not length.isdecimal() or headers.getlist("Content-Length")[1:]:
            raise not_whole()
        if int(length) > MOST_BYTES:
            raise too_large()
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise not_whole()
        return body

    def _send(self, response: HttpResponse) -> None:
        body = response.body()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.content_type is not None:
            self.send_header("Content-Type", response.content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _start_stream(self, headers: dict[str, str]):
        """Send the head of a stream, and return what sends a piece of it.

        RFC 9112 section 7.1; HTTP/1.0 has no chunks, its stream ends with the
        connection.
        """
        self.chunked = chunked = self.request_version != "HTTP/1.0"
        self.send_response(HTTPStatus.OK)
        for name, value in headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        self.end_headers()

        def write(data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            self.wfile.flush()

        return write

    def _end_stream(self, stream: EventStream, response: HttpResponse) -> None:
        if response.payload is not None:
            stream.send(response.payload)
        whole = not stream.broken
        stream.close()
        if not whole:
            self.close_connection = True
        elif self.chunked:
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

    def log_message(self, format: str, *args) -> None:  # noqa: A002
        _logger.debug("%s " + format, self.client_address[0], *args)
