"""Search the source of all modules, in a process that can be killed.

A regular expression may take for ever (``(a+)+$``), and holds Python's lock meanwhile:
nothing in its own process could end it.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .code_files import CodeFile, content_of
from .exceptions import ArgumentError

LONGEST_LINE = 250
MOST_BYTES = 40_000
"""Of what is told at once; a model would have to read it all."""

MARGIN = 0.9
"""Part of its time after which the search tells what it has."""


@dataclass
class Found:
    """What a search has found so far: the lines from ``offset`` on, and the counts."""

    offset: int
    limit: int
    lines: int = 0
    files: int = 0
    told: int = 0
    size: int = 0
    rows: list[dict] = field(default_factory=list)

    def add(self, file: CodeFile, text: str, numbers: list[int], context: int) -> None:
        """Take the matching lines of a file, 1-based."""
        begin = max(0, self.offset - self.lines)
        room = self.limit - self.told if self.size < MOST_BYTES else 0
        wanted = numbers[begin : begin + room]
        self.lines += len(numbers)
        self.files += 1
        if wanted:
            shown = "\n".join(_shown(text.split("\n"), wanted, set(numbers), context))
            self.told += len(wanted)
            self.size += len(shown)
            self.rows.append({"file": file.short, "lines": shown})


def compiled(pattern: str, *, regex: bool) -> re.Pattern:
    """Return what is looked for in the text of a whole file.

    :raise ArgumentError: it is empty, or no regular expression
    """
    if not pattern:
        raise ArgumentError("Argument 'pattern': expected what to search for.")
    try:
        return re.compile(pattern if regex else re.escape(pattern), re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ArgumentError(
            f"Argument 'pattern': {error}. It is a regular expression of Python: "
            "escape what is meant as it is, or leave out 'regex'."
        ) from error


def search(
    wanted: re.Pattern,
    files: Iterable[CodeFile],
    found: Found,
    *,
    context: int,
    seconds: float,
    text: str | None,
    own: Callable[[str], bool],
) -> dict:
    """Search files until all are read, or the time is nearly up.

    :param text: what must be in a file for ``wanted`` to be; None: that is not known
    :param own: tells of a path whether it guards this server, and is passed over
    :return: JSON: rows, counts, and whether files are left
    """
    end = time.monotonic() + seconds * MARGIN
    needle = (text or "").encode("utf-8", "surrogatepass")
    left = False
    for file in files:
        if time.monotonic() > end:
            left = True
            break
        content = content_of(file.path)
        if needle in content:
            decoded = content.decode(errors="replace")
            numbers = list(_numbers(wanted, decoded))
            if numbers and not own(file.path):
                found.add(file, decoded, numbers, context)
    return {
        "rows": found.rows,
        "lines": found.lines,
        "files": found.files,
        "told": found.told,
        "left": left,
    }


def _numbers(wanted: re.Pattern, text: str) -> Iterator[int]:
    """Give the numbers of the lines that a match begins in, each once."""
    line, counted, last = 1, 0, 0
    for match in wanted.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if line != last and counted < len(text):
            last = line
            yield line


def _shown(
    lines: list[str], wanted: list[int], matching: set[int], context: int
) -> Iterator[str]:
    """Give lines as grep shows them: ``12:`` matches, ``13-`` is beside a match."""
    last = 0
    for number in wanted:
        first = max(1, number - context, last + 1)
        if last and first > last + 1:
            yield "--"
        for shown in range(first, min(len(lines), number + context) + 1):
            sign = ":" if shown in matching else "-"
            yield f"{shown}{sign}{lines[shown - 1].rstrip()[:LONGEST_LINE]}"
            last = shown
