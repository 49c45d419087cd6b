"""render's pages and browser when they are not as they should be."""

import contextlib
import http.server
import tempfile
import threading
import time
from pathlib import Path

from odoo.tests import BaseCase

from ..models import browser, command, page_session
from ..models.exceptions import Cancelled, ToolError
from ..models.live_call import LiveCall


class Pages(http.server.BaseHTTPRequestHandler):
    """Some pages that are not as they should be."""

    def do_GET(self):
        cookies = self.headers["Cookie"]
        if self.path == "/to":
            self.answer(b"", 302, {"Location": "/at?a=b#c", "Set-Cookie": "lang=nl"})
        elif self.path == "/cut":
            self.answer(b"%PDF", headers={"Content-Length": "100"})
        elif self.path == "/long":
            self.answer(b"%" * (page_session.MOST_BYTES + 1))
        elif self.path == "/most":
            self.answer(b"%" * page_session.MOST_BYTES)
        elif self.path == "/slow":
            self.answer(b"%")
            for _moment in range(50):
                time.sleep(0.1)
                self.wfile.write(b"%")
        else:
            self.answer(f"{self.path} {cookies}".encode())

    def answer(self, body, status=200, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        with contextlib.suppress(ConnectionError):
            return super().handle()

    def log_message(self, *_args):
        """Say nothing."""


class TestPages(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        cls.addClassCleanup(server.server_close)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(server.shutdown)
        cls.base = f"http://127.0.0.1:{server.server_port}"

    def get(self, path, timeout=5, call=None):
        return page_session.get(self.base, path, "sid", timeout, call or LiveCall())

    def test_a_redirect_is_followed_with_its_cookies(self):
        page = self.get("/to")
        self.assertEqual((page.status, page.path), (200, "/at?a=b"))
        self.assertEqual(page.data, b"/at?a=b lang=nl; session_id=sid")

    def test_an_answer_is_handed_over_whole_or_refused(self):
        self.assertEqual(len(self.get("/most").data), page_session.MOST_BYTES)
        with self.assertRaisesRegex(ToolError, "fewer records"):
            self.get("/long")
        with self.assertRaisesRegex(ToolError, "IncompleteRead"):
            self.get("/cut")

    def test_an_answer_that_comes_bit_by_bit_ends_in_time(self):
        begun = time.monotonic()
        with self.assertRaisesRegex(ToolError, "not answered in 0.5 s"):
            self.get("/slow", 0.5)
        self.assertLess(time.monotonic() - begun, 3)

    def test_a_call_that_is_stopped_ends_at_once(self):
        call, begun = LiveCall(), time.monotonic()
        threading.Timer(0.3, call.cancel, [Cancelled("stopped")]).start()
        with self.assertRaisesRegex(Cancelled, "stopped"):
            self.get("/slow", call=call)
        self.assertLess(time.monotonic() - begun, 3)

    def test_a_driver_that_has_died_is_told_with_what_it_said(self):
        ended = command.Ended(1, "", "KeyError: 'data'")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "result.json").write_text("{}")
            with self.assertRaisesRegex(ToolError, "KeyError"):
                browser._result(folder, ended, 1)
