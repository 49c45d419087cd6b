"""``make lint``: ruff on everything, pylint-odoo on the addon."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dev import console, paths, python_env

# What is part of the repository but not of the addon.
NOT_ADDON = {"dev"}


def main() -> int:
    """Run every linter, even after one complained; status 1 if any did."""
    env = python_env.environment("lint")
    caches = {
        "RUFF_CACHE_DIR": str(paths.cache() / "ruff"),
        "PYLINTHOME": str(paths.cache() / "pylint"),
    }
    statuses = []
    for command in _commands(env.bin):
        console.progress(" ".join(Path(part).name for part in command[:2]))
        done = subprocess.run(
            command, cwd=paths.REPOSITORY, env=env.variables(caches), check=False
        )
        statuses.append(done.returncode)
    return 1 if any(statuses) else 0


def _commands(programs: Path) -> list[Sequence[str]]:
    ruff, pylint = str(programs / "ruff"), str(programs / "pylint")
    options = ("--rcfile=.pylintrc", "--load-plugins=pylint_odoo", "--score=n")
    return [
        (ruff, "check", "."),
        (ruff, "format", "--check", "."),
        (pylint, *options, *_addon_sources()),
    ]


def _addon_sources() -> list[str]:
    """The addon's Python; its manifest brings XML, CSV and PO checks with it."""
    return sorted(
        path.name
        for path in paths.REPOSITORY.iterdir()
        if path.name not in NOT_ADDON and _is_python(path)
    )


def _is_python(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()
