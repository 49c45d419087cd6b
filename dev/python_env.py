"""Virtual environments of the harness: Odoo with its tests, the client, the linters.

Each is named by what it was built from, so that a changed requirement builds another.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev import console, paths
from dev.console import HarnessError

OLDEST = (3, 10)
NEWEST = (3, 13)
HERE = Path(__file__).resolve().parent
RUNTIME_REQUIREMENTS = paths.REPOSITORY / "requirements.txt"

REQUIREMENTS = {
    "odoo": (HERE / "requirements-odoo.txt", RUNTIME_REQUIREMENTS),
    "coverage": (HERE / "requirements-coverage.txt",),
    "client": (HERE / "requirements-client.txt",),
    "fastmcp": (HERE / "requirements-fastmcp.txt",),
    "lint": (HERE / "requirements-lint.txt",),
    "mcp-server-odoo": (HERE / "requirements-mcp-server-odoo.txt",),
    "odoo-mcp": (HERE / "requirements-odoo-mcp.txt",),
}


@dataclass(frozen=True)
class PythonEnv:
    """A built virtual environment."""

    root: Path

    @property
    def bin(self) -> Path:
        """Folder of its programs."""
        return self.root / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"

    def variables(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment for a process of this one.

        Its programs come first in PATH: Odoo restarts itself on SIGHUP by looking its
        interpreter up by name. Compiled modules go to the cache, not beside the source.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "PYTHONHOME", "ODOO_RC", "OPENERP_SERVER")
        }
        return {
            **inherited,
            "VIRTUAL_ENV": str(self.root),
            "PATH": f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPYCACHEPREFIX": str(paths.cache() / "pycache"),
            **(extra or {}),
        }


def environment(kind: str) -> PythonEnv:
    """The environment for a key of :data:`REQUIREMENTS`, built on first use."""
    files = [path for path in REQUIREMENTS[kind] if path.exists()]
    wanted = [path.read_text() for path in files]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = Path(sys.executable).resolve()
    name = f"venv-{kind}-{version}-{paths.digest(interpreter, *wanted)}"
    env = PythonEnv(paths.cache() / name)
    with console.exclusive(name):
        if not _complete(env).exists():
            _build(env, kind, files)
    return env


def _complete(env: PythonEnv) -> Path:
    return env.root / "complete"


def _build(env: PythonEnv, kind: str, files: list[Path]) -> None:
    _require_version()
    shutil.rmtree(env.root, ignore_errors=True)
    console.progress(f"building the Python environment for {kind} (about 30 s)…")
    _create(env)
    pip = [env.python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    options = [part for path in files for part in ("-r", path)]
    console.run(
        [*pip, "install", "--quiet", *options],
        failure=f"pip cannot install the packages for {kind} (is its index in reach?)",
    )
    _complete(env).touch()


def _require_version() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise HarnessError(
            f"Python {sys.version_info.major}.{sys.version_info.minor} does not run "
            "Odoo 18.0 and 19.0: use 3.10 to 3.13, e.g. make PYTHON=python3.12 …"
        )


def _create(env: PythonEnv) -> None:
    """Make an empty environment, with Debian's python3-venv fetched where it lacks."""
    if not _has_ensurepip():
        _install_venv_package()
    console.run(
        [sys.executable, "-m", "venv", env.root],
        failure=f"{sys.executable} cannot make a virtual environment",
    )


def _has_ensurepip() -> bool:
    """Debian keeps it in a package of its own, python3-venv."""
    return importlib.util.find_spec("ensurepip") is not None


def _install_venv_package() -> None:
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    apt_install(package, needed_for="virtual environments")


def apt_install(*packages: str, needed_for: str) -> None:
    """Install Debian packages as root; anybody else is told to have it done."""
    names = " ".join(packages)
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise HarnessError(
            f"{needed_for} need {names}: install it (apt-get install {names})"
        )
    console.progress(f"installing {names} with apt-get…")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    console.run(["apt-get", "-qq", "update"], failure="apt-get update", env=quiet)
    console.run(
        ["apt-get", "-qq", "install", "--no-install-recommends", "-y", *packages],
        failure=f"apt-get cannot install {names}",
        env=quiet,
    )
