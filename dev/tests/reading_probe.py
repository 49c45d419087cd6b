"""What query_database reads with, on a PostgreSQL without an Odoo database.

Started inside the Odoo environment with its configuration, the database and the login;
then each line on standard input is a job, answered by a line on standard output.
"""

import json
import sys
import time
from contextlib import closing

from odoo.tools import config

CONFIG, DATABASE, *LOGIN = sys.argv[1:]
config.parse_config(["--config", CONFIG])

from odoo.addons.odoo_dev_mcp.models import read_only_role, sql_functions  # noqa: E402
from odoo.addons.odoo_dev_mcp.models.exceptions import ToolError  # noqa: E402
from odoo.addons.odoo_dev_mcp.models.kept_connections import (  # noqa: E402
    Login,
    connections,
)
from odoo.addons.odoo_dev_mcp.models.live_call import LiveCall  # noqa: E402
from odoo.addons.odoo_dev_mcp.models.sql_reader import (  # noqa: E402
    OPEN,
    OPEN_FUNCTION,
    fetch,
    read_only,
)

READERS = {"reader": Login(*LOGIN), "stranger": Login(LOGIN[0], "wrong")}
READER = READERS["reader"]
SECONDS = 10


def owner():
    """Give a cursor of Odoo's own role."""
    return closing(connections(DATABASE).cursor())


def define() -> None:
    with owner() as cr:
        cr.execute(OPEN_FUNCTION)
        cr.commit()


def making() -> dict:
    """Try to make the role, and tell what a superuser is to execute."""
    with owner() as cr:
        statements = read_only_role.making(cr, READER)
        refused = read_only_role.attempt(cr, statements)
        cr.commit()
    return {"statements": statements, "refused": refused and refused.pgcode}


def grant() -> str | None:
    with owner() as cr:
        read_only_role.grant(cr, READER.role)
        cr.commit()
        return read_only_role.excess(cr, READER.role)


def forget() -> bool:
    with owner() as cr:
        gone = read_only_role.forget(cr, READER.role)
        cr.commit()
    return gone


def reading(whose: str):
    if whose == "owner":
        return owner()
    return read_only_role.cursor(DATABASE, READERS[whose])


def query(whose: str, statement: str) -> dict:
    """Do as query_database does."""
    try:
        with reading(whose) as cr, read_only(cr, SECONDS, "withheld") as cursor:
            end = time.monotonic() + SECONDS
            found = fetch(cursor, statement, [], 1000, 1_000_000, end, LiveCall())
            return {"rows": found.rows}
    except ToolError as error:
        return {"refused": str(error)}


def bare(whose: str, statement: str) -> dict:
    """Do as query_database does, without its look at the functions."""
    try:
        with reading(whose) as cr, read_only(cr, SECONDS) as cursor:
            cursor.execute(OPEN, [statement])
            cursor.execute("FETCH ALL FROM mcp_result")
            return {"rows": cursor.fetchall()}
    except ToolError as error:
        return {"refused": str(error)}


def denied(names: list[str]) -> list[str]:
    """Tell which functions the list has."""
    return [name for name in names if sql_functions.DENIED.fullmatch(name)]


for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments), default=str), flush=True)
