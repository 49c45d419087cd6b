"""The addon as the harness sees it: what it is made of, and where it is installed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from dev import console, database, paths
from dev.odoo_instance import OdooInstance
from dev.stack import Stack

# Folders that Odoo loads nothing from.
NOT_LOADED = {"dev", "tests", "docs", "node_modules", "__pycache__"}
LOADED_SUFFIXES = {".py", ".xml", ".csv", ".sql", ".js", ".scss", ".css", ".po"}


def fingerprint() -> str:
    """Changes with any file that an installed database was made from."""
    total = hashlib.sha256()
    for path in sorted(_files(paths.REPOSITORY)):
        total.update(str(path.relative_to(paths.REPOSITORY)).encode() + b"\0")
        total.update(path.read_bytes())
    return total.hexdigest()


def ready_database(stack: Stack, name: str) -> None:
    """Bring a database to the addon as it is now: created, installed or upgraded."""
    with console.exclusive(f"database-{name}"):
        _make_ready(stack, name)


def _make_ready(stack: Stack, name: str) -> None:
    stamp = OdooInstance(stack, name).folder / "installed"
    current = fingerprint()
    if not database.exists(stack, name):
        console.progress(f"creating the demo database {name}…")
        database.demo(stack, name)
    elif not _installed(stack, name):
        console.progress(f"installing the addon into {name}…")
        OdooInstance(stack, name).run_once("-i", paths.ADDON)
    elif not stamp.exists() or stamp.read_text() != current:
        console.progress(f"the addon has changed: upgrading it in {name}…")
        OdooInstance(stack, name).run_once("-u", paths.ADDON)
    stamp.write_text(current)


def _installed(stack: Stack, name: str) -> bool:
    query = f"SELECT state FROM ir_module_module WHERE name = '{paths.ADDON}'"
    return stack.sql(name, query) == [["installed"]]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in NOT_LOADED:
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.suffix in LOADED_SUFFIXES:
            yield path
