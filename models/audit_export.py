"""Audit entries as lines of a file: harmless to a spreadsheet, exact to a program."""

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime

from odoo.tools import SQL

COLUMNS = (
    *("id", "create_date", "user_id", "user_login", "key_name", "tool", "arguments"),
    *("status", "error_class", "message", "row_count", "exit_code", "duration_ms"),
    *("client", "address", "revision", "request_id", "process"),
)

SEAL_COLUMNS = (
    *("id", "create_date", "first_entry", "last_entry", "entries", "first_seal"),
    *("previous_hash", "hash"),
)

BATCH = 5000
"""Entries held in memory at once."""

SEAL_BATCH = 50
"""Seals, each with a line for each of its entries."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula.
https://owasp.org/www-community/attacks/CSV_Injection"""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def batches(
    model, domain: list, columns: tuple[str, ...] = COLUMNS, batch: int = BATCH
) -> Iterator[list[tuple]]:
    """Yield the rows that the user of ``model`` may see, oldest first.

    :param model: ``mcp.audit.log``, or ``mcp.audit.seal``
    :param columns: what a row consists of, its id first
    """
    wanted = [SQL.identifier(model._table, name) for name in columns]
    last = 0
    while True:
        query = model._search([*domain, ("id", ">", last)], limit=batch, order="id")
        model.env.cr.execute(query.select(*wanted))
        rows = model.env.cr.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def head_of_csv() -> str:
    """Return the first line: the names of the columns."""
    return _csv([COLUMNS])


def rows_to_csv(rows: list[tuple]) -> str:
    """Return a line for each row."""
    return _csv([[cell(value) for value in row] for row in rows])


def rows_to_json_lines(rows: list[tuple]) -> str:
    """Return an object a line, in ASCII; ``arguments`` is what the client sent."""
    return "".join(f"{json.dumps(_object(row))}\n" for row in rows)


def seals_to_json_lines(rows: list[tuple]) -> str:
    """Return an object a line, in ASCII."""
    seals = (dict(zip(SEAL_COLUMNS, row, strict=True)) for row in rows)
    return "".join(
        f"{json.dumps({**seal, 'create_date': _utc(seal['create_date'])})}\n"
        for seal in seals
    )


def seals_from_json_lines(text: str) -> dict[int, str]:
    """Return the hashes of exported seals by their number.

    >>> seals_from_json_lines('{"id": 1, "hash": "ab"}\\n\\n')
    {1: 'ab'}

    :raise ValueError: it is no export of seals
    """
    try:
        seals = map(json.loads, filter(str.strip, text.splitlines()))
        return {int(seal["id"]): str(seal["hash"]) for seal in seals}
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError(f"no export of seals: {error!r}") from error


def cell(value) -> str | int | None:
    """Return a value as a spreadsheet shows it, and never runs it.

    >>> cell("=1+1"), cell("-9"), cell(-9), cell("a\\nb"), cell(None)
    ("'=1+1", "'-9", -9, 'a\\\\nb', None)
    >>> cell(datetime(2026, 2, 16, 10, 5, 30))
    '2026-02-16T10:05:30Z'
    """
    if isinstance(value, datetime):
        return _utc(value)
    if not isinstance(value, str):
        return value
    guard = "'" if value.startswith(FORMULA) else ""
    return guard + CONTROL.sub(_escaped, value)


def _escaped(match: re.Match) -> str:
    return match[0].encode("unicode_escape").decode()


def _csv(rows: list) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    return written.getvalue()


def _object(row: tuple) -> dict:
    found = dict(zip(COLUMNS, row, strict=True))
    if found["create_date"]:
        found["create_date"] = _utc(found["create_date"])
    with contextlib.suppress(TypeError, ValueError):  # else it stays a text
        found["arguments"] = json.loads(found["arguments"], parse_constant=_no_json)
    return found


def _no_json(constant: str):
    raise ValueError(constant)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
