"""One call to the registry: signed, to a checked address, and over in bounded time.

``http.client`` follows no redirect, asks no proxy of the environment, and leaves the
socket to us: a timer can close it, where a time-out for each read would let a registry
that sends a byte now and then go on for ever.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ..version import VERSION
from . import phone_home_address
from .phone_home_address import AddressError, Target

MOST_SECONDS = 10
CONNECT_SECONDS = 3
MOST_BYTES = 64 * 1024
"""Of an answer; what comes after is not read."""
SHOWN = 500
"""Characters of an answer that are shown."""
SIGNATURE = "X-Odoo-MCP-Signature"

REMEDIES = {
    401: "check the secret, here and there",
    403: "check the secret, here and there",
    404: "check the path of the URL",
    405: "check the path of the URL",
}


class CallError(Exception):
    """The registry was not told; the text says why, and what helps.

    :param status: of its answer; 0: there was none
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What a registry answered, if it agreed.

    :param text: the first :data:`SHOWN` characters
    """

    status: int
    milliseconds: int
    text: str

    def __str__(self) -> str:
        told = f"HTTP {self.status} in {self.milliseconds} ms"
        return f"{told}: {self.text}" if self.text else told


def signature(body: bytes, secret: str) -> str:
    """Return what the registry compares: HMAC-SHA256 (RFC 2104) of the whole body.

    >>> signature(b"{}", "hush")[:20]
    'sha256=505c20ac604f6'
    """
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def send(
    url: str, action: str, payload: dict, secret: str, seconds: float = MOST_SECONDS
) -> Answer:
    """POST ``payload`` to ``url/action``.

    :param action: ``register``, ``heartbeat`` or ``deregister``
    :param secret: what it is signed with; empty: not at all
    :param seconds: that all of it may take
    :raise CallError: the registry could not be reached, or did not agree
    """
    began = time.monotonic()
    try:
        target = phone_home_address.parse(url)
        addresses = phone_home_address.resolve(target, seconds)
    except AddressError as error:
        raise CallError(str(error)) from error
    connection = PinnedConnection(target, addresses, began + seconds)
    body = json.dumps(payload).encode()
    headers = _headers(target, body, secret)
    try:
        with connection.watched():
            connection.request("POST", f"{target.path}/{action}", body, headers)
            response = connection.getresponse()
            raw = response.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        late = connection.expired or isinstance(error, TimeoutError)
        reason = f"no whole answer within {seconds:g} s" if late else explain(error)
        raise CallError(f"{target.authority}: {reason}.") from error
    if connection.expired:
        raise CallError(f"{target.authority}: no whole answer within {seconds:g} s.")
    text = readable(raw)
    if not 200 <= response.status < 300:
        location = readable((response.getheader("Location") or "").encode())
        raise CallError(_disagreed(response.status, location, text), response.status)
    return Answer(response.status, round((time.monotonic() - began) * 1000), text)


def _headers(target: Target, body: bytes, secret: str) -> dict[str, str]:
    headers = {
        "Host": target.authority,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"odoo_dev_mcp/{VERSION}",
        "Connection": "close",
    }
    return headers | {SIGNATURE: signature(body, secret)} if secret else headers


class PinnedConnection(http.client.HTTPConnection):
    """A connection to addresses that were checked, verified against the host's name.

    :param deadline: when it is closed whatever happens (monotonic seconds)
    """

    def __init__(self, target: Target, addresses: list[str], deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.target = target
        self.addresses = addresses
        self.deadline = deadline
        self.expired = False
        # getresponse() lets go of self.sock before the body is read
        self._wire: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the first address that answers, and shake hands."""
        self.sock = self._reached()
        self.sock.settimeout(self._left())
        if self.target.tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(
                self.sock,
                server_hostname=self.target.host,
                do_handshake_on_connect=False,
            )
        self._wire = self.sock
        if self.expired:  # before there was anything to end
            raise TimeoutError
        if self.target.tls:
            self.sock.do_handshake()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """End what is done meanwhile at the deadline, and the connection after it."""
        timer = threading.Timer(self._left(), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._end()
            self.close()

    def _reached(self) -> socket.socket:
        for address in self.addresses:
            try:
                return socket.create_connection(
                    (address, self.target.port), min(CONNECT_SECONDS, self._left())
                )
            except OSError as error:
                problem = error
        raise problem

    def _left(self) -> float:
        return max(self.deadline - time.monotonic(), 0.01)

    def _expire(self) -> None:
        self.expired = True
        self._end()

    def _end(self) -> None:
        if self._wire:
            with contextlib.suppress(OSError):
                # not the TLS socket's own method, which would touch what is being read
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)


def explain(error: Exception) -> str:
    """Return what went wrong on the way, for who is to mend it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {error.verify_message}. Let the server's "
            "system trust who issued it, and let it name this host"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason or error}"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    # the first is one of the second
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer ended too early"
    if isinstance(error, http.client.HTTPException):
        return f"its answer is not HTTP ({type(error).__name__})"
    return str(error)


def _disagreed(status: int, location: str, text: str) -> str:
    if 300 <= status < 400:
        return (
            f"HTTP {status}: it redirects to {location or 'nowhere'}, which is not "
            "followed. Set the URL to where the registry is."
        )
    said = f": {text}" if text else ""
    remedy = f" ({REMEDIES[status]})" if status in REMEDIES else ""
    return f"HTTP {status}{remedy}{said}"


def readable(raw: bytes) -> str:
    """Return the start of an answer as a text without control characters.

    >>> readable(b"fine\\x00\\xff\\n")
    'fine \ufffd'
    """
    text = raw[: 4 * SHOWN].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()[:SHOWN]
