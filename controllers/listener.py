"""The dedicated listener: ``/mcp/v1`` on a port of its own, in a process of its own.

Why a process: Odoo's evented one loads no registry and is absent without workers, and a
worker is recycled and killed at its time limits, which would cut calls and streams.
Why threads over the standard library's server: measured over keep-alive, a call costs
0.42 of Odoo's ``/web/health`` so, 0.59 with uvicorn; gevent's pywsgi would need every
library patched, psycopg2 first, in a process that runs the ORM; and werkzeug's server
closes each connection after one answer.
"""

import contextlib
import io
import logging
import socket
import threading
import time
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn

from werkzeug.datastructures import Headers
from werkzeug.serving import DechunkedInput

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

from ..models.registrar import Registrar
from .door import MOST_BYTES, PROXY_HEADERS, make_guard, not_whole, too_large
from .exchange import HttpRequest, HttpResponse
from .health import health
from .metrics import metrics
from .protocol import Protocol
from .rpc import RpcError
from .stream import EventStream
from .subscriptions import Hub
from .transport import respond

_logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 1000
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


class Listener(ThreadingMixIn, TCPServer):
    """Serves one database.

    :raise OSError: nobody can listen at this host and port
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, database: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.database = database
        self.hub = Hub(self._registrar)
        self.places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        # a call has one cursor at a time, those that look after calls and streams one
        # each; the pool must not run dry
        self.calls = threading.BoundedSemaphore(max(1, config["db_maxconn"] - 3))
        super().__init__((host, port), Handler)

    def process_request(self, request, client_address) -> None:
        if not self.places.acquire(blocking=False):
            _logger.warning("%s connections are open: one is refused", MOST_CONNECTIONS)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    # pylint: disable=missing-return
    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request, client_address) -> None:
        _logger.warning("a connection of %s failed", client_address, exc_info=True)

    def answer(self, path: str, request: HttpRequest) -> HttpResponse:
        """Answer a request for ``path``; there is nothing here but ``/mcp/v1…``."""
        path = path.partition("?")[0]
        if path == "/mcp/v1/health":
            return health(self._environment, request)
        how = {
            "/mcp/v1": Protocol.handle,
            "/mcp/v1/capabilities": Protocol.capabilities,
            "/mcp/v1/metrics": metrics,
        }
        if path not in how:
            raise RpcError(-32600, "There is nothing here but /mcp/v1.", status=404)
        with self.calls:
            registrar = self._registrar()
            with self._environment() as env:
                guard = make_guard(env)
            return how[path](Protocol(registrar, guard), request)

    def _registrar(self) -> Registrar:
        return Registrar(Registry(self.database).check_signaling())

    @contextlib.contextmanager
    def _environment(self):
        with Registry(self.database).cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})
