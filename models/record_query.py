"""What a search is asked for beside its domain: fields, order, groups, aggregates."""

import re

from lxml import etree

from odoo import models
from odoo.exceptions import UserError

from .. import compat
from .domain_check import field_at
from .exceptions import ArgumentError
from .nearest import nearest
from .record_reader import may_hide, require_readable

MOST_CHOSEN = 12
COUNT = "__count"
FUNCTIONS = (
    *("sum", "avg", "min", "max", "count", "count_distinct"),
    *("bool_and", "bool_or", "array_agg"),
)
"""Those of Odoo's ``READ_GROUP_AGGREGATE`` that give a value and no records."""

GRANULARITIES = (
    *models.READ_GROUP_TIME_GRANULARITY,
    *models.READ_GROUP_NUMBER_GRANULARITY,
)
ORDER = re.compile(
    r"(?P<term>[\w.:]+)(\s+(asc|desc))?(\s+nulls\s+(first|last))?", re.IGNORECASE
)
SIMPLE = frozenset(
    {"char", "selection", "many2one", "integer", "float", "monetary", "boolean"}
    | {"date", "datetime"}
)


def require_paths(model, paths: list[str]) -> None:
    """Refuse paths of fields that there are not, or not for the user.

    :raise ArgumentError: the place, and the nearest fields
    """
    for number, path in enumerate(paths):
        where = f"fields[{number}]"
        owner = model
        for name in path.split("."):
            owner, field = field_at(owner, name, where)
            require_readable(owner, field, where)
            if not field.relational:
                break
            owner = owner.env[field.comodel_name]
        field_at(model, path, where)


def chosen(model) -> list[str]:
    """Return a short choice of fields: the name, and what Odoo's list view shows.

    Where that says little, the required and stored ones too. No binary or html field.
    """
    names = ["display_name", *_in_list(model)]
    if len(names) < 4:
        required = sorted(
            (field for field in model._fields.values() if field.store),
            key=lambda field: not field.required,
        )
        names += [
            field.name for field in required if field.name not in models.MAGIC_COLUMNS
        ]
    fit = [
        name
        for name in dict.fromkeys(names)
        if name == "display_name" or _is_short(model, name)
    ]
    return fit[:MOST_CHOSEN]


def _is_short(model, name: str) -> bool:
    field = model._fields[name]
    return (
        field.type in SIMPLE | {"many2many"}
        and name not in ("id", model._rec_name)
        and compat.reaches_field(model, field, "read")
    )


def _in_list(model) -> list[str]:
    """Return the fields that a list of the model shows to the user as it opens."""
    try:
        arch = etree.fromstring(model.get_view(view_type="list")["arch"])
    except (UserError, ValueError):
        return []  # a broken view is no reason not to search
    return [
        node.get("name")
        for node in arch.iterchildren("field")
        if node.get("optional") != "hide"
        and not {"1", "True"}.intersection(
            (node.get("column_invisible"), node.get("invisible"))
        )
        and node.get("name") in model._fields
    ]


def require_order(model, order: str) -> None:
    """Refuse an order that Odoo could not sort by.

    :raise ArgumentError: the term, and the nearest fields
    """
    for term in order.split(","):
        where = f"order {term.strip()!r}"
        if not (match := ORDER.fullmatch(term.strip())):
            raise ArgumentError(
                f"{where}: say a field, asc or desc, and nulls first or last, e.g. "
                "'create_date desc, id'."
            )
        name = match["term"].partition(".")[0].partition(":")[0]
        owner, field = field_at(model, name, where)
        require_readable(owner, field, where)
        if not field._description_sortable(model.env):
            raise ArgumentError(
                f"{where}: {model._name}.{name} is not stored: nothing can be sorted "
                "by it."
            )


def group_specs(model, groupby: list[str]) -> list[str]:
    """Return what to group by as ``_read_group`` takes it; dates by month.

    :raise ArgumentError: the place, and what there is instead
    """
    return [
        _group_spec(model, spec, f"groupby[{number}]")
        for number, spec in enumerate(groupby)
    ]


def _group_spec(model, spec: str, where: str) -> str:
    path, _colon, granularity = spec.partition(":")
    owner, field = field_at(model, path, where)
    _require_told(owner, field, where)
    if field.type in ("date", "datetime"):
        granularity = granularity or "month"
        if granularity not in GRANULARITIES:
            raise ArgumentError(
                f"{where}: unknown granularity {granularity!r}: "
                f"{', '.join(GRANULARITIES)}."
            )
        return f"{path}:{granularity}"
    if granularity and field.type != "properties":
        raise ArgumentError(
            f"{where}: {path} is of type {field.type}; only dates have a granularity."
        )
    if "." not in path and not field._description_groupable(model.env):
        raise ArgumentError(
            f"{where}: nothing can be grouped by {model._name}.{path} (type "
            f"{field.type}{'' if field.store else ', not stored'})."
        )
    return spec


def _require_told(owner, field, where: str) -> None:
    """Refuse to make groups or sums of values that are not told one by one."""
    require_readable(owner, field, where)
    if may_hide(field, owner._table):
        raise ArgumentError(f"{where}: {owner._name}.{field.name} may be secret.")


def require_aggregates(model, aggregates: list[str]) -> None:
    """Refuse aggregates that there are not.

    :raise ArgumentError: the place, and what there is instead
    """
    for number, spec in enumerate(aggregates):
        where = f"aggregates[{number}]"
        name, _colon, function = spec.partition(":")
        if spec == COUNT:
            continue
        owner, field = field_at(model, name, where)
        _require_told(owner, field, where)
        if function not in FUNCTIONS:
            raise ArgumentError(
                f"{where}: {function!r} is no aggregate: {', '.join(FUNCTIONS)}, e.g. "
                f"{name}:sum; or {COUNT}." + nearest(function, FUNCTIONS)
            )
        if not (field.store and field.column_type):
            raise ArgumentError(
                f"{where}: {model._name}.{name} is no column of the table: nothing can "
                "be summed up."
            )


def require_group_order(order: str, specs: list[str], aggregates: list[str]) -> None:
    """Refuse an order of groups by what they are not grouped by.

    :raise ArgumentError: the term, and what there is
    """
    known = [*specs, *aggregates]
    for term in order.split(","):
        match = ORDER.fullmatch(term.strip())
        if not match or match["term"] not in known:
            raise ArgumentError(
                f"order {term.strip()!r}: groups are sorted by {', '.join(known)}, "
                "each with asc or desc."
            )
