"""Records as JSON: small, and no more of them than their reader may see."""

import json
from datetime import date, datetime
from itertools import islice

from odoo import fields
from odoo.models import BaseModel
from odoo.tools import html2plaintext

from .. import compat
from .exceptions import ArgumentError
from .redaction import MASK, hidden_by_name, is_secret
from .sql_mentions import BY_NAME, PARAMETERS

MOST_RELATED = 5
MOST_ITEMS = 200
MOST_IDS = 1000
MOST_CHARACTERS = 40_000
"""Of JSON, that one answer tells."""
SHORT, LONG = 300, 8000
"""Characters of a text, beside other records and in a single one."""


class Reader:
    """Reads values as the user of an environment, whatever rights a record comes with.

    :param longest: characters of a text that are told
    """

    def __init__(self, env, longest: int = SHORT) -> None:
        self.env = env
        self.longest = longest
        self._readable: dict[str, dict[int, bool]] = {}

    def row(self, record, paths: list[str]) -> dict:
        """Return the values of a record by the paths of fields, after its id."""
        return {"id": record.id} | {path: self._at(record, path) for path in paths}

    def _at(self, record, path: str):
        *before, last = path.split(".")
        found, many = record, False
        for name in before:
            field = found._fields[name]
            if not field.relational:  # a property, or a part of a date
                return self.plain(found[f"{name}.{last}"]) if found else None
            many = many or field.type != "many2one"
            found = self.readable(found[name])
        field = found._fields[last]
        values = [self.value(owner, field) for owner in found[:MOST_RELATED]]
        if not many:
            return (values or [None])[0]
        more = len(found) - len(values)
        return [*values, {"more": more}] if more else values

    def value(self, record, field):
        """Return the value of one field."""
        if field.type == "binary":
            value = record.with_context(bin_size=True)[field.name]
            return {"size": _size(value)} if value else None
        value = record[field.name]
        if value and isinstance(value, str) and _hides(record, field):
            return MASK
        if field.type == "html" and value:
            return self.text(html2plaintext(value).strip(), "characters as text")
        if field.type == "boolean":
            return value
        if field.type == "many2one":
            return (self.related(value) or [None])[0]
        if value is False or value is None:
            return None
        return self.plain(value)

    def plain(self, value):
        """Return whatever a field or method gives as JSON."""
        if isinstance(value, BaseModel):
            return self.related(value)
        if isinstance(value, datetime):
            return fields.Datetime.to_string(value)
        if isinstance(value, date):
            return fields.Date.to_string(value)
        if isinstance(value, bytes):
            return {"size": len(value)}
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {str(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            more = len(value) - MOST_ITEMS
            found = [self.plain(item) for item in islice(value, MOST_ITEMS)]
            return [*found, {"more": more}] if more > 0 else found
        if isinstance(value, float) and value - value != 0:
            return str(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def text(self, value: str, unit: str = "characters") -> str:
        """Return a text, cut with its length told."""
        if len(value) <= self.longest:
            return str(value)
        return f"{value[: self.longest]}… [{len(value)} {unit}]"

    def related(self, records) -> list[dict]:
        """Return records as id and name; of those that may not be read the id."""
        shown = records[:MOST_RELATED].with_env(self.env(context=records.env.context))
        named = self.readable(shown)
        found = [
            {"id": record.id, "name": record.display_name or None}
            if record in named
            else {"id": record.id or None}
            for record in shown
        ]
        more = len(records) - len(shown)
        return [*found, {"more": more}] if more else found

    def readable(self, records):
        """Return those of the records that the user may read.

        Asked once for all that Odoo would fetch together.
        """
        known = self._readable.setdefault(records._name, {})
        if missing := [number for number in records._ids if number not in known]:
            whole = records.browse({*missing, *records._prefetch_ids})
            whole = whole.browse(number for number in whole._ids if number)
            may = set(whole.exists()._filtered_access("read")._ids)
            known.update((number, number in may) for number in [*whole._ids, *missing])
        return records.filtered(lambda record: known[record._ids[0]])


def told(model, result):
    """Return what a method returned as JSON, with no more than the caller may see.

    :param model: a recordset of the model that was called, as the caller
    """
    reader = Reader(model.env, LONG)
    if isinstance(result, BaseModel):
        return {
            "model": result._name,
            "ids": result.ids[:MOST_IDS],
            "records": reader.related(result),
        }
    found = hidden_by_name(reader.plain(result))
    if model._table == PARAMETERS:
        found = _without_parameters(model.env, found)
    if len(text := json.dumps(found, ensure_ascii=False)) <= MOST_CHARACTERS:
        return found
    if isinstance(found, list):
        rows = fitting(found, MOST_CHARACTERS)
        return [*rows, {"more": len(found) - len(rows)}]
    return f"{text[:MOST_CHARACTERS]}… [{len(text)} characters]"


def _without_parameters(env, value):
    """Return a value without Odoo's secret parameters, which nothing names here."""
    if isinstance(value, str):
        rows = env["ir.config_parameter"].sudo().search_fetch([], ["key", "value"])
        secrets = {row.value for row in rows if is_secret(row.key)}
        return MASK if value in secrets else value
    if isinstance(value, list):
        return [_without_parameters(env, item) for item in value]
    if isinstance(value, dict):
        return {key: _without_parameters(env, item) for key, item in value.items()}
    return value


def _size(value) -> int | str:
    """Return the size of a binary value: bytes, or as Odoo words it."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return int(text) if text.isdecimal() else text


def may_hide(field, table: str) -> bool:
    """Tell whether what a field holds may be secret: by its name, and as SQL has it."""
    return (
        is_secret(field.name)
        or field.name in BY_NAME.get(table, ())
        or (table == PARAMETERS and field.name == "value")
    )


def _hides(record, field) -> bool:
    if record._table == PARAMETERS and field.name == "value":
        return is_secret(record.key or "")
    return may_hide(field, record._table)


def require_readable(owner, field, where: str) -> None:
    """Refuse a field that the user's groups do not reach.

    :raise ArgumentError: naming the groups that do
    """
    if not compat.reaches_field(owner, field, "read"):
        raise ArgumentError(
            f"{where}: {owner._name}.{field.name} is for members of {field.groups}; "
            "check_access tells more."
        )


def fitting(rows: list[dict], most: int) -> list[dict]:
    """Return the first rows whose JSON has at most ``most`` characters; at least one.

    >>> fitting([{"a": "x" * 9}, {"a": 1}], 20)
    [{'a': 'xxxxxxxxx'}]
    """
    found, size = [], 0
    for row in rows:
        size += len(json.dumps(row, ensure_ascii=False))
        if found and size > most:
            break
        found.append(row)
    return found
