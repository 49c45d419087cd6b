"""One change of records that a client asks for: checked, and then done as who asks."""

import inspect

from odoo.exceptions import AccessError
from odoo.service.model import get_public_method

from .. import compat
from .exceptions import ArgumentError
from .nearest import nearest
from .record_reader import Reader, told
from .record_values import require_values

MOST_VALUES = 1000
MOST_CHANGES = 20


class RecordAction:
    """A ``create``, ``write``, ``unlink`` or ``call``.

    :param model: an empty recordset, as the user who asks
    :raise ArgumentError: it could not be done like that; what to send instead
    """

    def __init__(self, model, operation, ids, values, method, args, kwargs) -> None:
        self.records = model
        self.operation = operation
        self.method = None
        if operation == "call":
            self._call(method, ids, args or [], dict(kwargs or {}))
            return
        if method or args or kwargs:
            raise ArgumentError("method, args and kwargs are for the operation call.")
        if operation == "create":
            if ids:
                raise ArgumentError("create takes no ids: to change records use write.")
            self.values = self._created(values)
            return
        self.records = self._existing(ids)
        if not self.records:
            raise ArgumentError(f"{operation} needs ids: search_records finds them.")
        self.values = {}
        if operation == "write":
            if not isinstance(values, dict) or not values:
                raise ArgumentError("write needs values: an object, by field.")
            self.values = require_values(model, values, "values")

    def run(self):
        """Do it, and return what Odoo returned."""
        if self.operation == "create":
            return self.records.create(self.values)
        if self.operation == "write":
            return self.records.write(self.values)
        if self.operation == "unlink":
            return self.records.unlink()
        return self.method(self.records, *self.args, **self.kwargs)

    def done(self, work) -> dict:
        """Do it by ``work``, and return what was done."""
        reader = Reader(self.records.env)
        if self.operation == "unlink":
            named = {"ids": self.records.ids, "deleted": reader.related(self.records)}
            work()
            return named
        before = self._written(reader) if self.operation == "write" else {}
        result = work()
        if self.operation == "create":
            return {"ids": result.ids, "created": reader.related(result)}
        if self.operation == "call":
            return {"result": told(self.records, result)}
        after = self._written(Reader(self.records.env))
        changes = [
            {"id": number} | changed(before[number], after.get(number, {}))
            for number in before
        ]
        more = len(self.records) - len(before)
        return {
            "ids": self.records.ids,
            "changes": [row for row in changes if len(row) > 1],
        } | ({"not_told": more} if more else {})

    def _written(self, reader: Reader) -> dict[int, dict]:
        """Return the values of the fields that are written, as far as they are told."""
        names = [
            name
            for name in self.values
            if compat.reaches_field(self.records, self.records._fields[name], "read")
        ]
        seen = self.records[:MOST_CHANGES]._filtered_access("read")
        return {
            record.id: {
                name: reader.value(record, record._fields[name]) for name in names
            }
            for record in seen
        }

    def _existing(self, ids):
        found = self.records.browse(dict.fromkeys(ids or ()))
        if missing := sorted(set(found._ids) - set(found.exists()._ids)):
            numbers = ", ".join(map(str, missing[:20]))
            raise ArgumentError(f"{found._name} has no record {numbers}.")
        return found

    def _created(self, values) -> list[dict]:
        rows = [values] if isinstance(values, dict) else values
        if not rows or len(rows) > MOST_VALUES:
            raise ArgumentError(
                f"create needs values: an object by field, or a list of at most "
                f"{MOST_VALUES}."
            )
        single = isinstance(values, dict)
        return [
            require_values(
                self.records, row, "values" if single else f"values[{number}]"
            )
            for number, row in enumerate(rows)
        ]

    def _call(self, name, ids, args: list, kwargs: dict) -> None:
        """Find a method as Odoo's own RPC does: public, and not ``@api.private``."""
        if not name:
            raise ArgumentError("call needs method: the name of a public method.")
        model = self.records
        try:
            self.method = get_public_method(model, name)
            if not inspect.isfunction(self.method):
                raise AttributeError(name)
        except AccessError as error:
            raise ArgumentError(
                f"{model._name}.{name} is private: nobody calls it from outside. "
                "odoo_shell can, for developers."
            ) from error
        except AttributeError as error:
            raise ArgumentError(
                f"{model._name} has no method {name!r}." + nearest(name, _public(model))
            ) from error
        context = kwargs.pop("context", None) or {}
        if not isinstance(context, dict):
            raise ArgumentError("kwargs.context is an object.")
        if compat.is_model_method(self.method):
            if ids:
                raise ArgumentError(f"{model._name}.{name} takes no ids.")
        else:
            self.records = self._existing(ids)
        # our own keys are ours alone
        kept = {k: v for k, v in context.items() if not k.startswith("mcp_")}
        self.records = self.records.with_context(**kept)
        self.args, self.kwargs = args, kwargs
        self._require_arguments(name)

    def _require_arguments(self, name: str) -> None:
        wanted = inspect.signature(self.method)
        try:
            wanted.bind(self.records, *self.args, **self.kwargs)
        except TypeError as error:
            parameters = ", ".join(map(str, list(wanted.parameters.values())[1:]))
            raise ArgumentError(
                f"{self.records._name}.{name}({parameters}): {error}."
            ) from error


def changed(before: dict, after: dict) -> dict:
    """Return old and new value of each name whose value is another now.

    >>> changed({"a": 1, "b": 2}, {"a": 1, "b": 3})
    {'b': [2, 3]}
    """
    return {
        name: [before[name], after[name]]
        for name in before
        if name in after and before[name] != after[name]
    }


def _public(model) -> list[str]:
    found = []
    for name in dir(type(model)):
        method = getattr(type(model), name, None)
        private = name.startswith("_") or getattr(method, "_api_private", False)
        if not private and inspect.isfunction(method):
            found.append(name)
    return found
