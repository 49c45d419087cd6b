"""Which tests are asked for: Odoo's tags, checked against the files before they run.

Odoo itself runs nothing, and says nothing, where a class or method is misspelt.
"""

import ast
import functools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .exceptions import ToolError
from .nearest import nearest

SPEC = re.compile(
    r"(?P<sign>[+-]?)(?P<tag>\*|\w*)(?P<file>/[\w/.-]+\.py)?(?:/(?P<module>\w+))?"
    r"(?::(?P<cls>\w*))?(?:\.(?P<method>\w*))?(?:\[(?P<parameters>.*)\])?"
)
"""One of ``--test-tags`` of both series: see ``odoo/tests/tag_selector.py``."""


class Spec(NamedTuple):
    """One of the tags, by its parts; each may be empty."""

    sign: str
    tag: str
    file: str
    module: str
    cls: str
    method: str
    parameters: str

    def __str__(self) -> str:
        """Return it as Odoo takes it."""
        text = f"{self.sign}{self.tag}{self.file}"
        for mark, part in (("/", self.module), (":", self.cls), (".", self.method)):
            text += f"{mark}{part}" if part else ""
        return text + (f"[{self.parameters}]" if self.parameters else "")

    @property
    def of_module(self) -> str:
        """The module whose tests it means; empty: of any.

        >>> parsed("/sale/tests/test_a.py")[0].of_module
        'sale'
        """
        parts = Path(self.file).parts
        if "tests" in parts:
            return parts[parts.index("tests") - 1]
        return self.module


def parsed(tags: str) -> list[Spec]:
    """Return the parts of ``--test-tags``.

    >>> [str(spec) for spec in parsed("-slow, /sale:TestA.test_b")]
    ['-slow', '/sale:TestA.test_b']

    :raise ToolError: one of them is none
    """
    # not at a comma within brackets
    found = []
    for text in filter(None, map(str.strip, re.split(r",(?![^\[]*\])", tags))):
        match = SPEC.fullmatch(text)
        if not match:
            raise ToolError(
                f"{text!r} is no test tag: [-][tag][/module][:Class][.method], "
                "separated by commas."
            )
        found.append(Spec(**match.groupdict(default="")))
    return found


def of_modules(specs: Sequence[Spec], modules: Sequence[str]) -> list[Spec]:
    """Return tags that mean tests of each of these modules, and those they name.

    >>> [str(spec) for spec in of_modules(parsed(":TestA,-slow"), ["sale", "crm"])]
    ['/sale:TestA', '/crm:TestA', '-slow']
    >>> [str(spec) for spec in of_modules(parsed("-slow"), ["sale"])]
    ['-slow', '/sale']
    >>> [str(spec) for spec in of_modules(parsed("/sale:TestA"), ["sale", "crm"])]
    ['/sale:TestA', '/crm']
    """
    found = []
    for spec in specs:
        if spec.sign == "-" or spec.of_module or not modules:
            found.append(spec)
        else:
            found += [spec._replace(module=module) for module in modules]
    meant = {spec.of_module for spec in found if spec.sign != "-"}
    left = [f"/{module}" for module in modules if module not in meant]
    return found + parsed(",".join(left))


class TestFiles:
    """The test classes of a module, as its files have them now.

    :param folder: of the module
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.files = sorted((self.folder / "tests").rglob("test_*.py"))

    @functools.cached_property
    def classes(self) -> dict[str, tuple[Path, ast.ClassDef]]:
        """The classes that have tests, by name."""
        return {
            node.name: (path, node)
            for path in self.files
            for node in python_of(path).body
            if isinstance(node, ast.ClassDef)
            and (methods_of(node) or inherits_tests(node))
        }

    @functools.cached_property
    def imported(self) -> set[str]:
        """The names that ``tests/__init__.py`` imports: Odoo looks at no other."""
        path = self.folder / "tests" / "__init__.py"
        nodes = ast.walk(python_of(path)) if path.exists() else ()
        return {
            alias.name
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def require(self, spec: Spec) -> None:
        """Refuse a tag that names what is not there.

        :raise ToolError: with the nearest of what is there
        """
        if not self.files:
            raise ToolError(
                f"Module {self.name!r} has no tests: scaffold_module(kind='test') "
                f"begins {self.folder / 'tests'}."
            )
        if not spec.cls:
            self._require_imported(self.files)
            return
        if spec.cls not in self.classes:
            raise ToolError(
                f"There is no test class {spec.cls!r} in the tests of {self.name}."
                + nearest(spec.cls, self.classes, f"There are {self._some()}.")
            )
        path, node = self.classes[spec.cls]
        self._require_imported([path])
        known = methods_of(node)
        if spec.method and spec.method not in known and not inherits_tests(node):
            raise ToolError(
                f"There is no test {spec.method!r} in {self.name}'s {spec.cls}."
                + nearest(spec.method, known, f"There are {', '.join(known[:20])}.")
            )

    def _some(self) -> str:
        return ", ".join(sorted(self.classes)[:20]) or "none"

    def _require_imported(self, paths: Iterable[Path]) -> None:
        top = self.folder / "tests"
        missing = [
            path.stem
            for path in paths
            if path.parent == top and path.stem not in self.imported
        ]
        if missing and len(missing) == len(list(paths)):
            raise ToolError(
                f"Odoo would not find {', '.join(missing)}: add 'from . import "
                f"{', '.join(missing)}' to {top / '__init__.py'}."
            )

    def count(self, spec: Spec) -> int:
        """Return how many tests a tag means, as far as the files say."""
        return sum(
            1
            for name, (path, node) in self.classes.items()
            if spec.cls in ("", name) and str(path).endswith(spec.file)
            for method in methods_of(node)
            if spec.method in ("", method)
        )


def methods_of(node: ast.ClassDef) -> list[str]:
    """Return the names of a class's own tests."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        each.name
        for each in node.body
        if isinstance(each, functions) and each.name.startswith("test")
    ]


def inherits_tests(node: ast.ClassDef) -> bool:
    """Tell whether Odoo runs inherited tests of a class, too."""
    return "allow_inherited_tests_method" in ast.dump(node)


def python_of(path: Path) -> ast.Module:
    """Return what is in a Python file.

    :raise ToolError: it is no Python, and where
    """
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ToolError(
            f"{type(error).__name__} at {path}:{line}: {getattr(error, 'msg', error)}. "
            "No test was run."
        ) from error
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}.") from error
