"""One field or method of a model, with every class that has a part in it."""

import inspect

from odoo.fields import Field

from .. import compat
from .capped import capped
from .class_chain import (
    definition_classes,
    field_definitions,
    is_automatic,
    model_class,
    owners,
    source_of,
)
from .exceptions import ToolError
from .model_facts import method_name
from .model_records import external_ids
from .nearest import nearest
from .source_places import Places, definition_of

MOST = 25
MOST_DEPENDENTS = 40
FLAGS = (
    "required",
    "readonly",
    "store",
    "translate",
    "company_dependent",
    "precompute",
)
VALUES = ("help", "groups", "related", "index", "inverse_name", "relation", "ondelete")


def member(env, model_name: str, name: str, places: Places) -> dict:
    """Return what a field or method is; what there is not is left out.

    :raise ToolError: there is no such model, field or method; the nearest names
    """
    model = model_class(env, model_name)
    if name in model._fields:
        facts = FieldFacts(env, model, model._fields[name], places).told()
    elif chain := owners(model, name):
        facts = method(model, name, chain, places)
    else:
        known = {*model._fields, *dir(model)} - set(dir(object))
        raise ToolError(
            f"{model_name} has no field or method {name!r}."
            + nearest(name, known, "inspect_model without 'name' lists them.")
        )
    facts = {"model": model_name, **facts, "folders": places.folders()}
    return {
        key: value for key, value in facts.items() if value not in ("", [], {}, None)
    }


def method(model: type, name: str, chain: list[type], places: Places) -> dict:
    """Return the classes that define a method, the one that is called first first."""
    value = getattr(model, name)
    kind = "method" if callable(value) else "attribute"
    rows = [_link(model, name, owner, places) for owner in chain]
    docs = (inspect.getdoc(vars(owner)[name]) for owner in chain)
    doc = next((text for text in docs if text), "") if kind == "method" else ""
    return {kind: name, "doc": doc.strip().partition("\n")[0], "chain": rows}


def _link(model: type, name: str, owner: type, places: Places) -> dict:
    row = {"module": source_of(owner, model), "at": places.of_name(owner, name)}
    value = vars(owner)[name]
    function = getattr(value, "__func__", value)
    found = definition_of(owner, name)
    if not callable(function):
        return {**row, "code": places.code(owner, name)}
    row["signature"] = str(inspect.signature(inspect.unwrap(function)))
    if found and found.decorators:
        row["decorators"] = list(found.decorators)
    if found:
        row["calls_super"] = found.calls_super
    return row


