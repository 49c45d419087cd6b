"""Where a module is on disk, installed or not, and whatever its manifest says."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from odoo.tools import config

import odoo.addons

from .. import compat
from .addon_source import delivered
from .exceptions import ToolError
from .nearest import nearest
from .odoo_child import option_text


def module_folder(env, name: str) -> Path:
    """Return the folder of a module, as Odoo would find it.

    19.0 knows no module whose manifest cannot be read, which is to be told.

    :raise ToolError: there is none, with the nearest that are
    """
    if name.isidentifier():
        if path := compat.module_path(name):
            return Path(path)
        for folder in odoo.addons.__path__:
            if Path(folder, name, "__manifest__.py").is_file():
                return Path(folder, name)
    modules = env["ir.module.module"].sudo()
    known = [row for (row,) in modules._read_group([], ["name"])]
    raise ToolError(
        f"There is no module {name!r} in the addons paths."
        + nearest(name, known, "See list_modules.")
    )


def addons_paths() -> list[str]:
    """Return the real paths where Odoo finds modules, those of addons_path first: the
    one of the data folder comes last."""
    configured = option_text(config["addons_path"]).split(",")
    paths = [*map(str.strip, configured), *odoo.addons.__path__]
    return list(dict.fromkeys(map(os.path.realpath, filter(None, paths))))


def own_addons_paths(reachable: Callable[[str], str]) -> list[str]:
    """Return the addons paths where a new module may be put, none of Odoo's own.

    :param reachable: as ``mcp.toolset.filesystem`` has it
    """
    found = []
    for path in addons_paths():
        if os.access(path, os.W_OK) and not delivered(os.path.join(path, "module")):
            with contextlib.suppress(ToolError):
                found.append(reachable(path))
    return found
