"""The addon's own code in this process, for what needs neither server nor database."""

import importlib
import sys
from types import ModuleType

from dev import paths
from dev.odoo_source import OdooSource

PACKAGE = f"odoo.addons.{paths.ADDON}"


def module(source: OdooSource, name: str) -> ModuleType:
    """A module of the addon by its name below it, with the Odoo of ``source``."""
    reachable(source)
    return importlib.import_module(f"{PACKAGE}.{name}")


def reachable(source: OdooSource) -> None:
    """Let ``import`` find this Odoo, and the addon among its own."""
    package = str(source.package.parent)
    if package not in sys.path:
        sys.path.insert(0, package)
    addons = importlib.import_module("odoo.addons")
    for path in (*source.addons_paths, paths.addons_link()):
        if str(path) not in addons.__path__:
            addons.__path__.append(str(path))
