"""Where a name of Odoo's is defined: model, field, method, XML id, route, module of
JavaScript."""

import os
import re

from .. import compat
from . import route_facts
from .capped import capped
from .class_chain import definition_classes, field_definitions, model_class, owners
from .exceptions import ToolError
from .member_facts import places_of
from .nearest import nearest
from .record_definitions import REMEDY, RecordFinder
from .source_places import Places, class_of, definition_of, file_of, module_name

MOST = 20
KINDS = (*("model", "field", "method", "xmlid", "view", "route", "report", "js"),)
MODULE_JS = re.compile(r"@(?P<module>\w+)/(?P<path>.+?)(?:\.js)?")


class Finder:
    """Finds definitions.

    :param env: any environment; who may call the tool is decided on its record, so that
        records are read in sudo
    """

    def __init__(self, env, places: Places) -> None:
        self.env = env(su=True, context={**env.context, "lang": None})
        self.places = places
        self.records = RecordFinder(self.env, places)

    def find(self, kind: str | None, name: str) -> list[dict]:
        """Return the definitions of ``name``, the one that counts first.

        :raise ToolError: there is none; the nearest names
        """
        kind = kind or self._guess(name)
        if kind in ("xmlid", "view", "report"):
            return getattr(self.records, kind)(name)
        return getattr(self, f"_{kind}")(name)

    def _guess(self, name: str) -> str:
        """Return what kind of thing has a name of this form.

        ``base`` is a model and a module, ``res.partner`` might be an XML id.

        :raise ToolError: nothing has
        """
        if name.startswith(("@", "/")):
            return "js" if name[0] == "@" else "route"
        registry = self.env.registry
        if name in registry:
            return "model"
        model, _dot, member = name.rpartition(".")
        if not model and places_of(self.env, name):
            return "method"
        if model in registry and member in registry[model]._fields:
            return "field"
        if model in registry and hasattr(registry[model], member):
            return "method"
        if self.records.data(name):
            return "xmlid"
        if self.records.reports(name):
            return "report"
        if self.records.in_files(name):
            return "xmlid"
        raise ToolError(
            f"Nothing in this database is called {name!r}."
            + nearest(name, self._known(name), REMEDY)
        )

    def _known(self, name: str) -> set[str]:
        """Return names that a wrong one may be compared with."""
        registry = self.env.registry
        model, _dot, member = name.rpartition(".")
        known = {*registry, *self.records.ids(member, model)}
        if model in registry:
            names = {*registry[model]._fields, *dir(registry[model])}
            known |= {f"{model}.{n}" for n in names if n[:2] != "__"}
        if not model:
            known |= {n for each in registry.values() for n in each._fields}
        return known

    def _model(self, name: str) -> list[dict]:
        model = model_class(self.env, name)
        own = [cls for cls in definition_classes(model) if cls._name == name]
        if not own:
            return [{"model": name, "state": "made by hand, a record of ir.model"}]
        rows = [self._of_class(owner) for owner in reversed(own)]
        first = own[-1]
        rows[0].update(self._code(first, file_of(first), class_of(first)))
        if extended := [row["at"] for row in rows[1:]]:
            rows[0]["extended"] = extended
        return rows[:1]

    def _of_class(self, owner: type) -> dict:
        return {
            "kind": "model",
            "module": owner._module,
            "at": self.places.of_class(owner),
        }

    def _field(self, name: str) -> list[dict]:
        model_name, _dot, member = name.rpartition(".")
        if not model_name:
            return self._everywhere(member)
        model = model_class(self.env, model_name)
        field = model._fields.get(member)
        if field is None:
            raise ToolError(
                f"{model_name} has no field {member!r}."
                + nearest(member, model._fields, REMEDY)
            )
        if field.inherited:
            field = field.related_field
            name = str(field)
            return [{**row, "inherited_from": name} for row in self._field(name)]
        rows = [
            self._in_class("field", owner, member)
            for owner, _field in field_definitions(model, member)
        ]
        return rows or [{"kind": "field", "state": "by hand: ir.model.fields"}]

    def _method(self, name: str) -> list[dict]:
        model_name, _dot, member = name.rpartition(".")
        if not model_name:
            return self._everywhere(member)
        model = model_class(self.env, model_name)
        chain = owners(model, member)
        if not chain:
            known = {*model._fields, *dir(model)} - set(dir(object))
            raise ToolError(
                f"{model_name} has no field or method {member!r}."
                + nearest(member, known, REMEDY)
            )
        return [self._in_class("method", owner, member) for owner in chain]

    def _everywhere(self, name: str) -> list[dict]:
        """Return where any model defines a field or method of this name."""
        found = places_of(self.env, name)
        if not found:
            known = {n for model in self.env.registry.values() for n in model._fields}
            raise ToolError(
                f"No model has a field or method {name!r}."
                + nearest(name, known, REMEDY)
            )
        rows = [
            f"{model}: {self.places.of_name(owner, name)}" for model, owner in found
        ]
        return [{"name": name, "at": capped(sorted(rows), MOST, "name the model, too")}]

    def _in_class(self, kind: str, owner: type, name: str) -> dict:
        row = {
            "kind": kind,
            "module": owner._module or "odoo",
            "at": self.places.of_name(owner, name),
        }
        return {**row, **self._code(owner, file_of(owner), definition_of(owner, name))}

    def _code(self, owner: type, path: str | None, found) -> dict:
        if not found or not path:
            return {}
        first = getattr(found, "first", found.line)
        text = self.places.excerpt(path, first, found.last)
        return {"code": text} if text else {}

    def _route(self, name: str) -> list[dict]:
        path = "/" + name.lstrip("/").partition("?")[0]
        rules = route_facts.rules_of(self.env, path)
        if not rules:
            known = set(route_facts.paths(self.env))
            raise ToolError(
                f"No route of an installed module is {path!r}."
                + nearest(path, known, REMEDY)
            )
        return [route_facts.describe(rule, self.places) for rule in rules]

    def _js(self, name: str) -> list[dict]:
        match = MODULE_JS.fullmatch(name)
        folder = compat.module_path(match["module"]) if match else None
        if not match or not folder:
            raise ToolError(
                f"{name!r} is of no module: a JS module is @module/path below its "
                "static/src, e.g. @web/core/utils/hooks."
            )
        static = os.path.realpath(os.path.join(folder, "static"))
        below = os.path.normpath(os.path.join(static, "src", match["path"]))
        if below.startswith(static + os.sep):
            for path in (f"{below}.js", f"{below}/index.js"):
                if os.path.isfile(path):
                    return [self._script(match["module"], path)]
        source = os.path.join(static, "src")
        known = [
            f"@{match['module']}/{os.path.relpath(os.path.join(parent, file), source)}"
            for parent, _folders, files in os.walk(source)
            for file in files
            if file.endswith(".js")
        ]
        names = [path.removesuffix(".js") for path in known]
        raise ToolError(
            f"There is no JS module {name!r}." + nearest(name, names, REMEDY)
        )

    def _script(self, module: str, path: str) -> dict:
        row = {"kind": "js", "module": module_name(path) or module}
        text = self.places.excerpt(path, 1)
        return {
            **row,
            "at": self.places.at(path, 1),
            **({"code": text} if text else {}),
        }
