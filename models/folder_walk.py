"""Entries below a folder that a glob pattern names, through descriptors alone.

A link is told and never followed, so that nothing outside the folder is seen.
"""

import datetime
import fnmatch
import os
import stat
import time
from collections.abc import Callable
from pathlib import PurePosixPath

from .exceptions import ArgumentError
from .file_access import FOLDER, NEVER

ANY_DEPTH = "**"
MACHINE_MADE = frozenset({"__pycache__", "node_modules"})
"""Folders that are passed over like hidden ones, unless the pattern names them."""

DEEPEST = 100
"""Folders below each other: each is an open descriptor."""

MOST_SEEN = 200_000


class Pattern:
    """A glob: ``*`` and ``?`` stay within a name, ``**`` is any number of folders.

    It is a machine with a state for each of its parts: what of a name's path has been
    read so far is a set of states. https://swtch.com/~rsc/regexp/regexp1.html

    >>> pattern = Pattern("**/models/*.py")
    >>> states = pattern.after(pattern.first, "models")
    >>> pattern.ends(pattern.after(states, "a.py")), pattern.ends(states)
    (True, False)
    """

    def __init__(self, text: str) -> None:
        self.parts = [part for part in text.split("/") if part != "."]
        if text.startswith("/") or ".." in self.parts or "" in self.parts:
            raise ArgumentError(
                f"Argument 'pattern': expected a glob below 'path', got {text[:60]!r}."
            )
        if self.parts[-1:] == [ANY_DEPTH]:
            self.parts.append("*")
        self.first = self._closed({0})

    def after(self, states: frozenset[int], name: str) -> frozenset[int]:
        """Return the states after one more name; none: nothing below can match."""
        found = set()
        for state in states:
            part = self.parts[state] if state < len(self.parts) else ""
            if part == ANY_DEPTH and not is_hidden(name):
                found.add(state)
            elif part != ANY_DEPTH and _matches(part, name):
                found.add(state + 1)
        return self._closed(found)

    def goes_on(self, states: frozenset[int]) -> bool:
        """Tell whether it can match something below."""
        return min(states) < len(self.parts)

    def ends(self, states: frozenset[int]) -> bool:
        """Tell whether the pattern matches what has been read."""
        return len(self.parts) in states

    def _closed(self, states: set[int]) -> frozenset[int]:
        """Add what is reached by reading nothing: ``**`` may be no folder."""
        found = set(states)
        for state in sorted(states):
            while state < len(self.parts) and self.parts[state] == ANY_DEPTH:
                state += 1
                found.add(state)
        return frozenset(found)


def is_hidden(name: str) -> bool:
    """Tell whether a name is passed over unless it is named.

    >>> is_hidden(".git"), is_hidden("__pycache__"), is_hidden("__init__.py")
    (True, True, False)
    """
    return name.startswith(".") or name in MACHINE_MADE


def _matches(part: str, name: str) -> bool:
    """Tell whether a part of a pattern matches a name; of a hidden one, names it."""
    if not fnmatch.fnmatchcase(name, part):
        return False
    if not is_hidden(name):
        return True
    return part.startswith(".") if name.startswith(".") else part == name


class Walk:
    """What was found below a folder.

    :param page: first entry that is described, and the one behind the last
    :param depth: levels at most
    :param end: monotonic time when to give up
    :param closed: a folder that is told and not looked into, beside the kernel's
    :param check: raises when the call is to end
    """

    def __init__(
        self,
        pattern: Pattern,
        page: tuple[int, int],
        depth: int | None,
        end: float,
        closed: str,
        check: Callable[[], None],
    ) -> None:
        self.pattern = pattern
        self.page = page
        self.depth = min(depth or DEEPEST, DEEPEST)
        self.end = end
        self.closed = {*NEVER, closed}
        self.check = check
        self.entries: list[dict] = []
        self.total = self.hidden = self.seen = 0
        self.unreadable: list[str] = []
        self.ended = False

    def run(self, descriptor: int, path: PurePosixPath) -> None:
        """Look through the folder that is open.

        :param path: where it is
        """
        self._folder(descriptor, path, PurePosixPath(), self.pattern.first, 1)

    def _folder(self, descriptor, root, below, states, level) -> None:
        self.check()
        with os.scandir(descriptor) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            self.seen += 1
            if self.seen > MOST_SEEN or time.monotonic() > self.end:
                self.ended = True
            if self.ended:
                return
            self._entry(descriptor, entry, root, below / entry.name, states, level)

    def _entry(self, descriptor, entry, root, path, states, level) -> None:
        after = self.pattern.after(states, entry.name)
        if not after:
            self.hidden += is_hidden(entry.name)
            return
        if self.pattern.ends(after):
            if self.page[0] <= self.total < self.page[1]:
                self.entries.append(_described(descriptor, entry.name, path))
            self.total += 1
        below = level < self.depth and self.pattern.goes_on(after)
        if below and self._may_descend(entry, root / path):
            self._descend(descriptor, entry.name, root, path, after, level)

    def _may_descend(self, entry, real: PurePosixPath) -> bool:
        return entry.is_dir(follow_symlinks=False) and str(real) not in self.closed

    def _descend(self, descriptor, name, root, path, states, level) -> None:
        try:
            below = os.open(name, FOLDER, dir_fd=descriptor)
        except OSError:
            self.unreadable.append(str(path))
            return
        try:
            self._folder(below, root, path, states, level + 1)
        finally:
            os.close(below)


def _described(folder: int, name: str, path: PurePosixPath) -> dict:
    target = None
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(name, dir_fd=folder)
    except OSError:  # or it is no link any more
        return {"path": str(path), "kind": "gone"}
    changed = datetime.datetime.fromtimestamp(
        int(found.st_mtime), datetime.timezone.utc
    )
    row = {"path": str(path), "kind": _kind(found.st_mode)}
    if row["kind"] == "file":
        row["size"] = found.st_size
    if row["kind"] == "link":
        row["to"] = target
    return {**row, "mtime": changed.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _kind(mode: int) -> str:
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "special")
