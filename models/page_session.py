"""This Odoo's own pages as one of its users gets them, for one look."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from odoo import http
from odoo.service import security

from . import server_config
from .exceptions import ToolError
from .live_call import LiveCall

ANY = ("", "0.0.0.0", "::", "*")
MOST_BYTES = 5_000_000
MOST_REDIRECTS = 5
PIECE = 65536

IN_A_PATH = "/?&=#%:;,@!$'()*+~[]-._"
"""What a path may have beside letters and digits; a browser would read other
characters as something else."""

LOOK = "mcp_look"
"""In a session: a tool has made it, to show a page and nothing else."""


class Page(NamedTuple):
    """What the server has answered."""

    status: int
    path: str
    content_type: str
    data: bytes


def origin(database: str) -> str:
    """Return where Odoo's HTTP server is reached from this machine.

    :raise ToolError: it has none, or it does not open the database there
    """
    options = server_config.options()
    if options.get("http_enable") is False:
        raise ToolError("This Odoo runs without its HTTP server (--no-http).")
    host = options.get("http_interface") or ""
    host = "127.0.0.1" if host in ANY else host
    host = f"[{host}]" if ":" in host else host
    if not opens(options, database, host):
        raise ToolError(
            f"Odoo does not open {database} at {host}, where its pages are looked at: "
            f"db_name is {options.get('db_name')!r}, dbfilter "
            f"{options.get('dbfilter')!r}. Let them match there too, e.g. dbfilter = "
            f"^(%d|{database})$; a template with format html needs no server."
        )
    return f"http://{host}:{options.get('http_port') or 8069}"


def opens(options: dict, database: str, host: str) -> bool:
    """Tell what Odoo's ``http.db_filter`` says, which knows the options of its own
    process alone: those of the listener are not the server's."""
    if options.get("dbfilter"):
        host = host.partition(":")[0].removeprefix("www.")
        pattern = options["dbfilter"].replace("%h", re.escape(host))
        pattern = pattern.replace("%d", re.escape(host.partition(".")[0]))
        return bool(re.match(pattern, database))
    names = options.get("db_name") or [database]
    names = names.split(",") if isinstance(names, str) else names
    return database in [name.strip() for name in names]


@contextlib.contextmanager
def session_of(user) -> Iterator[str]:
    """Give the id of a session of a user, which ends here.

    It is one as Odoo's ``HttpCase.authenticate`` and its own PDF engine make it: no
    trace of a device is written for it.

    :param user: a ``res.users`` record
    """
    env = user.with_user(user).env
    store = http.root.session_store
    session = store.new()
    session.update(http.get_default_session(), db=env.cr.dbname, _trace_disable=True)
    session.update(uid=user.id, login=user.login, context=dict(user.context_get()))
    session[LOOK] = True
    session.session_token = security.compute_session_token(session, env)
    store.save(session)
    try:
        yield session.sid
    finally:
        store.delete(session)


def is_look(session) -> bool:
    """Tell whether a session is one of :func:`session_of`: what asks with it reads."""
    return bool(session.get(LOOK))


def get(base: str, path: str, sid: str, timeout: float, call: LiveCall) -> Page:
    """Return what the server answers to a GET, after redirects on itself.

    :param base: see :func:`origin`; nothing else is asked
    :param timeout: seconds that all of it may take
    :raise ToolError: it does not answer, or not in time, or more than is handed over
    :raise Cancelled: the call was stopped
    """
    client = Client(urlsplit(base).netloc, sid, timeout)
    with contextlib.closing(client), call.stopping(client.close):
        try:
            for _redirect in range(MOST_REDIRECTS):
                answer = client.get(path)
                url = base + path
                target = urljoin(url, answer.headers.get("Location", url))
                if answer.status // 100 != 3 or not target.startswith(f"{base}/"):
                    break
                path = target.removeprefix(base)
            data = client.body_of(answer)
        except TimeoutError as error:
            raise ToolError(f"{path} was not answered in {timeout:g} s.") from error
        except (OSError, HTTPException) as error:
            call.check()
            raise ToolError(
                f"{base} does not answer ({type(error).__name__}); it is what "
                "http_interface and http_port of the configuration say."
            ) from error
    if len(data) > MOST_BYTES:
        raise ToolError(
            f"The answer to {path} has more than {MOST_BYTES} bytes, which is the most "
            "that is handed over: render fewer records, or less of the page."
        )
    kind = answer.headers.get("Content-Type", "")
    return Page(answer.status, path.partition("#")[0], kind, data)


class Client:
    """Asks one server as a browser with its cookies, until it is closed.

    ``requests`` counts its timeout anew with each redirect and each piece of a body,
    and no other thread can end it.

    :param timeout: seconds that all of it may take
    """

    def __init__(self, host: str, sid: str, timeout: float) -> None:
        self.host = host
        self.cookies = SimpleCookie({"session_id": sid})
        self.end = time.monotonic() + timeout
        self._socket: socket.socket | None = None
        self._closed = False

    def close(self) -> None:
        """End what is under way, from whatever thread."""
        self._closed = True
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def get(self, path: str) -> HTTPResponse:
        """Ask for a path, and return the answer, which is still to be read."""
        connection = HTTPConnection(self.host, timeout=self._time_left())
        connection.connect()
        self._socket = connection.sock
        self._socket.settimeout(self._time_left())
        cookies = self.cookies.output(attrs=[], header="", sep=";").strip()
        connection.request(
            "GET",
            quote(path.partition("#")[0], safe=IN_A_PATH),
            headers={"Cookie": cookies, "Connection": "close"},
        )
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            with contextlib.suppress(CookieError):
                self.cookies.load(cookie)
        return answer

    def body_of(self, answer: HTTPResponse) -> bytes:
        """Return the body, or what is more than is handed over."""
        data, whole = bytearray(), answer.length
        while len(data) <= MOST_BYTES and not answer.isclosed():
            self._socket.settimeout(self._time_left())
            piece = answer.read1(PIECE)
            data += piece
            if not piece or len(data) == whole:
                break
        self._time_left()
        if whole and len(data) < min(whole, MOST_BYTES):
            raise IncompleteRead(bytes(data), whole - len(data))
        return bytes(data)

    def _time_left(self) -> float:
        if self._closed:
            raise ConnectionAbortedError
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
