"""The files of a new module, model or test, and changes of those that are there."""

import ast
import re

from .exceptions import ToolError
from .scaffold_templates import (
    ACCESS,
    ACCESS_HEADER,
    GROUPS,
    MANIFEST,
    MENUS,
    MODEL,
    MODEL_TEST,
    README,
    VIEWS,
)


def names(model: str) -> dict[str, str]:
    """Return what a model is called where.

    >>> sorted(names("library.book").values())
    ['Book', 'LibraryBook', 'library.book', 'library_book', 'library_book']
    """
    table = model.replace(".", "_")
    return {
        "model": model,
        "table": table,
        "file": table,
        "cls": "".join(part.title() for part in re.split(r"[._]", model)),
        "label": model.rpartition(".")[2].replace("_", " ").title(),
    }


def model_files(model: str, parent: str) -> dict[str, str]:
    """Return the new files of a model, but access rules and ``__init__.py``.

    :param parent: menu that its menu is below; empty: none
    """
    known = names(model)
    below = f'\n        parent="{parent}"' if parent else ""
    file = known["file"]
    return {
        f"models/{file}.py": MODEL.format(**known),
        f"views/{file}_views.xml": VIEWS.format(**known, parent=below),
        f"tests/test_{file}.py": MODEL_TEST.format(**known),
    }


def access(model: str, manager: str) -> str:
    """Return the access rules of a model."""
    return ACCESS.format(**names(model), manager=manager)


def module_files(module: str, model: str, author: str, series: str) -> dict[str, str]:
    """Return the files of a module with one model."""
    title = module.replace("_", " ").title()
    label = names(model)["label"].lower()
    known = {
        **names(model),
        "module": module,
        "title": title,
        "title_xml": title,
        "summary": f"Keep each {label} with who is responsible for it",
        "author": author,
        "series": series,
    }
    file = known["file"]
    manager = f"{module}_group_manager"
    manifest = MANIFEST.format(**known)
    # as ruff and black quote
    manifest = re.sub(r"'((?:[^'\\\"])*)'", r'"\1"', manifest)
    return {
        "__manifest__.py": manifest,
        "__init__.py": "from . import models\n",
        "README.md": README.format(**known),
        "models/__init__.py": f"from . import {file}\n",
        "tests/__init__.py": f"from . import test_{file}\n",
        f"security/{module}_groups.xml": GROUPS.format(**known),
        "security/ir.model.access.csv": ACCESS_HEADER + access(model, manager),
        f"views/{module}_menus.xml": MENUS.format(**known),
        **model_files(model, f"{module}_menu_root"),
    }


def with_import(source: str, name: str) -> str:
    r"""Return an ``__init__.py`` that imports ``name``, too.

    >>> with_import("from . import a\n", "b")
    'from . import a\nfrom . import b\n'
    """
    imported = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.level == 1 and not node.module
        for alias in node.names
    }
    if name in imported:
        return source
    begin = source if not source or source.endswith("\n") else f"{source}\n"
    return f"{begin}from . import {name}\n"


def with_data(source: str, *added: str) -> str:
    """Return a manifest whose ``data`` lists these files, too, in the end.

    All else in it stays as it is written.

    >>> print(with_data('{"data": ["a.xml"]}', "b.xml"), end="")
    {"data": ["a.xml",
            "b.xml",
        ]}

    :raise ToolError: it is none that can be changed so
    """
    try:
        manifest = ast.parse(source.strip(), mode="eval").body
        known = ast.literal_eval(manifest).get("data", [])
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ToolError(f"The manifest cannot be read: {error}.") from error
    source = source.strip() + "\n"
    missing = [path for path in added if path not in known]
    if not missing:
        return source
    lines = "".join(f'        "{path}",\n' for path in missing)
    found = dict(
        zip((key.value for key in manifest.keys), manifest.values, strict=True)
    )
    if "data" in found:
        node = found["data"]
        at = _offset(source, node.end_lineno, node.end_col_offset) - 1
        return f"{_with_comma(source[:at])}\n{lines}    {source[at:]}"
    at = _offset(source, manifest.end_lineno, manifest.end_col_offset) - 1
    return f'{_with_comma(source[:at])}\n    "data": [\n{lines}    ],\n{source[at:]}'


def _with_comma(text: str) -> str:
    """Return what comes before the end of a list, ready for one more item."""
    text = text.rstrip()
    comment = text.rpartition("\n")[2]
    if text.endswith((",", "[", "{")):
        return text
    # a comment that ends the line would swallow the comma
    return f"{text}\n        ," if "#" in comment else f"{text},"


def _offset(source: str, line: int, column: int) -> int:
    """Return where a place of the syntax tree is in the text; columns are bytes."""
    lines = source.splitlines(keepends=True)
    before = lines[line - 1].encode()[:column].decode()
    return len("".join(lines[: line - 1])) + len(before)
