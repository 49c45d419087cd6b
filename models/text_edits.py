"""Exact replacement in a text, and what to say when it cannot be done."""

import difflib
import heapq
import re
from typing import NamedTuple

from .exceptions import ArgumentError, ToolError
from .redaction import MASK

MOST_LINES_TOLD = 20
SHOWN = 12
"""Lines of the nearest place that are shown."""

COMPARED = 200
"""Characters of a line that are compared with what was not found."""

CANDIDATES = 300
"""Lines, those with most words in common, that are compared letter by letter."""

LIKENESS = 0.6
WORD = re.compile(r"\w+")


class Edit(NamedTuple):
    """A replacement that was made.

    :param text: all of it, as it is then
    :param places: offset of each replacement in the text before
    :param old: what was replaced, with the file's own line ends
    :param new: what stands there now
    """

    text: str
    places: list[int]
    old: str
    new: str

    def lines(self, before: str) -> list[int]:
        """Return the number of the line, in the text before, that each begins in."""
        found, line, position = [], 1, 0
        for place in self.places:
            line += before.count("\n", position, place)
            position = place
            found.append(line)
        return found


def replace(text: str, old: str, new: str, count: int, path: str) -> Edit:
    r"""Replace ``old`` by ``new`` where it stands exactly so.

    Where lines end with CR LF, an LF of ``old`` and ``new`` is one of those.

    :param count: how often it must be there; 0: at least once
    :raise ToolError: it is there less or more often: where, or what is nearest

    >>> replace("a\r\nb\r\n", "a\nb", "c\nd", 1, "/x").text
    'c\r\nd\r\n'
    """
    if not old:
        raise ArgumentError("Argument 'old_text': it is empty. write_file makes files.")
    if old == new:
        raise ArgumentError("Argument 'new_text': it is the same as 'old_text'.")
    if ends_with_crlf(text) and _crlf(old) in text:
        old, new = _crlf(old), _crlf(new)
    edit = Edit(text.replace(old, new), places(text, old), old, new)
    if not edit.places:
        raise ToolError(f"'old_text' is not in {path!r}.{nearest_place(text, old)}")
    if count and len(edit.places) != count:
        raise ToolError(_other_count(edit.lines(text), count, path))
    return edit


def ends_with_crlf(text: str) -> bool:
    r"""Tell whether most lines of a text end with CR LF.

    >>> ends_with_crlf("a\r\nb\r\nc\n"), ends_with_crlf("a\nb")
    (True, False)
    """
    return 2 * text.count("\r\n") > text.count("\n")


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def places(text: str, wanted: str) -> list[int]:
    """Return the offsets at which ``wanted`` stands, none within another.

    >>> places("aaaa", "aa")
    [0, 2]
    """
    found, at = [], text.find(wanted)
    while at >= 0:
        found.append(at)
        at = text.find(wanted, at + len(wanted))
    return found


def _other_count(lines: list[int], count: int, path: str) -> str:
    told = ", ".join(map(str, lines[:MOST_LINES_TOLD]))
    if len(lines) > MOST_LINES_TOLD:
        told += f" and {len(lines) - MOST_LINES_TOLD} more"
    return (
        f"'old_text' is in {path!r} {len(lines)} times, at line {told}; expected "
        f"{count}. Add lines around it to 'old_text' until it is there once, or send "
        f"'count': {len(lines)} (0: all)."
    )


def nearest_place(text: str, wanted: str) -> str:
    """Return a sentence with the lines that are most like ``wanted``, and how the first
    of them differs; it begins with a space."""
    if MASK in wanted and MASK not in text:
        return (
            f" {MASK} stands for a secret that the file has there: choose 'old_text' "
            "without that line."
        )
    lines, sought = lines_of(text), lines_of(wanted)
    anchor = max(range(len(sought)), key=lambda at: len(sought[at].strip()), default=0)
    at = _most_like(lines, sought[anchor]) if sought else None
    if at is None:
        return " No line of it is like it: read_file shows what is there."
    first = max(0, at - anchor)
    there = lines[first : first + len(sought)]
    shown = "\n".join(there[:SHOWN])
    return (
        f" Nearest is line {first + 1}:\n{shown}\n{_difference(first, there, sought)}"
    )


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text without their ends, LF or CR LF.

    >>> lines_of("a\r\n\x0cb\n")
    ['a', '\x0cb']
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _most_like(lines: list[str], wanted: str) -> int | None:
    """Return the index of the line that is most like another."""
    plain = [" ".join(line[:COMPARED].split()) for line in lines]
    wanted = " ".join(wanted[:COMPARED].split())
    if wanted in plain:
        return plain.index(wanted)
    words = {*WORD.findall(wanted)}
    shared = {line: len(words.intersection(WORD.findall(line))) for line in {*plain}}
    candidates = heapq.nlargest(CANDIDATES, shared, key=shared.__getitem__)
    found = difflib.get_close_matches(wanted, candidates, n=1, cutoff=LIKENESS)
    if found:
        return plain.index(found[0])
    return next((n for n, line in enumerate(plain) if wanted and wanted in line), None)


def _difference(first: int, there: list[str], sought: list[str]) -> str:
    """Say how the first line that differs does."""
    pairs = zip(there, sought, strict=False)
    for at, (one, other) in enumerate(pairs):
        if one != other:
            return (
                f"Line {first + at + 1} is {one[:COMPARED]!r}, "
                f"'old_text' has {other[:COMPARED]!r}{_in_words(one, other)}"
            )
    return "The lines are the same but for their ends: CR LF, or none after the last."


def _in_words(one: str, other: str) -> str:
    if "".join(one.split()) != "".join(other.split()):
        return "."
    if ("\t" in one) != ("\t" in other):
        return ": tabs against spaces."
    if one.rstrip() == other.rstrip():
        return ": blanks at the end."
    if one.lstrip() == other.lstrip():
        return ": the indentation."
    return ": white space."
