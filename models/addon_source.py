"""The source of an addon: its files, and the places in them that want a look.

Names, sizes and line numbers; what the lines say is left to read_file.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from odoo import release

import odoo.addons

from .source_patterns import Pattern

SKIPPED = frozenset({"__pycache__", "node_modules", "static/lib"})
MOST_FILES = 2000
MOST_BYTES = 1024 * 1024
"""Of one file; a larger one was made by a program."""

MOST_PLACES = 8
CODE = frozenset({"py", "xml", "js", "csv", "scss", "css", "sql"})

ODOO = os.path.dirname(os.path.realpath(release.__file__))
BESIDE = os.path.dirname(ODOO)


class SourceFile(NamedTuple):
    """A file of an addon: its path in it, and its size in bytes."""

    path: str
    size: int

    @property
    def kind(self) -> str:
        """Its extension, without the dot."""
        return os.path.splitext(self.path)[1].lstrip(".")


def entered(parent: str, folders: list[str], skipped=SKIPPED) -> list[str]:
    """Return the folders below ``parent`` that people write code in, by name.

    :param skipped: names, and those within ``static`` as ``static/…``

    >>> entered("/a/static", ["src", "lib", ".git"]), entered("/a", ["lib"])
    (['src'], ['lib'])
    """
    under = "static/" if os.path.basename(parent) == "static" else ""
    return sorted(
        name
        for name in folders
        if not skipped & {name, under + name} and name[0] != "."
    )


def files(folder: str) -> list[SourceFile]:
    """Return the files of an addon by path; no link is followed, libraries left out."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = entered(parent, folders)
        for name in names:
            path = os.path.join(parent, name)
            if name[0] != "." and not name.endswith(".pyc") and os.path.isfile(path):
                size = os.lstat(path).st_size
                found.append(SourceFile(os.path.relpath(path, folder), size))
        if len(found) >= MOST_FILES:
            break
    return sorted(found)[:MOST_FILES]


def lines(folder: str, file: SourceFile) -> list[str]:
    """Return the lines of a text file that people write; none of any other."""
    path = os.path.join(folder, file.path)
    if file.kind not in CODE or file.size > MOST_BYTES or os.path.islink(path):
        return []
    try:
        with open(path, encoding="utf-8", errors="replace") as opened:
            return opened.read().splitlines()
    except OSError:
        return []


class Source:
    """What is told of an addon's source, read once.

    :param folder: where it is
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files = files(folder)
        self.text = {file: lines(folder, file) for file in self.files}

    def sizes(self) -> str:
        """Return the lines of code by kind, e.g. ``120 py, 40 xml``."""
        counts: Counter[str] = Counter()
        for file, text in self.text.items():
            counts[file.kind] += len(text)
        return ", ".join(f"{n} {kind}" for kind, n in counts.most_common() if n)

    def places(self, patterns: tuple[Pattern, ...], *, tests: bool) -> list[dict]:
        """Return where the patterns are found: title, count, the first places.

        :param tests: look at the tests, too
        """
        rows = []
        for row in patterns:
            found = [
                (path, line)
                for path, line in self._matches(row)
                if tests or "tests" not in path.split(os.sep)
            ]
            if found:
                places = [f"{path}:{line}" for path, line in found[:MOST_PLACES]]
                rows.append({"title": row.title, "count": len(found), "places": places})
        return rows

    def _matches(self, row: Pattern) -> Iterator[tuple[str, int]]:
        for file, text in self.text.items():
            if file.kind in row.kinds:
                for number, line in enumerate(text, 1):
                    if row.pattern.search(line):
                        yield file.path, number

    def count(self, pattern: str, under: str) -> int:
        """Return how many lines of the Python below a folder match."""
        regex = re.compile(pattern)
        return sum(
            bool(regex.search(line))
            for file, text in self.text.items()
            if file.kind == "py" and file.path.startswith(under)
            for line in text
        )

    def folders(self, parent: str) -> list[str]:
        """Return the folders right below one of the addon's, e.g. ``migrations``."""
        begin = parent + os.sep
        below = [f.path[len(begin) :] for f in self.files if f.path.startswith(begin)]
        return sorted({path.split(os.sep)[0] for path in below if os.sep in path})


def origin(path: str | None, licence: str) -> str:
    """Tell where a module comes from: ``community``, ``enterprise`` or ``own``.

    Own is whatever Odoo does not deliver, of third parties too.
    """
    if licence.startswith("OEEL"):
        return "enterprise"
    return "community" if path and delivered(path) else "own"


def delivered(path: str) -> bool:
    """Tell whether a module's folder is one of those that come with Odoo."""
    parent = os.path.dirname(os.path.realpath(path))
    return parent in (os.path.join(ODOO, "addons"), os.path.join(BESIDE, "addons"))


def module_of(path: str) -> tuple[str, str] | None:
    """Return the module that a file belongs to, and its path in it.

    :return: None: it belongs to no module
    """
    for root in odoo.addons.__path__:
        for folder in (root, os.path.realpath(root)):
            if path.startswith(folder + os.sep):
                name, _, rest = path[len(folder) + 1 :].partition(os.sep)
                return (name, rest) if rest else None
    return None
