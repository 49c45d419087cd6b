"""How much of the modules the tests have run, as coverage.py measures it."""

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import command
from .exceptions import ToolError

MOST_FILES = 30
MOST_RANGES = 15


def require() -> None:
    """Refuse what cannot be measured.

    :raise ToolError: the server's Python has no coverage.py
    """
    if not importlib.util.find_spec("coverage"):
        raise ToolError(
            f"coverage is not installed where the server runs: {sys.executable} -m pip "
            "install coverage. Or leave out coverage."
        )


def measured(program: Sequence[str], folders: Sequence[str], data: Path) -> list[str]:
    """Return the command that measures another Python command.

    :param folders: what is measured
    :param data: the file for what is found
    """
    interpreter, *rest = program
    options = [f"--data-file={data}", f"--source={','.join(folders)}"]
    return [interpreter, "-m", "coverage", "run", *options, *rest]


def report(interpreter: str, data: Path, timeout: float, call) -> dict:
    """Return the percentage of all and of each file, the least covered first."""
    target = data.with_suffix(".json")
    argv = [interpreter, "-m", "coverage", "json", f"--data-file={data}"]
    argv += ["-o", str(target), "-q"]
    ended = command.run(argv, timeout=timeout, keep=2000, env=os.environ, call=call)
    if not target.exists():
        return {"error": (ended.stderr or ended.stdout).strip()[-500:]}
    found = json.loads(target.read_text())
    files = [
        {
            "file": path,
            "percent": round(row["summary"]["percent_covered"], 1),
            "missing": ranges(row["missing_lines"]),
        }
        for path, row in found["files"].items()
        if row["missing_lines"]
    ]
    files.sort(key=lambda row: row["percent"])
    told = {
        "percent": round(found["totals"]["percent_covered"], 1),
        "files": files[:MOST_FILES],
    }
    if len(files) > MOST_FILES:
        told["more_files"] = len(files) - MOST_FILES
    return told


def ranges(lines: Sequence[int]) -> str:
    """Return line numbers as ranges, so many at most.

    >>> ranges([1, 2, 3, 7])
    '1-3, 7'
    """
    found: list[list[int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    told = [f"{a}-{b}" if a < b else f"{a}" for a, b in found[:MOST_RANGES]]
    return ", ".join(told) + (", …" if len(found) > MOST_RANGES else "")
