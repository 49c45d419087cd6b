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

PYTHON_WARNINGS = "py.warnings"
"""Deprecations that Python tells of Odoo itself: nobody here can do anything."""


def run(database: str, name: str, method: str) -> dict:
    """Do it in this process, a fork, and tell: ``error``, ``log``, ``loaded``.

    :param method: ``button_immediate_install`` or ``button_immediate_upgrade``
    """
    # the transaction is this process's own
    # pylint: disable=invalid-commit
    compat.forget_manifests()
    with closing(Registry(database).cursor()) as cr, complaints() as log:
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
        loaded = Registry(database).updated_modules if not error else []
        if error:
            cr.rollback()
        else:
            cr.commit()
    return {"error": error, "log": log[-MOST_LINES:], "loaded": list(loaded)}


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
def complaints() -> Iterator[list[str]]:
    """Collect the warnings and errors that are logged meanwhile."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name != PYTHON_WARNINGS:
                found.append(self.format(record)[:LONGEST_LINE])

    handler = Collector(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(handler)
