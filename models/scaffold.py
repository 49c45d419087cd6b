"""Write a module, or a part of one: nothing before all is checked, and over nothing.

A disk that fails midway keeps what was written until then.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from odoo import release

from .. import compat
from .exceptions import ToolError
from .file_access import folder_of, open_file, replacing, size_of
from .file_writes import write_all
from .module_folder import addons_paths, module_folder, own_addons_paths
from .scaffold_files import (
    access,
    model_files,
    module_files,
    names,
    with_data,
    with_import,
)
from .scaffold_templates import ACCESS_HEADER, TEST

MODULE_NAME = re.compile(r"[a-z][a-z0-9_]*")
MODEL_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")

MOST_READ = 1024 * 1024


class Scaffold:
    """One module that is made, or added to.

    :param reachable: returns the real path of one that may be written, as
        ``mcp.toolset.filesystem`` does
    """

    def __init__(self, env, reachable: Callable[[str], str]) -> None:
        self.env = env
        self.reachable = reachable

    def module(self, name: str, model: str | None, path: str | None) -> dict:
        """Make a module.

        :raise ToolError: there is one, or nowhere to put it
        """
        require_name(name, MODULE_NAME, "module")
        model = model or f"{name}.record"
        self._require_new_model(model)
        if found := compat.module_path(name):
            raise ToolError(f"There is a module {name!r} already, in {found}.")
        folder = Path(self._addons_path(path), name)
        files = module_files(
            name, model, self.env.company.name or "Author", release.series
        )
        return self._written(folder, files, {}, f"install_module('{name}')", name)

    def model(self, name: str, module: str) -> dict:
        """Add a model to a module, with views, access rules and a test."""
        self._require_new_model(name)
        folder = module_folder(self.env, module)
        file = names(name)["file"]
        has = {path.name for path in folder.glob("*/*.xml")}
        own = f"{module}_groups.xml" in has
        manager = f"{module}_group_manager" if own else "base.group_system"
        parent = f"{module}_menu_root" if f"{module}_menus.xml" in has else ""
        files = model_files(name, parent)
        rules = "security/ir.model.access.csv"
        changed = {
            "models/__init__.py": lambda text: with_import(text, file),
            "__init__.py": lambda text: with_import(text, "models"),
            "tests/__init__.py": lambda text: with_import(text, f"test_{file}"),
            rules: lambda text: (
                _line_ended(text or ACCESS_HEADER) + access(name, manager)
            ),
            "__manifest__.py": lambda text: with_data(
                text, rules, f"views/{file}_views.xml"
            ),
        }
        return self._written(
            folder, files, changed, f"upgrade_module('{module}')", module
        )

    def test(self, name: str, module: str) -> dict:
        """Add a test to a module."""
        folder = module_folder(self.env, module)
        name = name.removeprefix("test_").replace(".", "_")
        require_name(name, MODULE_NAME, "test")
        files = {f"tests/test_{name}.py": TEST.format(**names(name), module=module)}
        changed = {"tests/__init__.py": lambda text: with_import(text, f"test_{name}")}
        return self._written(folder, files, changed, "", module)

    def _require_new_model(self, name: str) -> None:
        require_name(name, MODEL_NAME, "model")
        if name in self.env:
            raise ToolError(
                f"There is a model {name!r} already. To add to it, write a class with "
                f'_inherit = "{name}" with write_file.'
            )

    def _addons_path(self, path: str | None) -> str:
        """Return the folder for a new module.

        :raise ToolError: Odoo would not find it there, or it cannot be written
        """
        if path is None:
            if not (own := own_addons_paths(self.reachable)):
                raise ToolError(
                    "No addons path but Odoo's own is writable for the server and "
                    "among the folders that it may reach: add one to addons_path and "
                    "restart, or to Settings > MCP Server > Folders."
                )
            return own[0]
        known = addons_paths()
        if os.path.realpath(path) not in known:
            raise ToolError(
                f"Odoo would not find a module in {path!r}. Its addons paths: "
                f"{', '.join(known)}."
            )
        return path

    def _written(
        self,
        folder: Path,
        files: Mapping[str, str],
        changes: Mapping[str, Callable[[str], str]],
        install: str,
        module: str,
    ) -> dict:
        """Write new files, then those that are there: nothing before all is known.

        :raise ToolError: a file is there, or cannot be written
        """
        ready = {}
        for path, text in files.items():
            real = self.reachable(str(folder / path))
            if os.path.lexists(real):
                raise ToolError(f"{real!r} exists already; nothing was written.")
            ready[real] = text
        made, changed = list(ready), []
        for path, change in changes.items():
            real = self.reachable(str(folder / path))
            before = _text_of(real)
            try:
                after = change(before or "")
            except (SyntaxError, ValueError) as error:
                raise ToolError(
                    f"{real!r} is no Python that can be added to: {error}; nothing was "
                    "written."
                ) from error
            if after != before:
                ready[real] = after
                (made if before is None else changed).append(real)
        for real, text in ready.items():
            write(real, text, new=real in made)
        steps = [install, f"run_tests(modules=['{module}'])"]
        if install.startswith("install"):
            steps[1] += " once it is installed"
        found = {
            "folder": str(folder),
            "files": [os.path.relpath(real, folder) for real in made],
            "changed": [os.path.relpath(real, folder) for real in changed],
            "next": ", then ".join(filter(None, steps)),
        }
        return {key: value for key, value in found.items() if value}


def require_name(name: str, pattern: re.Pattern, what: str) -> None:
    """Refuse what cannot be the name of a ``what``.

    :raise ToolError: it has other characters
    """
    if not pattern.fullmatch(name):
        example = {"model": "library.book"}.get(what, "library_loan")
        raise ToolError(
            f"{name!r} is no name for a {what}: small letters, digits and '_', as in "
            f"{example}."
        )


def write(real: str, text: str, *, new: bool) -> None:
    """Write a file whole; a new one over nothing.

    :raise ToolError: it is there, or cannot be written
    """
    with folder_of(real, create=True) as (folder, name):
        if new and size_of(folder, name) is not None:
            raise ToolError(f"{real!r} exists already.")
        with replacing(folder, name) as descriptor:
            write_all(descriptor, text.encode())


def _text_of(real: str) -> str | None:
    """Return a file's text; None: there is none.

    :raise ToolError: it is no text, or cannot be read
    """
    if not os.path.lexists(real):
        return None
    with (
        folder_of(real) as (folder, name),
        os.fdopen(open_file(folder, name, os.O_RDONLY), "rb") as file,
    ):
        data = file.read(MOST_READ + 1)
    if len(data) > MOST_READ:
        raise ToolError(f"{real!r} is too large to be added to.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ToolError(f"{real!r} is no text that can be added to.") from error


def _line_ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
