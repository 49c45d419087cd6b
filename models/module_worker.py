"""What the process does that installs or upgrades a module: a fork of the server.

The server itself imports the module only when it is installed, so that a failed attempt
leaves no Python behind, and the mended files are read anew at the next.
"""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry

from .. import compat

MOST_LINES = 50
LONGEST_LINE = 2000

LOADING = "odoo.modules.loading"
LOADED = "Module %s loaded in "
"""How Odoo begins its line of a module that was installed or upgraded."""

LOADING_MODULE = "Loading module %s (%d/%d)"
"""How Odoo begins the line of a module that it is about to install or upgrade."""

PYTHON_WARNINGS = "py.warnings"
"""Deprecations that Python tells of Odoo itself: nobody here can do anything."""


def run(database: str, name: str, method: str, tell) -> dict:
    """Do it in this process, a fork, and tell: ``error``, ``log``, ``loaded``.

    :param method: ``button_immediate_install`` or ``button_immediate_upgrade``
    :param tell: see :data:`.forked.Tell`
    """
    # the transaction is this process's own
    # pylint: disable=invalid-commit
    compat.forget_manifests()
    with closing(Registry(database).cursor()) as cr, complaints(tell) as (log, loaded):
        env = api.Environment(cr, SUPERUSER_ID, {})
        modules = env["ir.module.module"]
        error = None
        try:
            modules.update_list()
            cr.commit()
            module = modules.search([("name", "=", name)])
            error = refusal(module, name, method)
            if not error:
                getattr(module, method)()
        except UserError as reason:
            error = str(reason)
        except Exception as reason:
            error = _failure(reason)
        if error:
            cr.rollback()
        else:
            cr.commit()
    return {"error": error, "log": log[-MOST_LINES:], "loaded": loaded}


def refusal(module, name: str, method: str) -> str | None:
    """Say why nothing can be done with a module, and what to do instead."""
    if not module:
        return f"There is no module {name!r}."
    if module.state == "uninstallable":
        return (
            f"{name} is not installable: its manifest says 'installable': False, or "
            "its version is another series'."
        )
    if method == "button_immediate_install" and module.state == "installed":
        return f"{name} is installed already. After a change use upgrade_module."
    if method == "button_immediate_upgrade" and module.state != "installed":
        return f"{name} is {module.state}: use install_module."
    return None


def _failure(error: Exception) -> str:
    """Say what broke, and where in the module's own files."""
    causes = [f"{type(error).__name__}: {error}"]
    cause = error.__cause__ or error.__context__
    while cause and len(causes) < 5:
        text = f"{type(cause).__name__}: {cause}"
        if str(cause) not in causes[-1]:
            causes.append(text)
        cause = cause.__cause__ or cause.__context__
    return "\nCaused by ".join(causes)


@contextmanager
def complaints(tell) -> Iterator[tuple[list[str], list[str]]]:
    """Collect what is logged meanwhile: warnings and errors, and the modules that
    Odoo has installed or upgraded and committed. All of it is told at once, too."""
    found: list[str] = []
    loaded: list[str] = []
    # the process ends soon: nobody misses the level that was set
    logging.getLogger(LOADING).setLevel(logging.INFO)

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == LOADING and record.msg.startswith(LOADED):
                loaded.append(record.args[0])
            elif record.name == LOADING and record.msg.startswith(LOADING_MODULE):
                module, number, total = record.args
                tell("progress", [number, total, f"Loading {module}"])
            if record.levelno < logging.WARNING or record.name == PYTHON_WARNINGS:
                return
            found.append(self.format(record)[:LONGEST_LINE])
            tell("log", [record.levelname.lower(), found[-1], record.name])

    handler = Collector(logging.INFO)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield found, loaded
    finally:
        logging.getLogger().removeHandler(handler)
