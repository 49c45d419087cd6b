"""pylint with pylint-odoo, where there is one, in a process that ends in time."""

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import command
from .live_call import LiveCall
from .module_lint import Finding
from .pylint_config import Taken, config_of, taken

KEEP = 2_000_000

SEVERITIES = {"error": "error", "fatal": "error", "warning": "warning"}

MISSING = (
    "For more: pip install pylint-odoo, into the server's Python ({python}) or so that "
    "its PATH has it."
)
NOT_TAKEN = "Not taken from {config}, as a look runs no code: {names}."
TOO_MUCH = (
    "pylint failed: it told more than {most} bytes. Have it look for less with "
    "disable= in a .pylintrc of the module."
)
NO_PLUGIN = "bad-plugin-value"

WITHOUT_FOLDER = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from pylint import run_pylint; run_pylint()"
)
"""As ``-m pylint``, which imports from the folder that it looks at."""


def program() -> list[str] | None:
    """Return the command of pylint: of this Python, or of the PATH."""
    if importlib.util.find_spec("pylint_odoo") and importlib.util.find_spec("pylint"):
        return [sys.executable, "-c", WITHOUT_FOLDER]
    found = shutil.which("pylint")
    return [found] if found else None


def findings(
    folder: Path, timeout: float, call: LiveCall
) -> tuple[list[Finding], str, str]:
    """Return what pylint finds; which linter it was (empty: none); what to do.

    :param timeout: seconds
    :raise Cancelled: the call was stopped
    """
    own = program()
    if not own:
        return [], "", MISSING.format(python=sys.executable)
    config = config_of(folder)
    try:
        used = taken(config) if config else Taken("", [])
    except ValueError as error:
        return [], "", f"pylint was not run: {error}."
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as rcfile:
        rcfile.write(used.text)
        rcfile.flush()
        options = [f"--rcfile={rcfile.name}"] if config else default_options()
        ended = command.run(
            [*own, *options, "--load-plugins=pylint_odoo", "--output-format=json", "."],
            timeout=timeout,
            keep=KEEP,
            # the module's own parent is its package, whatever the server's folder is
            cwd=str(folder),
            env=_environment(),
            call=call,
            hear=lambda _data: None,
        )
    if ended.timed_out:
        return [], "", f"pylint was stopped after {timeout:g} s."
    try:
        rows = json.loads("".join(ended.stdout.partition("[")[1:]))
    except ValueError:
        if len(ended.stdout) >= KEEP // 2:
            return [], "", TOO_MUCH.format(most=KEEP)
        said = ended.error or ended.stderr or ended.stdout
        return [], "", f"pylint failed: {said.strip()[-500:]}"
    if any(row["symbol"] == NO_PLUGIN for row in rows):
        return [], "", MISSING.format(python=sys.executable)
    linter = "pylint-odoo" + (f" with {config}" if config else "")
    names = ", ".join(used.missed)
    hint = NOT_TAKEN.format(config=config, names=names) if names else ""
    return [_finding(row, folder) for row in rows], linter, hint


def _environment() -> dict[str, str]:
    """Return pylint's environment; an empty part of PYTHONPATH is the folder itself."""
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return command.harmless_environment(
        {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, path)),
        }
    )


def default_options() -> list[str]:
    """Return what pylint-odoo is asked where nobody has configured it.

    By default it wants every module to be of the Odoo Community Association.
    """
    return [
        *("--rcfile=/dev/null", "--disable=all", "--enable=odoolint,syntax-error"),
        "--disable=manifest-required-author",
    ]


def _finding(row: dict, folder: Path) -> Finding:
    path = os.path.relpath(folder / row["path"], folder)
    severity = SEVERITIES.get(row["type"], "info")
    code = f"{row['symbol']} ({row['message-id']})"
    return Finding(path, row["line"] or 1, code, severity, row["message"])
