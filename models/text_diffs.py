"""What an edit has changed, as people read it, and whether the file still parses."""

import ast
import difflib
import warnings
from collections.abc import Iterable

from .text_edits import Edit, lines_of

CONTEXT = 3
MOST_CHARACTERS = 6000
MOST_REPLACEMENTS = 20
MOST_SPAN = 1000
"""Lines from the first replacement on that are compared: to compare takes their
square."""

MOST_PARSED = 2_000_000
"""Characters of a file that is parsed after its edit."""


def unified(before: str, edit: Edit) -> str:
    """Return the change as a unified diff without file names, cut where it is long.

    https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
    """
    lines = edit.lines(before)
    first = max(0, lines[0] - 1 - CONTEXT)
    told = [line for line in lines[:MOST_REPLACEMENTS] if line - first < MOST_SPAN]
    chosen = edit.places[: len(told)]
    begin = _line_start(before, chosen[0], CONTEXT)
    end = _line_end(before, chosen[-1] + len(edit.old), CONTEXT)
    piece = _replaced(before, edit, chosen, begin, end)
    old, new = lines_of(before[begin:end]), lines_of(piece)
    text = "\n".join(_hunk(group, old, new, first) for group in _groups(old, new))
    if len(text) > MOST_CHARACTERS:
        cut = text[:MOST_CHARACTERS].rpartition("\n")[0]
        return f"{cut}\n… [{len(text)} characters]"
    if len(told) < len(lines):
        return f"{text}\n… [{len(lines) - len(told)} further replacements]"
    return text


def _groups(old: list[str], new: list[str]) -> Iterable[list[tuple]]:
    if len(old) + len(new) > 3 * MOST_SPAN:
        return [[("replace", 0, len(old), 0, len(new))]]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return matcher.get_grouped_opcodes(CONTEXT)


def _replaced(before: str, edit: Edit, chosen: list[int], begin: int, end: int) -> str:
    parts, position = [], begin
    for place in chosen:
        parts += [before[position:place], edit.new]
        position = place + len(edit.old)
    return "".join([*parts, before[position:end]])


def _line_start(text: str, position: int, lines: int) -> int:
    """Return where the line begins that is so many before the one of a position."""
    for _line in range(lines + 1):
        position = text.rfind("\n", 0, position)
        if position < 0:
            return 0
    return position + 1


def _line_end(text: str, position: int, lines: int) -> int:
    # what ends with a line end has its next line as context
    position -= text.startswith("\n", position - 1)
    for _line in range(lines + 1):
        position = text.find("\n", position) + 1
        if not position:
            return len(text)
    return position


def _hunk(group: list[tuple], old: list[str], new: list[str], first: int) -> str:
    (_tag, i1, _i2, j1, _j2), (_last, _i1, i2, _j1, j2) = group[0], group[-1]
    lines = [f"@@ -{first + i1 + 1},{i2 - i1} +{first + j1 + 1},{j2 - j1} @@"]
    for tag, a1, a2, b1, b2 in group:
        if tag == "equal":
            lines += [f" {line}" for line in old[a1:a2]]
        else:
            lines += [f"-{line}" for line in old[a1:a2]]
            lines += [f"+{line}" for line in new[b1:b2]]
    return "\n".join(lines)


def fault(path: str, text: str) -> str | None:
    r"""Say why a file of Python or XML does not parse; None: it does, or is no such.

    >>> fault("/x.py", "a = (\n"), fault("/x.txt", "a = (")
    ("line 1: '(' was never closed", None)
    """
    if len(text) > MOST_PARSED:
        return None
    parse = {"py": _python_fault, "xml": _xml_fault}.get(path.rpartition(".")[2])
    return parse(text.removeprefix("\ufeff")) if parse else None


def _python_fault(text: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (RecursionError, MemoryError, ValueError) as error:
        return f"Python cannot parse it: {error}"
    return None


def _xml_fault(text: str) -> str | None:
    from lxml import etree

    from .xml_text import parse

    try:
        parse(text.encode())
    except etree.XMLSyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return None