class FieldFacts:
    """What is told of one field."""

    def __init__(self, env, model: type, field: Field, places: Places) -> None:
        self.env = env
        self.model = model
        self.field = field
        self.places = places

    def told(self) -> dict:
        """Return the facts."""
        field = self.field
        return {
            "field": field.name,
            "type": field.type,
            "label": field.string,
            "relation_to": field.comodel_name,
            **self._values(),
            "flags": [name for name in FLAGS if getattr(field, name, False)],
            "default": self._default(),
            "made": self._made(),
            "defined": self._definitions(),
            "compute": self._method(field.compute),
            "inverse": self._method(field.inverse),
            "search": self._method(field.search),
            "depends": list(dict.fromkeys(self.env.registry.field_depends[field])),
            "depends_context": list(self.env.registry.field_depends_context[field]),
            "selection": self._selection(),
            "dependents": self._dependents(),
            "views": self._views(),
        }

    def _values(self) -> dict:
        """Return what is told as it is; of a selection, ``ondelete`` is functions."""
        found = {name: getattr(self.field, name, None) for name in VALUES}
        return {k: v for k, v in found.items() if isinstance(v, str | bool)}

    def _made(self) -> str:
        """Say where a field is from that no class of the model defines."""
        if self.field.inherited:
            source = self.field.related_field
            return f"by _inherits: {self.field.related}, of {source.model_name}"
        if self.field.manual:
            return "by hand: a record of ir.model.fields"
        rows = field_definitions(self.model, self.field.name)
        made = all(is_automatic(owner, self.field.name) for owner, _field in rows)
        return "by the ORM" if made else ""

    def _default(self) -> str:
        """Return the default of the last definition that has one."""
        model, source = self._source()
        given = [
            compat.field_arguments(field)["default"]
            for _owner, field in field_definitions(model, source.name)
            if "default" in compat.field_arguments(field)
        ]
        if not given or given[-1] is None:
            return ""
        return method_name(given[-1]) if callable(given[-1]) else repr(given[-1])

    def _source(self) -> tuple[type, Field]:
        """Return the field, or the one that it is by ``_inherits``, with its model."""
        field = self.field
        while field.inherited:
            field = field.related_field
        return self.env.registry[field.model_name], field

    def _definitions(self) -> list[dict]:
        """Return the classes that define the field, the first one first."""
        model, source = self._source()
        rows = []
        for owner, _field in field_definitions(model, source.name):
            if not is_automatic(owner, source.name):
                row = {"module": source_of(owner, model)}
                row["at"] = self.places.of_name(owner, source.name)
                code = self.places.code(owner, source.name)
                rows.append({**row, "code": code} if code else row)
        return rows

    def _method(self, given) -> str:
        """Return a method of the field with the class that is called first."""
        if not given or self.field.related:
            return ""
        name = method_name(given)
        chain = owners(self.model, name)
        if not chain:
            return name
        more = f", {len(chain)} definitions" if len(chain) > 1 else ""
        return f"{name} [{self.places.of_name(chain[0], name)}{more}]"

    def _selection(self) -> list[str]:
        """Return values and labels, each with the module that brings it."""
        if self.field.type != "selection":
            return []
        model, source = self._source()
        added: dict[str, str] = {}
        for owner, field in field_definitions(model, source.name):
            arguments = compat.field_arguments(field)
            for name in ("selection", "selection_add"):
                values = arguments.get(name)
                for row in values if isinstance(values, list | tuple) else ():
                    added.setdefault(row[0], source_of(owner, model))
        values = self.field._description_selection(self.env(su=True))
        rows = [
            f"{value}: {label}" + (f" [{added[value]}]" if value in added else "")
            for value, label in values
        ]
        return capped(rows, MOST, "odoo_shell tells them")

    def _dependents(self) -> list[str]:
        """Return the fields that are computed again when this one changes."""
        found = {str(f) for f in self.env.registry.get_dependent_fields(self.field)}
        own = f"{self.model._name}."
        rows = sorted(found, key=lambda row: (not row.startswith(own), row))
        return capped(rows, MOST_DEPENDENTS, "inspect those")

    def _views(self) -> list[str]:
        """Return the views that show the field, in lists inside of others too."""
        from lxml import etree

        name = self.field.name
        views = self.env(su=True)["ir.ui.view"].with_context(lang=None)
        found = views.search(
            [("type", "!=", "qweb"), ("arch_db", "like", f'name="{name}"')],
            order="model, priority, id",
        )
        rows = []
        names = external_ids(found)
        for view in found:
            arch = etree.fromstring(view.arch_db.encode())
            through = {self._through(view.model, node) for node in _nodes(arch, name)}
            through.discard(None)
            if through:
                via = sorted(through - {""})
                rows.append(names[view.id] + (f" (in {', '.join(via)})" if via else ""))
        return capped(rows, MOST, "search ir.ui.view")

    def _through(self, model: str, node) -> str | None:
        """Return the x2many field whose list a node is in; None: of another model."""
        above = next(node.iterancestors("field"), None)
        if above is None:
            return "" if model == self.model._name else None
        name = above.get("name", "")
        own = self.env.registry[model]._fields if model in self.env.registry else {}
        leads = getattr(own.get(name), "comodel_name", None)
        return f"{model}.{name}" if leads == self.model._name else None


def _nodes(arch, name: str) -> list:
    return [node for node in arch.iter("field") if node.get("name") == name]


def places_of(env, name: str) -> list[tuple[str, type]]:
    """Return the models that define a field or method, and the class that first does.

    Each class once, however many models have it by a mixin.
    """
    found: dict[type, str] = {}
    for model in env.registry.values():
        for owner in definition_classes(model):
            if name in vars(owner) and owner._module:
                found.setdefault(owner, owner._name or model._name)
    return [(model, owner) for owner, model in found.items()]
