"""Which Odoo to run on: found where the developer has one, else fetched.

The order is: ``ODOO_18_HOME``/``ODOO_19_HOME``, a tree in the cache, a clone of the
official repository (18.0), Debian's package (19.0).
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev import console, debian_package, paths
from dev.console import HarnessError

SERIES = ("18.0", "19.0")
REPOSITORY_URL = "https://github.com/odoo/odoo"

# A connection that transfers nothing for this long is given up: no way to the host.
CLONE_STALL_SECONDS = 5
PROBE_SECONDS = 8

DEBIAN_PACKAGES = Path("usr/lib/python3/dist-packages")
DEBIAN_COMMAND = Path("usr/bin/odoo")


@dataclass(frozen=True)
class OdooSource:
    """A tree that runs: ``command`` is handed to Python, with ``pythonpath`` set."""

    series: str
    root: Path
    command: Path
    addons_paths: tuple[Path, ...]
    pythonpath: tuple[Path, ...]
    reason: str

    @property
    def package(self) -> Path:
        """Folder of the ``odoo`` package itself."""
        return (self.pythonpath or (self.root,))[0] / "odoo"

    @property
    def identity(self) -> str:
        """Names this tree at its revision, so that what derives from it can expire."""
        release = (self.package / "release.py").read_text()
        return paths.digest(self.root.resolve(), release, _revision(self.root))


def find(series: str) -> OdooSource:
    """The Odoo of this series, fetched when the machine has none.

    :raise HarnessError: it is not here and cannot be had; the message says why.
    """
    if series not in SERIES:
        raise HarnessError(f"ODOO={series} is unknown: give {' or '.join(SERIES)}")
    source = present(series)
    if source:
        return source
    target = paths.cache() / f"odoo-{series}"
    with console.exclusive(f"odoo-{series}"):
        if not target.exists():
            _fetch(series, target)
    return _read(series, target, f"fetched into {target}")


def present(series: str) -> OdooSource | None:
    """The tree that needs no fetching, if there is one."""
    variable = f"ODOO_{series.partition('.')[0]}_HOME"
    home = console.setting(variable)
    if home:
        return _read(series, Path(home).expanduser().absolute(), f"{variable} is set")
    cached = paths.cache() / f"odoo-{series}"
    return _read(series, cached, "found in the cache") if cached.exists() else None


def asked_for(wanted: str) -> tuple[dict[str, OdooSource], dict[str, str]]:
    """The series that is wanted, or :func:`available` if none is named."""
    return ({wanted: find(wanted)}, {}) if wanted else available()


def available() -> tuple[dict[str, OdooSource], dict[str, str]]:
    """Every series that can be run here, fetched; and why the others cannot."""
    found: dict[str, OdooSource] = {}
    missing: dict[str, str] = {}
    for series in SERIES:
        try:
            found[series] = find(series)
        except HarnessError as error:
            missing[series] = str(error)
    return found, missing


def choose(wanted: str = "") -> OdooSource:
    """The series asked for, else the first that can be had (18.0 is preferred)."""
    if wanted:
        return find(wanted)
    missing: list[str] = []
    for series in SERIES:
        try:
            source = find(series)
        except HarnessError as error:
            missing.append(str(error))
            continue
        for reason in missing:
            console.progress(f"not taken: {reason}")
        return source
    raise HarnessError("; ".join(missing))


def _read(series: str, root: Path, reason: str) -> OdooSource:
    """Recognise the layout of a tree: a source checkout or an unpacked package."""
    if (root / DEBIAN_COMMAND).is_file():
        source = OdooSource(
            series=series,
            root=root,
            command=root / DEBIAN_COMMAND,
            addons_paths=(),
            pythonpath=(root / DEBIAN_PACKAGES,),
            reason=reason,
        )
    else:
        source = OdooSource(
            series=series,
            root=root,
            command=root / "odoo-bin",
            addons_paths=(root / "addons",),
            pythonpath=(),
            reason=reason,
        )
    _require(source)
    return source


def _require(source: OdooSource) -> None:
    release = source.package / "release.py"
    if not source.command.is_file() or not release.is_file():
        raise HarnessError(
            f"{source.root} is no Odoo source tree ({source.reason}): "
            "it needs odoo-bin, odoo/ and addons/"
        )
    found = re.search(r"version_info = \((\d+), (\d+)", release.read_text())
    if not found or ".".join(found.groups()) != source.series:
        raise HarnessError(
            f"{source.root} is not Odoo {source.series} ({source.reason}): "
            "point the variable to a tree of that series, or unset it"
        )


def _revision(root: Path) -> str:
    """Commit of a checkout, read without git, which refuses a foreign owner's tree."""
    head = root / ".git" / "HEAD"
    if not head.is_file():
        return ""
    content = head.read_text().strip()
    target = root / ".git" / content.removeprefix("ref: ")
    return target.read_text().strip() if target.is_file() else content


def _fetch(series: str, target: Path) -> None:
    if series == "19.0":
        debian_package.provision(target)
    else:
        _clone(series, target)


def _clone(series: str, target: Path) -> None:
    """Shallow clone; a machine without a way to the repository knows in seconds."""
    major = series.partition(".")[0]
    remedy = (
        f"Odoo {series}: no source tree here and no way to {REPOSITORY_URL}; "
        f"set ODOO_{major}_HOME, or put a tree at {target}"
    )
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    git = [
        *("git", "-c", "http.lowSpeedLimit=1"),
        *("-c", f"http.lowSpeedTime={CLONE_STALL_SECONDS}"),
    ]
    console.run(
        [*git, "ls-remote", "--heads", REPOSITORY_URL, series],
        failure=remedy,
        env=environment,
        timeout=PROBE_SECONDS,
    )
    console.progress(f"cloning Odoo {series} from {REPOSITORY_URL} (1 GB unpacked)…")
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    options = ["--quiet", "--depth", "1", "--branch", series]
    # The stall limit stays for the transfer; git's own progress goes to the terminal.
    try:
        subprocess.run(
            [*git[:3], "clone", *options, REPOSITORY_URL, str(partial)],
            env=environment,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise HarnessError(f"{remedy} (git clone failed)") from error
    partial.rename(target)
