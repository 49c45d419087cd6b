"""A browser that is spoken to over two pipes.

DevTools protocol with ``--remote-debugging-pipe``: the browser reads from descriptor 3
and writes to 4, JSON that ends with NUL, so that no port is open.
https://chromedevtools.github.io/devtools-protocol/

Imported by :mod:`.browser_driver` with Python alone: it has nothing of Odoo.
"""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Sequence

SPARE = 3
"""Seconds after the deadline in which what there is may still be asked for."""


class Gone(Exception):
    """The browser has ended, does not answer in time, or says that it cannot."""


class DevTools:
    """One browser process, and what it says.

    :param argv: without the switch for the pipes
    :param deadline: by the monotonic clock
    """

    def __init__(self, argv: Sequence[str], deadline: float, env: dict) -> None:
        self.deadline = deadline
        self.session: str | None = None
        self._number = 0
        self._answers: dict[int, dict] = {}
        self._rest = b""
        self.process = self._start([*argv, "--remote-debugging-pipe"], env)

    def _start(self, argv: Sequence[str], env: dict) -> subprocess.Popen:
        from_us, to_it = os.pipe()
        from_it, to_us = os.pipe()
        self._read, self._write = (
            fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (from_it, to_it)
        )
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (from_us, to_us)]
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(3, 4),
                env=env,
                start_new_session=True,
            )
        finally:
            for end in {3, 4, *high, from_us, to_it, from_it, to_us}:
                with contextlib.suppress(OSError):
                    os.close(end)

    def ask(self, method: str, **params) -> dict:
        """Have the browser do something, and return its result.

        :raise Gone: it does not
        """
        number = self.tell(method, **params)
        while number not in self._answers:
            self.hear(self.deadline + SPARE)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Gone(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def tell(self, method: str, **params) -> int:
        """Have the browser do something, without waiting for it."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self._write, data) :]
        except OSError as error:
            raise Gone("The browser has ended.") from error
        return self._number

    def hear(self, until: float) -> None:
        """Take what the browser says next, or return at ``until``.

        :raise Gone: it has ended, or it is past the deadline
        """
        left = min(until, self.deadline + SPARE) - time.monotonic()
        if not select.select([self._read], [], [], max(0, left))[0]:
            if time.monotonic() >= self.deadline + SPARE:
                raise Gone("The browser does not answer in time.")
            return
        data = os.read(self._read, 1 << 20)
        if not data:
            raise Gone("The browser has ended.")
        *messages, self._rest = (self._rest + data).split(b"\0")
        for text in messages:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self.event(message["method"], message.get("params", {}))

    def event(self, name: str, params: dict) -> None:
        """Hear of an event."""
