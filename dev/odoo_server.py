"""A running Odoo that the harness started, and ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from dev import console
from dev.console import HarnessError
from dev.odoo_instance import OdooInstance, port_is_free

START_SECONDS = 120
STOP_SECONDS = 20
POLL_SECONDS = 0.1
HEALTH_PATH = "/web/health"


class OdooServer(OdooInstance):
    """Odoo as a process of its own; a context manager that starts and stops it."""

    process: subprocess.Popen[bytes] | None = None

    prefix: tuple[str, ...] = ()
    """Command that executes Odoo, e.g. with fewer privileges."""

    @property
    def pid(self) -> int:
        """Process id: the threaded server, or the master of the workers."""
        if self.process is None:
            raise HarnessError(f"Odoo on {self.database} was not started")
        return self.process.pid

    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self, timeout: float = START_SECONDS) -> "OdooServer":
        """Start, and return when it answers: its registry is then loaded.

        :raise HarnessError: the port is taken, or Odoo ended or stayed silent.
        """
        self.launch()
        try:
            self.wait_ready(timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def launch(self) -> None:
        """Start without waiting, for a caller who has something to do meanwhile."""
        require_port(self.port)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*_ended_with_parent(), *self.prefix, *self.argv()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.stack.variables(),
                cwd=self.folder,
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait for an answer; with a database named, that needs its registry."""
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self.running():
                raise HarnessError(f"Odoo {self.series} ended: {self._reason()}")
            if time.monotonic() > deadline:
                raise HarnessError(
                    f"Odoo {self.series} does not answer on {self.url} after "
                    f"{timeout:.0f} s: {self._reason()}"
                )
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it as an administrator would, and its group if it does not obey."""
        if self.process is None:
            return
        if self.running():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.end()

    def end(self) -> None:
        """End it and its group at once, where nobody asks how it ends.

        A worker takes up to 4 s to notice that it is to stop.
        """
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill(self) -> None:
        """kill -9 the process alone, as a crash does; its children are on their own."""
        os.kill(self.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def log(self) -> str:
        """What it has said until now."""
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> "OdooServer":
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        # A proxy of the environment is never asked for a loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.url + HEALTH_PATH, timeout=30) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _reason(self) -> str:
        return f"{console.log_reason(self.log())} (see {self.log_path})"


def require_port(port: int) -> None:
    """Refuse a port that somebody else holds, before anything long is begun."""
    if not port_is_free(port):
        raise HarnessError(
            f"port {port} is taken: stop what listens there, "
            f"or choose another, e.g. PORT={port + 1}"
        )


def _ended_with_parent() -> list[str]:
    """Prefix that ends Odoo with a harness that was killed, where there is setpriv."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []
