"""Databases: a cached template with the standard modules, and copies of it."""

import os
import re
import shutil
from pathlib import Path

from dev import console, paths
from dev.console import HarnessError
from dev.odoo_instance import OdooInstance
from dev.stack import Stack

TEMPLATE_MODULES = ("base", "web", "mail", "contacts")

# Odoo builds the bundles before HTTP tests and on a first visit: 20 s in each copy.
TEMPLATE_SCRIPT = "env['ir.qweb']._pregenerate_assets_bundles()"
DEMO_SCRIPT = Path(__file__).with_name("demo_partners.py")
NAME = re.compile(r"[A-Za-z0-9_.-]+")
TEMPORARY = "mcp_test"
BUILDING = f"{TEMPORARY}_building"


def exists(stack: Stack, name: str) -> bool:
    """Whether the server has this database."""
    _require_name(name)
    query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"
    return bool(stack.sql("postgres", query))


def drop(stack: Stack, name: str) -> None:
    """Remove a database and its files, whoever is still connected to it."""
    _require_name(name)
    if exists(stack, name):
        # what a killed run_tests has left is hidden from servers as a template
        stack.sql("postgres", f'ALTER DATABASE "{name}" IS_TEMPLATE false')
    stack.sql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        # an autovacuum worker is the superuser's, and goes when the database does
        f"WHERE datname = '{name}' AND backend_type = 'client backend' "
        "AND pid <> pg_backend_pid()",
        f'DROP DATABASE IF EXISTS "{name}"',
    )
    shutil.rmtree(_files(stack, name), ignore_errors=True)


def copy(stack: Stack, source: str, target: str) -> None:
    """Copy a database nobody is connected to, and its files."""
    _require_name(target)
    stack.sql("postgres", f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
    files = _files(stack, source)
    if files.exists():
        # The file store is addressed by content: nothing in it is ever rewritten.
        shutil.rmtree(_files(stack, target), ignore_errors=True)
        shutil.copytree(files, _files(stack, target), copy_function=os.link)


def template(stack: Stack) -> str:
    """Name of the database with the standard modules, built once per source tree."""
    recipe = paths.digest(stack.source.identity, *TEMPLATE_MODULES, TEMPLATE_SCRIPT)
    name = f"{paths.ADDON}_template_{recipe}"
    with console.exclusive(name):
        if not exists(stack, name):
            _build_template(stack, name)
    return name


def with_addon(stack: Stack, name: str) -> str:
    """A fresh database of this name with the addon installed."""
    drop(stack, name)
    copy(stack, template(stack), name)
    OdooInstance(stack, name).run_once("-i", paths.ADDON)
    return name


def with_addon_once(stack: Stack, name: str, *statements: str) -> str:
    """The database of this name with the addon, made by the first who asks for it.

    :param statements: what is done in it then
    """
    with console.exclusive(name):
        if not exists(stack, name):
            building = with_addon(stack, name.replace(TEMPORARY, BUILDING, 1))
            stack.sql(building, *statements)
            _finish(stack, building, name)
    return name


def demo(stack: Stack, name: str) -> str:
    """A database to look at: the addon and a few hundred partners."""
    building = f"{name}_building"
    console.progress(f"installing the addon into {name}…")
    with_addon(stack, building)
    console.progress("creating the demo partners…")
    OdooInstance(stack, building).shell(DEMO_SCRIPT.read_text())
    return _finish(stack, building, name)


def temporary_name(stack: Stack, purpose: str, owner: int = 0) -> str:
    """Name of a database that :func:`sweep` may remove when its owner has ended.

    :param owner: process id; this process by default
    """
    return f"{TEMPORARY}_{purpose}_{stack.series}_{owner or os.getpid()}"


def sweep(stack: Stack) -> None:
    """Remove temporary databases whose process was killed before it could."""
    query = f"SELECT datname FROM pg_database WHERE datname LIKE '{TEMPORARY}%'"
    for (name,) in stack.sql("postgres", query):
        owner = str(name).rsplit("_", 1)[-1]
        if f"_{stack.series}_" in str(name) and not Path("/proc", owner).exists():
            drop(stack, str(name))
            OdooInstance(stack, str(name)).forget()


def _build_template(stack: Stack, name: str) -> None:
    modules = ", ".join(TEMPLATE_MODULES)
    console.progress(
        f"installing {modules} on Odoo {stack.series} (about a minute, once)…"
    )
    building = f"{name}_building"
    drop(stack, building)
    stack.sql(
        "postgres",
        f'CREATE DATABASE "{building}" TEMPLATE template0 '
        "ENCODING 'UTF8' LC_COLLATE 'C'",
    )
    instance = OdooInstance(stack, building)
    instance.run_once("-i", ",".join(TEMPLATE_MODULES))
    instance.shell(TEMPLATE_SCRIPT)
    _finish(stack, building, name)


def _finish(stack: Stack, building: str, name: str) -> str:
    """Give a database its name only when it is whole: an interrupted one is redone."""
    stack.sql("postgres", f'ALTER DATABASE "{building}" RENAME TO "{name}"')
    files = _files(stack, building)
    if files.exists():
        shutil.rmtree(_files(stack, name), ignore_errors=True)
        files.rename(_files(stack, name))
    OdooInstance(stack, building).forget()
    return name


def _files(stack: Stack, name: str) -> Path:
    return stack.data / "filestore" / name


def _require_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise HarnessError(
            f"DB={name} is no database name: use letters, digits, dots, - and _"
        )
