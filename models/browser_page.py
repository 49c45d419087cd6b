"""A page in headless Chromium: what it asks for, logs, and when it is complete.

Imported by :mod:`.browser_driver` with Python alone: it has nothing of Odoo.
"""

import base64
import os
import time
from urllib.parse import urlsplit

from devtools import SPARE, DevTools, Gone
from page_requests import answered_here, is_own

QUIET = 0.7
"""Seconds without a request under way, after which a page counts as complete."""

WORKER = "/bus/websocket_worker"
"""The script of Odoo's shared worker, to which alone the end of its request is told."""

LONGEST_WAIT = 30
"""Seconds that are waited for it; what asks again and again never becomes quiet."""

MOST_LINES = 40
LONGEST_LINE = 500

SWITCHES = (
    *("--headless=new", "--disable-gpu", "--mute-audio"),
    *("--no-first-run", "--no-default-browser-check", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-breakpad", "--disable-crash-reporter"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--no-proxy-server"),
)


class Page(DevTools):
    """A browser with one page.

    :param task: see :mod:`.browser`
    :param folder: for its profile and all else that it writes
    """

    def __init__(self, task: dict, folder: str) -> None:
        self.task = task
        self.host = urlsplit(task["origin"]).netloc
        self.worker = task["origin"] + WORKER
        self.under_way: set[str] = set()
        self.busy = time.monotonic()
        self.loaded = False
        self.status: int | None = None
        self.console: list[str] = []
        self.kept_back: list[str] = []
        own = ["--no-sandbox"] if os.geteuid() == 0 else []
        only = f"MAP * ~NOTFOUND, EXCLUDE {urlsplit(task['origin']).hostname}"
        argv = [
            task["program"],
            *(*SWITCHES, *own, f"--host-resolver-rules={only}"),
            *(f"--user-data-dir={folder}/profile", "about:blank"),
        ]
        deadline = time.monotonic() + task["seconds"] - 2 * SPARE
        super().__init__(
            argv, deadline, {**os.environ, "HOME": folder, "TMPDIR": folder}
        )

    def event(self, name: str, params: dict) -> None:
        """Heed an event that concerns the page."""
        if heed := HEEDED.get(name):
            heed(self, params)

    def _began(self, params: dict) -> None:
        if not params["request"]["url"].startswith(self.worker):
            self.under_way.add(params["requestId"])
        self.busy = time.monotonic()

    def _ended(self, params: dict) -> None:
        self.under_way.discard(params["requestId"])
        self.busy = time.monotonic()

    def _answered(self, params: dict) -> None:
        if params.get("type") == "Document" and self.status is None:
            self.status = params["response"]["status"]

    def _loaded(self, _params: dict) -> None:
        self.loaded = True
        self.busy = time.monotonic()

    def _dialog(self, params: dict) -> None:
        self._line(f"dialog: {params.get('message', '')}")
        self.tell("Page.handleJavaScriptDialog", accept=False)

    def _request(self, params: dict) -> None:
        number, request = params["requestId"], params["request"]
        html = self.task.get("html")
        if not is_own(request["url"], self.host):
            self.kept_back.append(request["url"][:LONGEST_LINE])
            self.tell("Fetch.failRequest", requestId=number, errorReason="AccessDenied")
        elif answer := answered_here(request):
            self.kept_back.append(answer.told)
            self._answer(number, "application/json", answer.body)
        elif html and request["url"] == self.task["origin"] + self.task["path"]:
            self._answer(number, "text/html; charset=utf-8", html.encode())
        else:
            self.tell("Fetch.continueRequest", requestId=number)

    def _answer(self, number: str, content_type: str, body: bytes) -> None:
        """Answer a request in place of the server."""
        self.tell(
            "Fetch.fulfillRequest",
            requestId=number,
            responseCode=200,
            responseHeaders=[{"name": "Content-Type", "value": content_type}],
            body=base64.b64encode(body).decode(),
        )

    def _logged(self, params: dict) -> None:
        if params["type"] in ("error", "warning", "assert"):
            said = [
                str(a.get("value", a.get("description", ""))) for a in params["args"]
            ]
            self._line(f"{params['type']}: {' '.join(said)}")

    def _thrown(self, params: dict) -> None:
        details = params["exceptionDetails"]
        thrown = details.get("exception", {}).get("description") or details["text"]
        self._line(f"exception: {thrown}")

    def _entry(self, params: dict) -> None:
        entry = params["entry"]
        # a page without an icon is asked for one
        asked_for = not entry.get("url", "").endswith("/favicon.ico")
        if asked_for and entry["level"] in ("error", "warning"):
            self._line(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")

    def _line(self, text: str) -> None:
        if len(self.console) < MOST_LINES and text[:LONGEST_LINE] not in self.console:
            self.console.append(text[:LONGEST_LINE])

    def settle(self) -> None:
        """Wait until the page is complete, as far as can be seen from outside."""
        end = min(self.deadline, time.monotonic() + LONGEST_WAIT)
        self.busy = time.monotonic()
        while (now := time.monotonic()) < end:
            quiet = self.busy + QUIET
            if self.loaded and not self.under_way and now >= quiet:
                return
            self.hear(min(end, quiet if quiet > now else now + QUIET))

    def evaluate(self, expression: str):
        """Return what a JavaScript expression or promise comes to.

        :raise Gone: it fails
        """
        found = self.ask(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise Gone(details.get("exception", {}).get("description", details["text"]))
        return found["result"].get("value")


HEEDED = {
    "Network.requestWillBeSent": Page._began,
    "Network.loadingFinished": Page._ended,
    "Network.loadingFailed": Page._ended,
    "Network.responseReceived": Page._answered,
    "Page.loadEventFired": Page._loaded,
    "Page.javascriptDialogOpening": Page._dialog,
    "Fetch.requestPaused": Page._request,
    "Runtime.consoleAPICalled": Page._logged,
    "Runtime.exceptionThrown": Page._thrown,
    "Log.entryAdded": Page._entry,
}
