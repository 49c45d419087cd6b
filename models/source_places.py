"""Where the classes of the registry, and what is in them, stand in the source.

``inspect`` finds no field, and a decorated method only by luck: the file of a class is
parsed instead, and names are looked up in the body of the class. What is asked for is
taken from the live class; the file only says where it is written.
"""

import ast
import functools
import os
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .addon_source import BESIDE, module_of

LONGEST_CODE = 300
MOST_EXCERPT = 10
LONGEST_LINE = 200


class Definition(NamedTuple):
    """A name in the body of a class.

    :param line: of ``def``, ``class`` or the assignment, 1-based
    :param first: of its first decorator, if it has some
    :param decorators: as they are written, without ``@``
    :param calls_super: it calls the method of the same name of ``super()``
    """

    line: int
    first: int
    last: int
    decorators: tuple[str, ...] = ()
    calls_super: bool = False


class ClassDefinition(NamedTuple):
    """A class of a file, and the names in its body."""

    line: int
    last: int
    names: dict[str, Definition]


def file_of(owner: type) -> str | None:
    """Return the source file of the module that a class is from."""
    module = sys.modules.get(owner.__module__)
    path = getattr(module, "__file__", None)
    return path if path and path.endswith(".py") else None


def class_of(owner: type) -> ClassDefinition | None:
    """Return where a class is defined; None: its file does not tell."""
    path = file_of(owner)
    found = _parsed(path).get(owner.__qualname__, []) if path else []
    # of several with one name in a file, the one that has what the live class has
    own = {name for name in vars(owner) if not name.startswith("__")}
    return max(found, key=lambda row: len(own & row.names.keys()), default=None)


def definition_of(owner: type, name: str) -> Definition | None:
    """Return where ``name`` is defined in the body of a class."""
    found = class_of(owner)
    return found.names.get(name) if found else None


def _parsed(path: str) -> dict[str, list[ClassDefinition]]:
    try:
        status = os.stat(path)
        return parse_file(path, status.st_mtime_ns, status.st_size)
    except (OSError, SyntaxError, ValueError):
        return {}


@functools.lru_cache(maxsize=512)
def parse_file(path: str, _changed: int, _size: int) -> dict:
    """Return the classes of a file by their qualified names, in their order.

    :raise OSError: it cannot be read
    :raise SyntaxError: it is no Python
    """
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    found: dict[str, list[ClassDefinition]] = {}
    for name, node in _classes(tree.body, ""):
        row = ClassDefinition(node.lineno, node.end_lineno, dict(_names(node.body)))
        found.setdefault(name, []).append(row)
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements of a body, those under its conditions too."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield from _statements(getattr(node, part, []))


def _classes(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in _statements(body):
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from _classes(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield from _classes(node.body, f"{prefix}{node.name}.<locals>.")


def _names(body: list[ast.stmt]) -> Iterator[tuple[str, Definition]]:
    for node in _statements(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(row.lineno for row in node.decorator_list)])
            written = tuple(ast.unparse(row)[:120] for row in node.decorator_list)
            calls = _calls_super(node)
            place = Definition(node.lineno, first, node.end_lineno, written, calls)
            yield node.name, place
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for part in getattr(target, "elts", [target]):
                    if isinstance(part, ast.Name):
                        line = node.lineno
                        yield part.id, Definition(line, line, node.end_lineno)


def _calls_super(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == function.name
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "super"
        for node in ast.walk(function)
    )


def module_name(path: str) -> str:
    """Return the module that a file is of; ``odoo``: it is of the framework."""
    found = module_of(path)
    return found[0] if found else "odoo"


class Places:
    """Places as they are told: short, with the folders that they begin with once.

    :param readable: tells of a path whether the caller may read that file
    """

    def __init__(self, readable: Callable[[str], bool]) -> None:
        self.readable = readable
        self.files: set[str] = set()
        self._folders: dict[str, set[str]] = {}

    def folders(self) -> dict[str, list[str]]:
        """Return the folders that hold the modules of all places that were told."""
        return {name: sorted(found) for name, found in sorted(self._folders.items())}

    def at(self, path: str, line: int | None = None) -> str:
        """Return ``sale/models/res_partner.py:12``."""
        self.files.add(path)
        found = module_of(path)
        if found:
            name, rest = found
            folder = path[: -len(f"/{name}/{rest}")]
            short = f"{name}/{rest}"
        elif path.startswith(BESIDE + os.sep):
            name, folder, short = "odoo", BESIDE, path[len(BESIDE) + 1 :]
        else:
            return f"{path}:{line}" if line else path
        self._folders.setdefault(folder, set()).add(name)
        return f"{short}:{line}" if line else short

    def of_class(self, owner: type) -> str:
        """Return the place of a class."""
        path, found = file_of(owner), class_of(owner)
        return self.at(path, found.line if found else None) if path else "no file"

    def of_name(self, owner: type, name: str) -> str:
        """Return the place of a name in a class; that of the class if it is made."""
        found = definition_of(owner, name)
        path = file_of(owner)
        return self.at(path, found.line) if found and path else self.of_class(owner)

    def code(self, owner: type, name: str) -> str:
        """Return how a name is defined, in one line; empty: it may not be read."""
        found, path = definition_of(owner, name), file_of(owner)
        if not found or not path or not self.readable(path):
            return ""
        lines = _lines(path, found.line, found.last)
        text = " ".join(line.strip() for line in lines)
        text = text.partition("=")[2].strip() if "=" in lines[0] else text
        return text if len(text) <= LONGEST_CODE else f"{text[:LONGEST_CODE]}…"

    def excerpt(self, path: str, first: int, last: int | None = None) -> str:
        """Return lines of a file, at most ten; empty: it may not be read."""
        if not self.readable(path):
            return ""
        end = min(last or first + MOST_EXCERPT, first + MOST_EXCERPT - 1)
        lines = _lines(path, first, end)
        return "\n".join(line.rstrip()[:LONGEST_LINE] for line in lines)


def _lines(path: str, first: int, last: int) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().split("\n")[first - 1 : last]
    except OSError:
        return []
