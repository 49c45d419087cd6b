"""From a method's signature to the tool's schemas, once, and never typed twice.

A tool method is decorated with :func:`tool` and names, as a string, the module
that its annotations come from. Nothing of pydantic is imported until the first
request needs a schema: Odoo's start costs nothing.
"""

import functools
import importlib
import inspect
import json
import typing
from dataclasses import dataclass

from odoo import api

from .exceptions import ArgumentError
from .guardrails import guardrails


def tool(
    types: str,
    *,
    writes: bool = False,
    job: bool = False,
    timed: bool = False,
    foreign: bool = False,
):
    """Mark a toolset method as one that a ``mcp.tool`` record may call.

    It is closed to RPC: only the registrar decides who may call it. What the server's
    configuration file forbids it refuses itself, whatever record or code calls it.

    :param types: module of the names in the annotations, relative to the package
        of the method, e.g. ``".schemas.database"``
    :param writes: it changes something, or can
    :param job: it may take long, and go on as a job. It takes ``background``, which the
        registrar alone looks at, and returns a ``JobHandle``
    :param timed: it sees to it itself that its statements end in time
    :param foreign: it returns what others have written: records, files, logs, what a
        process prints. See :mod:`.boundary`
    """

    def decorate(method):
        @functools.wraps(method)
        def guarded(*args, **kwargs):
            guardrails().require(method.__name__, writes=writes)
            return method(*args, **kwargs)

        guarded._mcp_types = types
        guarded._mcp_job = job
        guarded._mcp_timed = timed
        guarded._mcp_foreign = foreign
        return api.private(guarded)

    return decorate


@dataclass(frozen=True)
class Signature:
    """What a tool takes and returns.

    :param arguments: pydantic model of the arguments
    :param input_schema: JSON Schema 2020-12 of the arguments
    :param output_schema: JSON Schema 2020-12 of the structured result
    """

    arguments: type
    input_schema: dict
    output_schema: dict | None

    def parse(self, arguments: dict) -> dict:
        """Return the given arguments as the method wants them.

        Only those that were sent: the method's own defaults do the rest.

        :raise ArgumentError: naming each argument that does not fit
        """
        from pydantic import ValidationError

        try:
            parsed = self.arguments.model_validate(arguments, strict=True)
        except ValidationError as error:
            raise ArgumentError(
                explain_arguments(self.input_schema, arguments)
                or "; ".join(row["msg"] for row in error.errors())
            ) from error
        return {name: getattr(parsed, name) for name in parsed.model_fields_set}


@functools.cache
def signature(method) -> Signature:
    """Derive the schemas of a tool method from its annotations.

    :param method: a plain function decorated with :func:`tool`
    """
    from pydantic import ConfigDict, create_model

    types = importlib.import_module(
        method._mcp_types, package=inspect.unwrap(method).__globals__["__package__"]
    )
    method = inspect.unwrap(method)
    hints = typing.get_type_hints(
        method, globalns={**vars(types), **method.__globals__}, include_extras=True
    )
    fields = {
        name: (hints[name], ... if row.default is row.empty else row.default)
        for name, row in inspect.signature(method).parameters.items()
        if name != "self"
    }
    model = create_model(
        method.__name__, __config__=ConfigDict(extra="forbid"), **fields
    )
    result = hints.get("return")
    return Signature(
        arguments=model,
        input_schema=_json_schema(model, "validation"),
        output_schema=_json_schema(result, "serialization")
        if hasattr(result, "model_json_schema")
        else None,
    )


def _json_schema(model, mode: str) -> dict:
    """Return the JSON Schema of a pydantic model as clients and models like it.

    Short: no titles, no references, no ``null`` alternatives for arguments.
    """
    from pydantic.json_schema import GenerateJsonSchema

    class Compact(GenerateJsonSchema):
        def field_title_should_be_set(self, schema) -> bool:
            return False

        def nullable_schema(self, schema):
            # a result says null where there is nothing; an argument is left out
            if self.mode == "serialization":
                return super().nullable_schema(schema)
            return self.generate_inner(schema["schema"])

        def default_schema(self, schema):
            # what a result has when nothing was said, its reader sees
            if self.mode == "serialization" or schema.get("default", ...) is None:
                return self.generate_inner(schema["schema"])
            return super().default_schema(schema)

    schema = model.model_json_schema(mode=mode, schema_generator=Compact)
    schema = _inline(schema, schema.pop("$defs", {}))
    return _undescribed(schema) if mode == "serialization" else schema


def _undescribed(schema):
    """Drop what a reader of results sees by itself, and every conversation pays for."""
    if isinstance(schema, list):
        return [_undescribed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _undescribed(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str))
    }


def _inline(schema, definitions: dict):
    """Replace references by what they refer to, and drop model titles."""
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _inline({**target, **rest}, definitions)
    return {
        key: _inline(value, definitions)
        for key, value in schema.items()
        if not (key in ("title", "description") and "properties" in schema)
    }


def explain_arguments(schema: dict, arguments: dict) -> str:
    """Say which arguments do not fit ``schema``, what was expected, and what to send.

    :return: one line a fault, or an empty string when all fit
    """
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(arguments)
    return "\n".join(
        _explain(error, schema) for error in sorted(errors, key=lambda e: list(e.path))
    )


def _explain(error, schema: dict) -> str:
    known = ", ".join(schema.get("properties", {})) or "none"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return "\n".join(
            f"Argument '{name}' is missing: send {_expected(error, name)}."
            for name in missing
        )
    if error.validator == "additionalProperties" and not error.path:
        unknown = sorted(set(error.instance) - set(schema.get("properties", {})))
        names = ", ".join(f"'{name}'" for name in unknown)
        return f"Unknown argument {names}: this tool takes {known}."
    name = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path
    ).lstrip(".")
    got = json.dumps(error.instance, default=str)
    return (
        f"Argument '{name}': expected {_describe(error.schema)}, "
        f"got {got[:60]}{'…' if len(got) > 60 else ''}."
    )


def _expected(error, name: str) -> str:
    return _describe(error.schema.get("properties", {}).get(name, {}))


def _describe(schema: dict) -> str:
    """Say in words what a property takes, e.g. ``integer >= 1, <= 1000``."""
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    words = str(schema.get("type", "a value"))
    if words == "array" and "type" in schema.get("items", {}):
        words = f"array of {schema['items']['type']}"
    limits = {
        "minimum": ">= {}",
        "maximum": "<= {}",
        "minLength": "of at least {} character(s)",
        "maxLength": "of at most {} characters",
        "pattern": "matching {}",
    }
    bounds = [text.format(schema[key]) for key, text in limits.items() if key in schema]
    return " ".join([words, ", ".join(bounds)]).strip()
