"""How far somebody has read a log file, also when it was rotated since.

A position is the inode of the file and an offset in it: a file that is renamed keeps
its inode, and its successor has another one.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from .exceptions import ToolError
from .log_records import BLOCK

POSITION = re.compile(r"@(\d+)\.(\d+)")

LOST = (
    "The log was rotated, and where you had read to is gone: what follows is all that "
    "its file has now."
)
CUT = "The log was cut since: what follows is all that its file has now."


class Piece(NamedTuple):
    """A part of a file, as offsets."""

    descriptor: int
    first: int
    end: int


class Reading(NamedTuple):
    """What is to be read of a log.

    :param pieces: the newest first
    :param position: where the next reading begins
    :param note: what the reader should know of it; may be empty
    """

    pieces: list[Piece]
    position: str
    note: str


@contextlib.contextmanager
def reading(path: str, position: str | None) -> Iterator[Reading]:
    """Open what a log has from a position on; None: all of its file.

    :raise ToolError: it cannot be read
    """
    with contextlib.ExitStack() as stack:
        try:
            descriptor = _opened(stack, path)
        except OSError as error:
            raise ToolError(
                f"The log {path!r} cannot be read: {error.strerror}."
            ) from error
        inode, end = os.fstat(descriptor).st_ino, _whole_lines(descriptor)
        pieces, note = [Piece(descriptor, 0, end)], ""
        if match := POSITION.fullmatch(position or ""):
            known, first = int(match[1]), int(match[2])
            if known == inode:
                note = CUT if first > end else ""
                pieces = [Piece(descriptor, 0 if note else first, end)]
            else:
                before = _by_inode(stack, path, known)
                if before is None:
                    note = LOST
                else:
                    pieces.append(Piece(before, first, os.fstat(before).st_size))
                    note = _between(path, before, inode)
        yield Reading(pieces, f"@{inode}.{end}", note)


def _between(path: str, before: int, inode: int) -> str:
    """Say which files of a log are not told, where it was rotated more than once.

    :param before: descriptor of the file that had been read
    :param inode: of the file that is written now
    """
    folder, name = os.path.split(path)
    last = os.fstat(before)
    found = []
    with os.scandir(folder or ".") as entries, contextlib.suppress(OSError):
        for entry in entries:
            if not entry.name.startswith((f"{name}.", f"{name}-")):
                continue
            status = entry.stat(follow_symlinks=False)
            if (
                status.st_ino not in (last.st_ino, inode)
                and status.st_size
                and status.st_mtime_ns > last.st_mtime_ns
            ):
                found.append(entry.path)
    if not found:
        return ""
    return (
        "The log was rotated more than once since: what was written in between is not "
        f"told here; it stands in {', '.join(sorted(found))}."
    )


def _opened(stack: contextlib.ExitStack, path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    stack.callback(os.close, descriptor)
    return descriptor


def _whole_lines(descriptor: int) -> int:
    """Return the offset behind the last line that has ended."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - BLOCK)
    found = os.pread(descriptor, size - begin, begin).rfind(b"\n")
    return size if found < 0 and begin else begin + found + 1


def _by_inode(stack: contextlib.ExitStack, path: str, inode: int) -> int | None:
    """Open the file beside a log that it was renamed to, as ``odoo.log.1``."""
    folder, name = os.path.split(path)
    with os.scandir(folder or ".") as entries:
        for entry in entries:
            if entry.name.startswith(name) and entry.inode() == inode:
                with contextlib.suppress(OSError):
                    return _opened(stack, entry.path)
    return None
