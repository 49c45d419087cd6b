"""The configuration of the Odoo server: this process's, or of the one it works for.

The listener is started with what it needs alone, and from a file of its own.
"""

import json
import os

from odoo.tools import config

from .. import compat
from . import guardrails

_served: dict = {}
"""In a process that works for a server: its ``path``, ``options`` and ``layers``."""


def path() -> str:
    """Return the path of the configuration file that Odoo was started with.

    It need not exist: Odoo then runs without one.
    """
    return _served["path"] if _served else compat.config_file()


def sessions() -> str:
    """Return the folder of Odoo's sessions: the name of a file there is all that a
    browser sends to be who is logged in."""
    return os.path.realpath(os.path.join(options()["data_dir"], "sessions"))


def options() -> dict:
    """Return all options in force, by name."""
    return dict(_served["options"] if _served else config.options)


def layers() -> dict[str, dict]:
    """Return the options that were given, by where: the first layer wins."""
    return _served["layers"] if _served else compat.config_layers()


def handed_over() -> str:
    """Return all of it for a process that works for this server, as JSON."""
    found = {
        "path": path(),
        "options": options(),
        "layers": layers(),
        "guardrails": guardrails.guardrails().options(),
    }
    return json.dumps(found, default=str)


def take_over(text: str) -> None:
    """Have what a server has handed over, and be held by what holds it."""
    found = json.loads(text)
    guardrails.adopt(found.pop("guardrails"))
    _served.update(found)
