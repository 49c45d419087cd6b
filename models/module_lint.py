"""What is wrong with a module's files, as far as Odoo's own rules tell."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from odoo import release

from .. import compat
from .module_lint_data import DataLint, files
from .nearest import nearest

LOADED = ("data", "demo")
"""Keys of a manifest that list files."""

FOLDERS = ("data", "report", "reports", "security", "views", "wizard", "wizards")
"""Where a file that no manifest lists is forgotten, most likely."""

VERSION = re.compile(r"(\d+\.0)\.\d+\.\d+(\.\d+)?")


class Finding(NamedTuple):
    """One of what is wrong.

    :param path: relative to the module
    :param severity: ``error``: it does not load; ``warning``: it is not what is meant
    """

    path: str
    line: int
    code: str
    severity: str
    message: str


class ModuleLint:
    """The checks of one module.

    :param env: knows models, fields and XML ids of what is installed
    """

    def __init__(self, env, name: str, folder: str) -> None:
        self.env = env
        self.name = name
        self.folder = Path(folder)
        self.found: list[Finding] = []

    def all(self) -> list[Finding]:
        """Return what is wrong, in the order of files."""
        self._check_python()
        self._check_manifest()
        DataLint(self.env, self.name, self.folder, self._add).check()
        return self.found

    def _add(self, path: Path, line: int, code: str, message: str, severity="error"):
        own = str(path.relative_to(self.folder))
        self.found.append(Finding(own, line, code, severity, message))

    def _check_python(self) -> None:
        for path in files(self.folder, "*.py"):
            try:
                tree = ast.parse(path.read_bytes(), str(path))
            except (SyntaxError, ValueError) as error:
                line = getattr(error, "lineno", None) or 1
                self._add(path, line, "syntax-error", getattr(error, "msg", str(error)))
                continue
            if path.name == "__init__.py":
                self._check_imports(path, tree)

    def _check_imports(self, path: Path, tree: ast.Module) -> None:
        """Find what ``__init__.py`` names that is not there, and the reverse."""
        named = {
            alias.name: node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.level == 1 and not node.module
            for alias in node.names
        }
        there = {each.stem for each in path.parent.glob("*.py")} - {
            *("__init__", "__manifest__")
        }
        packages = {each.parent.name for each in path.parent.glob("*/__init__.py")}
        for name in sorted(set(named) - there - packages - _bound(tree)):
            text = f"{name} is not there.{nearest(name, there | packages)}"
            self._add(path, named[name], "import-missing", text)
        if path.parent.name in ("models", "wizard", "wizards", "controllers", "tests"):
            begins = "test_" if path.parent.name == "tests" else ""
            for name in sorted(there - set(named) - _modules_of(tree)):
                if name.startswith(begins):
                    self._add(
                        path,
                        1,
                        "not-imported",
                        f"{name}.py is imported by nobody: add 'from . import {name}'.",
                        "warning",
                    )

    @functools.cached_property
    def manifest(self) -> dict:
        """The manifest, empty if it cannot be read."""
        path = self.folder / "__manifest__.py"
        try:
            found = ast.literal_eval(path.read_text())
        except (OSError, SyntaxError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _check_manifest(self) -> None:
        path = self.folder / "__manifest__.py"
        if not self.manifest:
            self._add(
                path, 1, "manifest-unreadable", "It is no dictionary of literals."
            )
            return
        if not (self.folder / "__init__.py").exists():
            self._add(path, 1, "init-missing", "There is no __init__.py beside it.")
        lines = path.read_text().split("\n")
        listed = [str(p) for key in LOADED for p in self.manifest.get(key) or []]
        self._check_listed(path, lines, listed)
        for name in self.manifest.get("depends") or []:
            if not compat.module_path(name):
                known = self.env["ir.module.module"].sudo()._read_group([], ["name"])
                text = f"There is no module {name!r} in the addons paths."
                text += nearest(name, [row for (row,) in known])
                self._add(path, _line_of(lines, name), "depends-missing", text)
        version = VERSION.fullmatch(str(self.manifest.get("version", "")))
        if version and version[1] != release.series and version[2]:
            text = f"The version is of {version[1]}; this is Odoo {release.series}."
            self._add(path, _line_of(lines, "version"), "version-series", text)
        if not self.manifest.get("license"):
            text = "No license is named: Odoo warns, and takes LGPL-3."
            self._add(path, 1, "license-missing", text, "warning")

    def _check_listed(self, path: Path, lines: list[str], listed: list[str]) -> None:
        here = {
            str(each.relative_to(self.folder))
            for folder in FOLDERS
            for each in (self.folder / folder).rglob("*")
            if each.suffix in (".xml", ".csv")
        }
        for name in listed:
            if not (self.folder / name).is_file():
                text = f"{name} is not there.{nearest(name, here)}"
                self._add(path, _line_of(lines, name), "file-missing", text)
        for name in sorted(here - set(listed)):
            text = "The manifest does not list it: Odoo does not load it."
            self._add(self.folder / name, 1, "file-not-listed", text, "warning")


def _bound(tree: ast.Module) -> set[str]:
    """Return the names that a module defines itself."""
    defined = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, defined)}


def _modules_of(tree: ast.Module) -> set[str]:
    """Return the modules of ``from .name import …``."""
    return {
        node.module.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
    }


def _line_of(lines: list[str], text: str) -> int:
    found: Iterator[int] = (
        number for number, line in enumerate(lines, 1) if text in line
    )
    return next(found, 1)
