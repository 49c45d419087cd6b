"""The dedicated listener: ``/mcp/v1`` on a port of its own, in a process of its own.

Why a process: Odoo's evented one loads no registry and is absent without workers, and a
worker is recycled and killed at its time limits, which would cut calls and streams.
Why threads over the standard library's server: measured over keep-alive, a call costs
0.42 of Odoo's ``/web/health`` so, 0.59 with uvicorn; gevent's pywsgi would need every
library patched, psycopg2 first, in a process that runs the ORM; and werkzeug's server
closes each connection after one answer.
"""

import contextlib
import logging
import socket
import threading
from socketserver import TCPServer, ThreadingMixIn

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

from ..models.exceptions import Behind
from ..models.registrar import Registrar
from .connection import Handler
from .door import make_guard
from .exchange import HttpRequest, HttpResponse
from .health import health
from .hub import Hub
from .metrics import metrics
from .protocol import Protocol
from .rpc import RpcError

_logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 1000


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
        # a call has one connection at a time, of Odoo's pool or a kept one: together no
        # more than an Odoo process may have, less what looks after calls and streams
        self.calls = threading.BoundedSemaphore(max(1, config["db_maxconn"] // 2 - 2))
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
            try:
                return self._answer(how[path], request)
            except Behind:
                # what others have changed is known now; nothing has been done yet
                return self._answer(how[path], request, following=False)

    def _answer(
        self, how, request: HttpRequest, *, following: bool = True
    ) -> HttpResponse:
        registrar = Registrar(Registry(self.database))
        with registrar.following() if following else registrar.kept():
            with registrar.statements() as env:
                guard = make_guard(env)
            return how(Protocol(registrar, guard), request)

    def _registrar(self) -> Registrar:
        """Return a registrar that knows of all that is committed."""
        registrar = Registrar(Registry(self.database))
        with contextlib.suppress(Behind), registrar.following():
            pass
        return registrar

    @contextlib.contextmanager
    def _environment(self):
        with Registry(self.database).cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})
