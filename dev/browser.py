"""Chromium, in which Odoo's test runner walks the tours."""

import os
import shutil

from dev import console
from dev.console import HarnessError
from dev.python_env import apt_install

PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
"""What Odoo's own runner looks for."""


def program() -> str | None:
    """Path of the browser, installed where it is missing; None: it cannot be."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found or os.getuid() != 0:
        return found
    try:
        apt_install("chromium", needed_for="browser tours")
    except HarnessError as error:
        console.progress(str(error))
    return shutil.which("chromium")
