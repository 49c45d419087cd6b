"""One connection to the dedicated listener: HTTP/1.1 in, HTTP/1.1 out, kept alive."""

import contextlib
import io
import logging
import socket
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from . import http1
from .door import PROXY_HEADERS
from .exchange import HttpRequest, HttpResponse
from .rpc import RpcError
from .stream import EventStream
from .transport import as_fault, respond

if TYPE_CHECKING:
    from .listener import Listener

_logger = logging.getLogger(__name__)

IDLE_SECONDS = 75
"""A connection may be silent between two requests for that long."""

REQUEST_SECONDS = 30
"""From its first byte on, a request must have arrived whole in that time."""


LINGER_SECONDS = 2
"""What a client still sends after the last answer is read away for that long."""


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
        with contextlib.suppress(OSError):
            super().finish()
            self._linger()

    def _linger(self) -> None:
        """Let the client read the last answer before the connection is gone.

        What arrives at a socket that is closed resets the connection, and the answer
        with it. RFC 9112 section 9.6.
        """
        self.connection.shutdown(socket.SHUT_WR)
        end = time.monotonic() + LINGER_SECONDS
        while (left := end - time.monotonic()) > 0:
            self.connection.settimeout(left)
            if not self.connection.recv(64 * 1024):
                return

    def handle_one_request(self) -> None:
        self.deadline.next_request()
        self.close_connection = True
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._handle_one()

    def _handle_one(self) -> None:
        """Read a request and answer it, whatever its method: the protocol decides."""
        # what the standard library's half of an answer looks at
        self.command, self.requestline = "", ""
        self.request_version = self.protocol_version
        try:
            head = http1.read_head(self.rfile)
        except RpcError as fault:
            self._send(respond(None, fault))
            return
        if head is None:
            return
        self.command, self.request_version = head.method, head.version
        self.requestline = f"{head.method} {head.target}"
        self.close_connection = not head.keeps
        if head.awaits_continue:
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
            self.wfile.flush()
        self.answer(head)

    def answer(self, head: http1.Head) -> None:
        """Answer one request."""
        stream = EventStream(self._start_stream, self.connection, "listener")
        try:
            request = self._request(head, stream)
            response = self.server.answer(head.target, request)
            if response.stays:
                self.server.hub.follow(response.stays, stream)
        except Exception as error:
            # what is left of the body cannot be told from a next request
            self.close_connection = True
            response = respond(None, as_fault(error))
        if stream.opened:
            self._end_stream(stream, response)
        else:
            self._send(response)
        for act in response.afterwards:
            act()

    def _request(self, head: http1.Head, stream: EventStream) -> HttpRequest:
        return HttpRequest(
            method=head.method,
            headers=head.headers,
            body=http1.read_body(head, self.rfile),
            address=self.client_address[0],
            forwarded=any(
                name.title() in PROXY_HEADERS for name, _value in head.headers
            ),
            query=head.target.partition("?")[2],
            stream=stream,
            hub=self.server.hub,
        )

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
