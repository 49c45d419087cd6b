"""Lines of a file, without reading more of it than is asked for."""

import os
import time
from typing import NamedTuple

from .exceptions import ToolError

BLOCK = 1024 * 1024


class Lines(NamedTuple):
    """A range of lines.

    :param content: the lines, ends included
    :param count: how many
    :param total: lines of the whole file; None: its end was not reached
    :param more: something follows
    """

    content: bytes
    count: int
    total: int | None
    more: bool


def read_lines(
    descriptor: int, first: int, limit: int | None, most: int, end_time: float
) -> Lines:
    """Read from the line ``first`` (1: the first) on, in blocks.

    :param limit: lines at most; None: to the end
    :param most: bytes at most; the last line may be cut
    :param end_time: monotonic time when to give up
    :raise ToolError: it was not found by then
    """
    position, line = _skip(descriptor, first - 1, end_time)
    if line < first - 1:
        return Lines(b"", 0, line, False)
    content = bytearray()
    found = 0
    while len(content) <= most:
        block = os.pread(descriptor, BLOCK, position)
        if not block:
            count = found + _begun(content)
            return Lines(bytes(content), count, first - 1 + count, False)
        end = _end_of_line(block, limit - found) if limit is not None else None
        if end is not None:
            content += block[:end]
            return _finished(descriptor, position + end, content, first, limit, most)
        content += block
        found += block.count(b"\n")
        position += len(block)
    return _capped(content, most)


def _skip(descriptor: int, lines: int, end_time: float) -> tuple[int, int]:
    """Return the position after ``lines`` lines, and how many there were."""
    position = passed = 0
    last = b""
    while passed < lines:
        if time.monotonic() > end_time:
            raise ToolError(f"Line {lines + 1} was not reached in time.")
        block = os.pread(descriptor, BLOCK, position)
        if not block:
            return position, passed + (last not in (b"", b"\n"))
        end = _end_of_line(block, lines - passed)
        if end is not None:
            return position + end, lines
        passed += block.count(b"\n")
        position += len(block)
        last = block[-1:]
    return position, passed


def _end_of_line(block: bytes, number: int) -> int | None:
    """Return where the line of this number in the block ends; None: not in it."""
    if block.count(b"\n") < number:
        return None
    end = 0
    for _line in range(number):
        end = block.index(b"\n", end) + 1
    return end


def _begun(content: bytes) -> int:
    """Return 1 for a last line without an end."""
    return int(bool(content) and not content.endswith(b"\n"))


def _finished(descriptor, position, content, first, limit, most) -> Lines:
    """Return the whole range; the total, too, where nothing follows it."""
    if len(content) > most:
        return _capped(content, most)
    more = os.pread(descriptor, 1, position)
    total = None if more else first - 1 + limit
    return Lines(bytes(content), limit, total, bool(more))


def _capped(content: bytearray, most: int) -> Lines:
    kept = bytes(content[:most])
    return Lines(kept, kept.count(b"\n") + _begun(kept), None, True)


def count_lines(descriptor: int) -> int:
    """Return how many lines a file has; a last one without an end counts."""
    position = lines = 0
    last = b"\n"
    while block := os.pread(descriptor, BLOCK, position):
        lines += block.count(b"\n")
        position += len(block)
        last = block[-1:]
    return lines + (last != b"\n")
