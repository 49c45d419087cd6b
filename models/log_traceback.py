"""The newest traceback in a log, and the places that it passes through."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from .log_records import LEVELS, Record
from .redaction import redact_text

TRACEBACK = "Traceback (most recent call last)"
FRAME = re.compile(r'\s*File "(.+)", line (\d+), in (\S+)')

LONGEST = 12_000
"""Characters of a traceback that are told."""

BEFORE, AFTER = 8, 4
LONGEST_LINE = 300


class Frame(NamedTuple):
    """A place in the code: file, line and function."""

    path: str
    line: int
    function: str


class Found(NamedTuple):
    """An error, and what else was logged at that time, first lines alone."""

    text: str
    before: list[str]
    after: list[str]
    frames: list[Frame]


def newest(pieces: Iterable[list[Record]], search: str) -> Found | None:
    """Return the last traceback of a log; where there is none, its last error.

    :param pieces: records of the log, the last piece first
    :param search: text that is in it; empty: any
    """
    error = None
    for piece in pieces:
        for position in range(len(piece) - 1, -1, -1):
            text = "\n".join(piece[position].lines)
            if search.lower() not in text.lower():
                continue
            if TRACEBACK in text:
                return _found(piece, position)
            if error is None and piece[position].level >= LEVELS.index("ERROR"):
                error = _found(piece, position)
    return error


def _found(piece: list[Record], position: int) -> Found:
    lines = piece[position].lines
    around = [redact_text(record.lines[0][:LONGEST_LINE]) for record in piece]
    return Found(
        shortened(redact_text("\n".join(lines)), LONGEST),
        around[max(0, position - BEFORE) : position],
        around[position + 1 : position + 1 + AFTER],
        frames(lines),
    )


def frames(lines: Iterable[str]) -> list[Frame]:
    """Return the places that a traceback names, in its order, each once.

    >>> frames(['  File "/a/b.py", line 7, in do_it', "    1 / 0"])
    [Frame(path='/a/b.py', line=7, function='do_it')]
    """
    matches = filter(None, map(FRAME.match, lines))
    return list(dict.fromkeys(Frame(m[1], int(m[2]), m[3]) for m in matches))


def shortened(text: str, most: int) -> str:
    """Return a text without its middle if it is too long: the end tells more.

    >>> shortened("abcdefgh", 4)
    'a\\n[… 4 characters left out …]\\nfgh'
    """
    if len(text) <= most:
        return text
    begin = most // 4
    rest = most - begin
    left_out = len(text) - most
    return f"{text[:begin]}\n[… {left_out} characters left out …]\n{text[-rest:]}"
