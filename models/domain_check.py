"""What is wrong with a domain, and where, before Odoo searches with it.

Odoo's own messages leave out the place; and 18.0 takes a term on a field that cannot be
searched for true. The grammar is Odoo's:
https://www.odoo.com/documentation/18.0/developer/reference/backend/orm.html#search-domains
"""

import json
from datetime import datetime, timezone

from odoo import fields
from odoo.exceptions import UserError

from .. import compat
from .exceptions import ArgumentError
from .nearest import nearest

OPERANDS = {"&": 2, "|": 2, "!": 1}
NUMBERS = frozenset({"integer", "float", "monetary", "id"})
CONSTANTS = ([1, "=", 1], [0, "=", 1])
LONGEST_TERM = 120


def checked(model, domain: list, where: str = "domain") -> list:
    """Return the domain as Odoo takes it.

    :param model: an empty recordset, as the user who searches
    :param where: what the domain is called in messages
    :raise ArgumentError: the place, what is wrong with it, and what to send instead
    """
    if not isinstance(domain, list):
        raise ArgumentError(
            f"{where}: a domain is a list of terms, not {_told(domain)}."
        )
    found = [
        item
        if isinstance(item, str) and item in OPERANDS
        else _term(model, item, f"{where}[{position}]")
        for position, item in enumerate(domain)
    ]
    _require_operands(domain, where)
    return found


def _require_operands(domain: list, where: str) -> None:
    """Find the operator that lacks a term: they stand before their operands."""
    waiting: list[list] = []
    for position, item in enumerate(domain):
        if isinstance(item, str):
            waiting.append([position, item, OPERANDS[item], OPERANDS[item]])
            continue
        while waiting:
            waiting[-1][2] -= 1
            if waiting[-1][2]:
                break
            waiting.pop()
    if waiting:
        position, operator, missing, needed = waiting[-1]
        raise ArgumentError(
            f"{where}[{position}]: '{operator}' stands before its {needed} operand"
            f"{'s' if needed > 1 else ''}; {missing} of them "
            f"{'is' if missing == 1 else 'are'} missing at the end of the domain."
        )


def _term(model, term, where: str):
    if isinstance(term, str):
        raise ArgumentError(
            f"{where}: {term[:60]!r} is no operator: they are '&', '|' and '!'. A term "
            'is a list of its own: [["field", "operator", value]].'
        )
    if not isinstance(term, list) or len(term) != 3:
        raise ArgumentError(
            f"{where}: a term is [field, operator, value], not {_told(term)}."
        )
    if term in CONSTANTS:
        return tuple(term)
    path, operator, value = term
    if not isinstance(path, str):
        raise ArgumentError(f"{where}: {_told(path)} is no name of a field.")
    owner, field = field_at(model, path, where)
    _require_operator(operator, where)
    if not field._description_searchable:
        raise ArgumentError(
            f"{where}: {owner._name}.{field.name} is computed when it is read: no "
            "search can use it. Use what it is computed from."
        )
    part = path.rpartition(".")[2] != field.name
    return (
        path,
        operator,
        value if part else _value(owner, field, operator, value, where),
    )


def _require_operator(operator, where: str) -> None:
    if not isinstance(operator, str) or operator not in compat.DOMAIN_OPERATORS:
        known = ", ".join(sorted(compat.DOMAIN_OPERATORS))
        raise ArgumentError(f"{where}: unknown operator {_told(operator)}: {known}.")


def field_at(model, path: str, where: str) -> tuple:
    """Return the last field of a dotted path, and an empty recordset of its model.

    What follows a date or a property is left to Odoo.

    :raise ArgumentError: naming the part that is unknown, on which model, and the
        nearest fields there
    """
    *before, last = path.split(".")
    for name in before:
        field = _field(model, name, where)
        if field.type in ("date", "datetime", "properties"):
            return model, field
        if not field.relational:
            raise ArgumentError(
                f"{where}: {model._name}.{name} is of type {field.type}: nothing can "
                f"follow it in {path!r}."
            )
        model = model.env[field.comodel_name]
    return model, _field(model, last, where)


def _field(model, name: str, where: str):
    field = model._fields.get(name)
    if field is None:
        known = [
            known.name
            for known in model._fields.values()
            if compat.reaches_field(model, known, "read")
        ]
        raise ArgumentError(
            f"{where}: {model._name} has no field {name[:60]!r}."
            + nearest(name, known, f"Some it has: {', '.join(sorted(known)[:10])}.")
        )
    return field


def _value(owner, field, operator: str, value, where: str):
    """Return the value of a term, where its type fits field and operator."""
    if operator in ("any", "not any"):
        if not field.relational:
            raise ArgumentError(
                f"{where}: '{operator}' is for relations; {owner._name}.{field.name} "
                f"is of type {field.type}."
            )
        return checked(owner.env[field.comodel_name], value, f"{where}[2]")
    if operator in ("in", "not in"):
        if not isinstance(value, list):
            raise ArgumentError(
                f"{where}: '{operator}' takes a list, not {_told(value)}."
            )
        return [_scalar(field, item, where) for item in value]
    if "like" in operator:
        if not isinstance(value, str | bool | int | float) and value is not None:
            raise ArgumentError(
                f"{where}: '{operator}' takes a text, not {_told(value)}."
            )
        return value
    if isinstance(value, list):
        if field.relational or not value:
            return value
        raise ArgumentError(
            f"{where}: '{operator}' takes one value, not a list; use 'in' for several."
        )
    return _scalar(field, value, where)


def _scalar(field, value, where: str):
    """Return one value that a field is compared with."""
    kind = field.type
    if isinstance(value, dict | list):
        raise ArgumentError(f"{where}: {_told(value)} is no value of a field.")
    if kind in NUMBERS and isinstance(value, str):
        raise ArgumentError(
            f"{where}: {field.name} is a number ({kind}), {_told(value)} is a text."
        )
    if kind == "boolean" and isinstance(value, str):
        raise ArgumentError(
            f"{where}: {field.name} is true or false, {_told(value)} is a text."
        )
    if kind in ("date", "datetime") and isinstance(value, str):
        return moment(field, value, where)
    return value


def moment(field, value: str, where: str) -> str:
    """Return a day or time as Odoo takes it: UTC, and without the T of ISO 8601.

    What is none is Odoo's affair from 19.0 on, which knows "today" and "-7d".

    :raise ArgumentError: it is none
    """
    try:
        if len(value) <= 10:
            return fields.Date.to_string(fields.Date.to_date(value))
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError as error:
        if compat.RELATIVE_DATES:
            return value
        raise ArgumentError(
            f"{where}: {value[:60]!r} is no time for {field.name}: send YYYY-MM-DD or, "
            "in UTC, YYYY-MM-DD HH:MM:SS."
        ) from error
    if found.tzinfo:
        found = found.astimezone(timezone.utc).replace(tzinfo=None)
    return fields.Datetime.to_string(found)


def blame(model, domain: list) -> str:
    """Return the place of the first term that Odoo itself cannot search with."""
    for position, term in enumerate(domain):
        if not isinstance(term, str):
            try:
                model._search([term])
            except (UserError, ValueError, TypeError, KeyError, AttributeError):
                return f"domain[{position}]: "
    return ""


def _told(value) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST_TERM else f"{text[:LONGEST_TERM]}…"
