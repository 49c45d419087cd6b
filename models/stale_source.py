"""Which source files are newer than what this server has loaded of them."""

import os
from collections.abc import Iterable

from . import odoo_process
from .addon_source import module_of


def changed(env, paths: Iterable[str]) -> list[str]:
    """Return the files that were changed since this server loaded them.

    A module is loaded when the server starts, or when it is installed later.
    """
    since = odoo_process.python_since()
    newer = {path: when for path in paths if (when := _changed_at(path)) > since}
    modules = {path: found[0] for path in newer if (found := module_of(path))}
    installed = _installed_at(env, set(modules.values()))
    return sorted(
        path
        for path, when in newer.items()
        if when > installed.get(modules.get(path, ""), 0)
    )


def _changed_at(path: str) -> float:
    """Return when a file was changed; the time of a copy may be its original's."""
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return max(found.st_mtime, found.st_ctime)


def _installed_at(env, modules: set[str]) -> dict[str, float]:
    """Return when modules were installed, epoch seconds."""
    if not modules:
        return {}
    env.cr.execute(
        "SELECT module, extract(epoch FROM min(create_date)) FROM ir_model_data "
        "WHERE module IN %s GROUP BY module",
        [tuple(modules)],
    )
    return {name: float(when or 0) for name, when in env.cr.fetchall()}
