"""Copy a database that others use, with its files.

PostgreSQL copies one by itself (CREATE DATABASE … TEMPLATE) only while nobody is
connected to it, and this server is.
https://www.postgresql.org/docs/current/manage-ag-templatedbs.html
"""

import os
import shutil
from pathlib import Path

from odoo.tools import config
from odoo.tools.misc import exec_pg_environ, find_pg_tool

from . import command
from .exceptions import ToolError

NOT_COPIED = ("mcp_audit_log", "mcp_audit_seal", "mcp_job", "mcp_job_output")
"""Tables that are large and of the original alone."""

EXTENSIONS = """
SELECT e.extname, bool_or(v.trusted OR NOT v.superuser OR r.rolsuper)
  FROM pg_extension e
  JOIN pg_available_extension_versions v
    ON v.name = e.extname AND v.version = e.extversion
  JOIN pg_roles r ON r.rolname = current_user
 WHERE e.extname <> 'plpgsql'
 GROUP BY 1
"""
"""Which there are, and whether this role may create them: one that only a superuser may
create is none that a module needs."""

COPY = """
"$0" --format=custom --compress=0 --no-owner --no-acl --no-comments "$@" "$SOURCE" |
"$PG_RESTORE" --no-owner --no-acl --no-comments --dbname="$TARGET"
"""
"""A dump that is cut off is no archive: pg_restore fails, and so does this."""


def copy_data(connection, source: str, target: str, timeout: float, call) -> None:
    """Copy what is committed into an empty database.

    :param connection: to the source
    :param timeout: seconds
    :raise ToolError: it cannot be copied
    :raise Cancelled: the call was stopped
    """
    ended = command.run(
        ["/bin/sh", "-c", COPY, _tool("pg_dump"), *_left_out(connection)],
        timeout=timeout,
        keep=20_000,
        env={
            **exec_pg_environ(),
            "SOURCE": source,
            "TARGET": target,
            "PG_RESTORE": _tool("pg_restore"),
        },
        call=call,
    )
    if ended.timed_out:
        raise ToolError(f"The database was not copied in {timeout:g} s.")
    if ended.code:
        raise ToolError(
            f"The database could not be copied: {ended.stderr.strip()[-1000:]} "
            "Use database='fresh'."
        )


def _tool(name: str) -> str:
    try:
        return find_pg_tool(name)
    except Exception as error:
        raise ToolError(
            f"{name} is not found: install PostgreSQL's client programs, or use "
            "database='fresh'."
        ) from error


def _left_out(connection) -> list[str]:
    """Return pg_dump's options for what is not copied."""
    options = [f"--exclude-table-data={table}" for table in NOT_COPIED]
    with connection.cursor() as cr:
        if connection.server_version < 130000:
            return options  # it knows no trusted extensions
        cr.execute(EXTENSIONS)
        rows = cr.fetchall()
    if not all(allowed for _name, allowed in rows):
        kept = [f"--extension={name}" for name, allowed in rows if allowed]
        options += kept or ["--extension=plpgsql"]
    return options


def copy_files(source: str, target: Path, timeout: float, call) -> None:
    """Link the files of attachments: Odoo adds and removes some, changes none. Those on
    another disk are copied.

    :raise ToolError: they cannot be linked
    """
    # of a link cp would make a link: the copy's files would be those of the original
    store = os.path.realpath(config.filestore(source))
    if not os.path.isdir(store):
        return
    one_disk = os.stat(store).st_dev == os.stat(target.parent).st_dev
    link = ["--link"] if one_disk else []
    argv = [shutil.which("cp"), "-a", *link, "--", store, str(target)]
    ended = command.run(argv, timeout=timeout, keep=1000, call=call)
    if ended.code:
        raise ToolError(f"The files were not copied: {ended.stderr.strip()}")
