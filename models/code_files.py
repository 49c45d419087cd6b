"""The files of the addons paths and of the framework that are searched."""

import fnmatch
import os
from collections.abc import Iterator
from typing import NamedTuple

import odoo.addons

from .addon_source import CODE, MOST_BYTES, ODOO, SKIPPED, entered
from .file_access import within

TRANSLATIONS = frozenset({"i18n", "i18n_extra"})
MINIFIED = (".min.js", ".min.css")
FRAMEWORK = "odoo"
"""What stands for Odoo without its addons, where a module is named."""


class CodeFile(NamedTuple):
    """A file, and its path with that of its module before it."""

    path: str
    short: str


class Wanted:
    """Which files are searched.

    :param globs: patterns of ``fnmatch`` for paths that begin with the module, or for
        names of files; none: all that people write code in
    :param roots: folders that a file must be in, one of each; none: any
    """

    def __init__(self, globs: list[str], roots: list[tuple[str, ...]]) -> None:
        self.globs = globs
        self.roots = [tuple(map(os.path.realpath, some)) for some in roots if some]
        asked = " ".join(globs)
        said = "i18n" in asked or asked.endswith((".po", ".pot"))
        self.skipped = SKIPPED if said else SKIPPED | TRANSLATIONS

    def takes(self, file: CodeFile) -> bool:
        """Tell whether a file is one of them, by its path."""
        name = os.path.basename(file.path)
        if not self.globs:
            return name.rpartition(".")[2] in CODE and not name.endswith(MINIFIED)
        return any(
            fnmatch.fnmatchcase(file.short, glob) or fnmatch.fnmatchcase(name, glob)
            for glob in self.globs
        )

    def reachable(self, path: str) -> bool:
        """Tell whether the roots let a real path be read."""
        return all(any(within(path, root) for root in some) for some in self.roots)

    def files(self, modules: dict[str, str]) -> Iterator[CodeFile]:
        """Give the files of modules, by module and path; no link is followed.

        :param modules: folders by name
        """
        for module, folder in sorted(modules.items()):
            real = os.path.realpath(folder)
            for path in self._walk(real, framework=module == FRAMEWORK):
                file = CodeFile(path, f"{module}{path[len(real) :]}")
                if self.takes(file) and self.reachable(path):
                    yield file

    def _walk(self, folder: str, *, framework: bool) -> Iterator[str]:
        for parent, folders, names in os.walk(folder):
            if framework and parent == folder:
                folders[:] = [name for name in folders if name != "addons"]
            folders[:] = entered(parent, folders, self.skipped)
            yield from (os.path.join(parent, name) for name in sorted(names))


def all_modules() -> dict[str, str]:
    """Return the folders of all modules by name: the first addons path wins.

    The framework is one of them, as ``odoo``.
    """
    found = {FRAMEWORK: ODOO}
    for root in odoo.addons.__path__:
        for entry in os.scandir(root) if os.path.isdir(root) else ():
            if os.path.isfile(os.path.join(entry.path, "__manifest__.py")):
                found.setdefault(entry.name, entry.path)
    return found


def content_of(path: str) -> bytes:
    """Return a text; empty: it is none, is too large, a link, or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            content = file.read(MOST_BYTES + 1)
        except OSError:
            return b""
    return b"" if len(content) > MOST_BYTES or b"\0" in content[:1024] else content
