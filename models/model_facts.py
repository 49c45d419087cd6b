"""A model as the registry has it, in a few kilobytes."""

from collections import defaultdict

from odoo.fields import Field

from .. import compat
from . import sql_schema
from .capped import capped
from .class_chain import (
    definition_classes,
    field_definitions,
    functions,
    is_automatic,
    model_class,
    source_of,
)
from .model_records import ModelRecords
from .source_places import Places

MOST_FIELDS = 110
MOST_METHODS = 30
MOST_OBJECTS = 25
LONGEST_INDEX = 100
MOST_EXACT = 64 * 1024 * 1024
"""Bytes of a table whose rows are counted; PostgreSQL's estimate does for others."""

LEGEND = (
    "Classes in loading order. Fields: name type → model, by module:mixin; stored "
    "unless computed or related without 'store'; +module extends it. a > b: a is "
    "called first. Inspect a field or method by its name."
)


class ModelFacts:
    """What is told of one model.

    :param env: any environment; views, rights and the like are read in sudo
    """

    def __init__(self, env, name: str, places: Places) -> None:
        self.env = env
        self.name = name
        self.places = places
        self.model = model_class(env, name)
        self.classes = definition_classes(self.model)

    def told(self) -> dict:
        """Return the facts; what there is not is left out."""
        own = [owner for owner in self.classes if owner._name == self.name]
        model = self.model
        facts = {
            "model": self.name,
            "description": model._description,
            "kind": self._kind(),
            "defined": self.places.of_class(own[-1]) if own else "in the database",
            "extended": [self.places.of_class(owner) for owner in reversed(own[:-1])],
            "inherit": self._mixins(),
            "inherits": dict(model._inherits),
            "rec_name": model._rec_name,
            "order": model._order if model._order != "id" else "",
            "table": self._table(),
            "sql_constraints": self._sql_constraints(),
            "python_constraints": self._checks(),
            "legend": LEGEND,
            "fields": self._fields(),
            "overridden": self._overridden(),
            **ModelRecords(self.env, self.name).told(),
            "folders": self.places.folders(),
        }
        return {name: value for name, value in facts.items() if value}

    def _kind(self) -> str:
        if self.model._abstract:
            return "abstract"
        kind = "transient" if self.model._transient else "model"
        kind += ", made by hand" if self.model._custom else ""
        return kind if self.model._auto else f"{kind}, _auto = False"

    def _mixins(self) -> list[str]:
        """Return what the model inherits from, with the module that has it do so."""
        return [
            f"{parent} ({module})"
            for parent, module in self.model._inherit_module.items()
            if parent != "base"
        ]

    def _table(self) -> dict:
        cr = self.env.cr
        cr.execute(
            "SELECT oid, reltuples, pg_relation_size(oid), relkind::text FROM pg_class "
            "WHERE oid = to_regclass(quote_ident(%s))",
            [self.model._table],
        )
        if self.model._abstract or not cr.rowcount:
            return {}
        [(oid, estimate, size, kind)] = cr.fetchall()
        found = {"name": self.model._table}
        if kind != "r":
            return {**found, "kind": sql_schema.KINDS.get(kind, kind)}
        if size < MOST_EXACT:
            self.env[self.name].flush_model()
            cr.execute(f'SELECT count(*) FROM "{self.model._table}"')  # pylint: disable=sql-injection
            found["rows"] = cr.fetchone()[0]
        else:
            found["rows_estimated"] = int(estimate)
        return {**found, "indexes": self._indexes(oid)}

    def _indexes(self, table: int) -> list[str]:
        rows = [
            f"{'unique ' if row['unique'] else ''}{row['name']}: "
            + row["definition"].partition(" USING ")[2][:LONGEST_INDEX]
            for row in sql_schema.list_indexes(self.env.cr, table)
        ]
        return capped(rows, MOST_OBJECTS, "see get_db_schema")

    def _sql_constraints(self) -> list[str]:
        # the latest definition of a name holds; an empty one takes it away
        found = {}
        for owner in reversed(self.classes):
            for name, definition, written in compat.sql_objects(
                self.env.registry, owner
            ):
                place = self.places.of_name(owner, written)
                found[name] = f"{name}: {definition} [{place}]" if definition else ""
        return [row for row in found.values() if row]

    def _checks(self) -> list[str]:
        """Return the methods with ``@api.constrains`` that are called."""
        found = {}
        for owner in self.classes:
            for name in functions(owner):
                names = getattr(getattr(self.model, name), "_constrains", None)
                if names and name not in found:
                    told = "…" if callable(names) else ", ".join(names)
                    place = self.places.of_name(owner, name)
                    found[name] = f"{name}({told}) [{place}]"
        return list(found.values())

    def _fields(self) -> dict[str, list[str]]:
        """Return the fields by the module, or mixin, that defines them."""
        found = defaultdict(list)
        every = self.model._fields
        detailed = sum(not field.inherited for field in every.values()) <= MOST_FIELDS
        for name, field in sorted(every.items()):
            if field.inherited:
                parent = f"inherited from {field.related_field.model_name}"
                found[parent].append(name)
            elif field.manual:
                found["made by hand"].append(field_line(field))
            else:
                self._add(found, name, field, detailed=detailed)
        return {
            source: rows if any(" " in row for row in rows) else [" ".join(rows)]
            for source, rows in found.items()
        }

    def _add(self, found: dict, name: str, field: Field, *, detailed: bool) -> None:
        definitions = field_definitions(self.model, name)
        if not definitions or all(is_automatic(row, name) for row, _ in definitions):
            found["automatic"].append(name)
            return
        first, *others = [source_of(owner, self.model) for owner, _ in definitions]
        more = sorted({f"+{source}" for source in others if source != first})
        # a mixin's are the same in each of its models
        detailed = detailed and ":" not in first
        line = field_line(field) if detailed else short_line(field)
        found[first].append(" ".join([line, *more]))

    def _overridden(self) -> list[str]:
        """Return the methods that several classes define, first called first."""
        found = defaultdict(list)
        own = set()
        for owner in self.classes:
            if owner._module:
                for name in functions(owner):
                    found[name].append(source_of(owner, self.model))
                    own |= {name} if owner._name == self.name else set()
        rows = [
            f"{name}: {' > '.join(found[name])}"
            for name in sorted(own)
            if len(found[name]) > 1
        ]
        return capped(rows, MOST_METHODS, "inspect one by its name")


def field_line(field: Field) -> str:
    """Return what a field is in one line."""
    parts = [short_line(field)]
    if field.related:
        parts.append(f"related={field.related}")
    elif field.compute:
        parts.append(f"compute={method_name(field.compute)}")
    derived = field.related or field.compute
    if derived and field.store:
        parts.append("store")
    if derived and not field.readonly:
        parts.append("editable")
    if field.readonly and not derived:
        parts.append("readonly")
    for name in ("required", "translate", "company_dependent"):
        if getattr(field, name, False):
            parts.append(name)
    if field.index:
        parts.append("index" if field.index is True else f"index={field.index}")
    if field.groups:
        parts.append(f"groups={field.groups}")
    return " ".join(parts)


def short_line(field: Field) -> str:
    """Return name, type and the model that a field leads to."""
    leads = f" → {field.comodel_name}" if field.comodel_name else ""
    return f"{field.name} {field.type}{leads}"


def method_name(method) -> str:
    """Return the name of a method that a field was given by name or as it is."""
    return method if isinstance(method, str) else getattr(method, "__name__", "…")
