"""Log files read from their end, cut into records: a line and what belongs to it.

A traceback stays with the line that it explains, so that a filter keeps or drops both.
"""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# How Odoo, PostgreSQL and nginx begin a line.
BEGINNING = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d|\[\d{4}-|\d+\.\d+\.\d+\."
)
LEVEL = re.compile(
    r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL|LOG|NOTICE|FATAL|PANIC)\b"
    r"|\[(debug|info|notice|warn|error|crit|alert|emerg)\]"
)
SAME = {
    "LOG": "INFO",
    "NOTICE": "INFO",
    "FATAL": "CRITICAL",
    "PANIC": "CRITICAL",
    "WARN": "WARNING",
    "CRIT": "CRITICAL",
    "ALERT": "CRITICAL",
    "EMERG": "CRITICAL",
}
BLOCK = 256 * 1024
LONGEST_RECORD = 1024 * 1024
MOST_READ = 64 * 1024 * 1024
"""Bytes that are searched from the end on, at most."""


class Record(NamedTuple):
    """A log line with the lines that belong to it."""

    lines: tuple[str, ...]

    @property
    def level(self) -> int:
        """Its severity, as an index of LEVELS; INFO where it says none.

        >>> Record(("2026-01-02 03:04:05,678 7 ERROR db odoo.http: no",)).level
        3
        """
        found = LEVEL.search(self.lines[0][:200])
        name = (found[1] or found[2]).upper() if found else "INFO"
        return LEVELS.index(SAME.get(name, name))


def records(lines: list[str]) -> list[Record]:
    """Cut lines into records; lines before the first beginning are one of their own.

    >>> lines = ["2026-01-02 03:04:05 a", "  traceback", "[2026-01-02 03:04:06Z] b"]
    >>> [len(record.lines) for record in records(lines)]
    [2, 1]
    """
    found: list[list[str]] = []
    for line in lines:
        if found and not BEGINNING.match(line):
            found[-1].append(line)
        else:
            found.append([line])
    return [Record(tuple(lines)) for lines in found]


def backwards(
    descriptor: int, first: int = 0, end: int | None = None
) -> Iterator[list[Record]]:
    """Yield the records of a file in pieces, the last piece first.

    A record is never cut: what a piece begins with in its middle waits for the next.

    :param first: offset that nothing before is read of
    :param end: offset that nothing behind is read of; None: of none
    """
    position = os.fstat(descriptor).st_size if end is None else end
    least = max(first, position - MOST_READ)
    rest = b""
    while position > least:
        size = min(BLOCK, position - least)
        position -= size
        data = os.pread(descriptor, size, position) + rest
        lines = data.decode("utf-8", "backslashreplace").splitlines()
        begins = [i for i, line in enumerate(lines) if BEGINNING.match(line)]
        if position > least and not begins[1:]:
            if len(data) < LONGEST_RECORD:
                rest = data
                continue
            begins = [0, 1]  # a log of another form: its lines are its records
        # the first line may itself be cut
        begin = begins[1] if position > least else 0
        kept = "\n".join(lines[:begin])
        rest = kept.encode("utf-8", "backslashreplace")
        found = lines[begin:]
        known = begins and BEGINNING.match(lines[begins[-1]])
        yield records(found) if known else [Record((line,)) for line in found]
