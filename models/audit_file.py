"""The audit as a file: one line a call, in the format of 1.0."""

import errno
import functools
import json
import logging
import os
import re
import socket
from pathlib import Path

from odoo.tools import config

from .odoo_process import start_ticks

_logger = logging.getLogger(__name__)


@functools.cache
def _process(pid: int) -> str:
    return f"{socket.gethostname()} {pid} {_started(pid)}"


def _started(pid: int) -> str:
    """Return in which life of the machine a process was started, and when in it.

    Not the time of day: it moves when the clock is set, and a process that lives would
    seem to be another. proc(5), random(4)
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return f"{start_ticks(pid)}.{boot[:8]}"


def this_process() -> str:
    """Return host, pid and start: no two processes share it."""
    return _process(os.getpid())


def vanished(process: str) -> bool:
    """Tell whether ``process``, as :func:`this_process` wrote it, is gone.

    Of another host nothing can be said: its own server closes its entries.
    """
    host, pid, started = process.rsplit(" ", 2)
    return host == socket.gethostname() and _started(int(pid)) != started


class AuditFile:
    """An append-only file that many processes write lines to.

    :param path: absolute path; where it cannot be written, the file goes to Odoo's
        data directory, with one warning
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def append(self, database: str, row: dict) -> None:
        """Add the line of a closed audit entry.

        A file that cannot be written stops nothing: the entry itself is committed.
        """
        line = format_line(database, row).encode("ascii")
        try:
            _append(writable(self.path), line)
        except OSError as error:
            writable.cache_clear()
            _logger.error("the audit file lost a line: %s", error)


def _append(path: str, line: bytes) -> None:
    # one write to a file opened with O_APPEND: lines of processes do not mix
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        written = os.write(descriptor, line)
        if written < len(line):
            _take_back(descriptor, written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    finally:
        os.close(descriptor)


def _take_back(descriptor: int, written: int) -> None:
    """Cut off the part of a line that the disk had room for, or the next line would be
    glued to it; unless somebody has written behind it."""
    end = os.lseek(descriptor, 0, os.SEEK_CUR)
    if os.fstat(descriptor).st_size == end:
        os.ftruncate(descriptor, end - written)


@functools.cache
def writable(path: str) -> str:
    """Return ``path``, or its stand-in in the data directory if it can't be written."""
    try:
        _append(path, b"")
        return path
    except OSError as error:
        fallback = str(Path(config["data_dir"]) / "mcp_audit.log")
        _logger.warning("audit file: %s; writing %s instead", error, fallback)
        return fallback


def format_line(database: str, row: dict) -> str:
    r"""Return the line of an entry. No value can end it or start another.

    >>> import datetime
    >>> row = {
    ...     "create_date": datetime.datetime(2026, 2, 16, 10, 5, 30), "user_id": 2,
    ...     "tool": "execute_command", "status": "success", "exit_code": "0",
    ...     "arguments": '{"command": "systemctl restart odoo"}',
    ...     "row_count": None, "duration_ms": 1200}
    >>> print(format_line("production", row), end="")  # doctest: +ELLIPSIS
    [2026-02-16T10:05:30Z] DB=production USER=2 TOOL=execute_command CMD="systemctl ...
    """
    arguments = json.loads(row["arguments"] or "{}")
    if row["tool"] == "execute_command" and set(arguments) == {"command"}:
        said = f"CMD={quote(arguments['command'])}"
    else:
        said = f"ARGS={quote(json.dumps(arguments, separators=(',', ':')))}"
    parts = [
        f"[{row['create_date']:%Y-%m-%dT%H:%M:%SZ}]",
        f"DB={word(database)}",
        f"USER={row['user_id']}",
        f"TOOL={word(row['tool'])}",
        said,
        f"ROWS={row['row_count']}" if row["row_count"] is not None else "",
        f"EXIT_CODE={row['exit_code']}" if row["exit_code"] is not None else "",
        f"STATUS={row['status']}" if row["status"] != "success" else "",
        f"DURATION={row['duration_ms']}ms",
    ]
    return " ".join(filter(None, parts)) + "\n"


def quote(text: str) -> str:
    r"""Return ``text`` as an ASCII JSON string: quotes, newlines, and all that could
    deceive a terminal or a reader are escaped.

    >>> print(quote('a"b\n\u202e'))
    "a\"b\n\u202e"
    """
    return json.dumps(text)[:-1].replace("\x7f", "\\u007f") + '"'


def word(text: str) -> str:
    """Return ``text`` bare if it is a plain word, else quoted.

    >>> word("shop_18.0"), word("a b")
    ('shop_18.0', '"a b"')
    """
    return text if re.fullmatch(r"[A-Za-z0-9_.-]+", text) else quote(text)
