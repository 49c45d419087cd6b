"""What is left when a bad day is over: an entry for each call, an end for each entry,
and nothing that still runs, holds a lock, or is half."""

import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.processes import processes
from dev.tests.waiting import eventually

CLOSE_LOST = "action = env['mcp.audit.log']._close_lost()"
LISTENER_LOCK = 0x6D63706C
GATE_LOCK = 0x6D637067
"""What the server's own transactions hold while they last: see ``models/gate.py``."""
HELD = f"""
SELECT a.pid, l.locktype, l.relation::regclass::text, l.mode, a.state, a.query
  FROM pg_stat_activity a JOIN pg_locks l USING (pid)
 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
   AND a.backend_type = 'client backend'
   AND NOT (locktype = 'advisory' AND classid::bigint = {LISTENER_LOCK})
"""
"""A transaction that is idle holds at least its own virtual one."""

HALF_FILE = re.compile(r"\..+\.[0-9a-f]{8}")
"""The name that a file has until it is whole."""

LINE = re.compile(
    r"\[[0-9TZ:-]{20}\] DB=\S+ USER=\d+ TOOL=\S+ (ARGS|CMD)=\"(\\.|[^\"\\])*\""
    r"( ROWS=\d+)?( EXIT_CODE=-?\d+)?( STATUS=\w+)? DURATION=\d+ms"
)
UNAVAILABLE = {404, 500, 502, 503}
"""With which Odoo's port and ours say that they cannot, and have not."""


class Witness:
    """Calls tools with a key of its own, and remembers what came of each call.

    :param door: addresses of the doors that must be open in the end
    """

    def __init__(self, server: OdooServer, *doors: str) -> None:
        self.server = server
        self.backend = Backend(server)
        self.key = self.backend.key("admin")
        self.doors = doors or (server.url,)
        self.numbers = itertools.count(1)
        self.answered: dict[str, dict[str, Any]] = {}
        self.unanswered: dict[str, str] = {}

    def call(self, url: str, tool: str, /, **arguments: Any) -> dict[str, Any] | None:
        """Result of a call; None: it was not answered, or refused by who cannot."""
        number = next(self.numbers)
        with McpClient(url, self.key) as client:
            client._ids = iter([number])
            params = {"name": tool, "arguments": arguments}
            try:
                answer = client.call("tools/call", params)
            except requests.RequestException as error:
                self.unanswered[str(number)] = f"{tool}: {error}"
                return None
        if answer.status in UNAVAILABLE:
            told = f"{tool}: {answer.status} {answer.response.text[:300]}"
            self.unanswered[str(number)] = told
            return None
        self.answered[str(number)] = {"tool": tool, **answer.result}
        return answer.result

    def lost(self, tool: str) -> None:
        """Expect the last call of a tool, which was answered with a job, to be lost."""
        number = [n for n, row in self.answered.items() if row["tool"] == tool][-1]
        assert "job_id" in self.answered[number]["structuredContent"]
        self.unanswered[number] = str(self.answered.pop(number))

    def failures(self) -> list[str]:
        """What the answers say that are errors."""
        return [
            f"{row['tool']}: {row['content'][0]['text']}"
            for row in self.answered.values()
            if row.get("isError")
        ]

    @contextmanager
    def storm(
        self, *urls: str, mix: Sequence[tuple[str, dict[str, Any]]], clients: int = 8
    ) -> Iterator[None]:
        """Have clients call at these doors, one after the other, all the while."""
        over = threading.Event()
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for turn in itertools.count(number):
                    if over.is_set():
                        return
                    tool, arguments = mix[turn % len(mix)]
                    self.call(urls[number % len(urls)], tool, **arguments)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert not failed, failed

    def require_peace(
        self,
        mark: str = "",
        *,
        folder: Path | None = None,
        file: Path | None = None,
        forgotten: Sequence[str] = (),
    ) -> None:
        """Fail unless the day has left nothing behind.

        :param mark: in the command lines of what the calls have started
        :param folder: where they have written
        :param file: the audit file
        :param forgotten: tools whose entries may be gone, or without their true end
        """
        eventually(lambda: all(map(self._is_open, self.doors)), "the doors are open")
        self.backend.run(CLOSE_LOST)
        eventually(lambda: not self._open(), f"each entry has its end: {self._open()}")
        self._require_entries(forgotten)
        eventually(
            lambda: not (mark and processes(mark)) and not self._orphans(),
            f"nothing runs: {self._orphans()}",
        )
        eventually(lambda: not self._held(), f"no lock is held: {self._held()}")
        if folder:
            assert not [*filter(HALF_FILE.fullmatch, _names(folder))]
        if file and file.exists():
            text = file.read_text("ascii")
            assert text.endswith("\n")
            assert not [line for line in text.splitlines() if not LINE.fullmatch(line)]

    def _is_open(self, url: str) -> bool:
        result = self.call(url, "query_database", query="SELECT 7 AS n")
        return bool(result) and not result.get("isError")

    def _entries(self) -> list[dict[str, Any]]:
        return self.backend.entries(self.key)

    def _open(self) -> list[dict[str, Any]]:
        return [row for row in self._entries() if row["status"] == "open"]

    def _require_entries(self, forgotten: Sequence[str]) -> None:
        """Each call that was answered has its entry, and no call has two; of one that
        was not, the entry says so."""
        entries = {row["request_id"]: row for row in self._entries()}
        counted = Counter(row["request_id"] for row in self._entries())
        assert not [number for number, times in counted.items() if times > 1]
        assert not set(entries) - set(self.answered) - set(self.unanswered)
        for number, row in self.answered.items():
            if row["tool"] in forgotten:
                continue
            assert number in entries, row
            succeeded = entries[number]["status"] == "success"
            assert succeeded is not row.get("isError", False), (row, entries[number])

    def _orphans(self) -> list[str]:
        """The processes of this server that are none of it any more."""
        marks = (str(self.server.config_path), f"--database {self.server.database} ")
        found = []
        for process in psutil.process_iter(["cmdline", "ppid", "status"]):
            command = " ".join(process.info["cmdline"] or ())
            alive = process.info["status"] != psutil.STATUS_ZOMBIE
            if alive and any(mark in f"{command} " for mark in marks):
                own = process.pid == self.server.pid
                worker = self.server.workers and process.info["ppid"] == self.server.pid
                if not (own or worker or _listens(process)):
                    found.append(f"{process.pid} {process.info['ppid']} {command}")
        return found

    def _held(self) -> list[dict[str, Any]]:
        return self.backend.rows(HELD)


def _listens(process: psutil.Process) -> bool:
    try:
        sockets = process.net_connections("tcp")
    except psutil.Error:
        return True
    return any(found.status == psutil.CONN_LISTEN for found in sockets)


def _names(folder: Path) -> Iterable[str]:
    return (path.name for path in folder.rglob("*"))
