"""Parameters of a tool that its clients repeat in a header, so that others on the way
can route by them.

https://modelcontextprotocol.io/specification/2026-07-28/server/tools#x-mcp-header
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

ANNOTATION = "x-mcp-header"

# RFC 9110 section 5.6.2
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
TYPES = ("string", "integer", "boolean")


class Mirrored(NamedTuple):
    """A parameter that is repeated in a header.

    :param path: names of the properties that lead to it
    :param name: of the header, after ``Mcp-Param-``
    :param type: ``string``, ``integer`` or ``boolean``
    """

    path: tuple[str, ...]
    name: str
    type: str

    def value(self, arguments: dict) -> Any:
        """Return the value in a call's arguments; None: there is none."""
        found: Any = arguments
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        return found


def mirrored(schema: Any, path: tuple[str, ...] = ()) -> Iterator[Mirrored]:
    """Return the parameters that an input schema marks, wherever ``properties`` lead.

    >>> [row] = mirrored({"properties": {"a": {"x-mcp-header": "A", "type": "string"}}})
    >>> row.path, row.value({"a": "x"}), row.value({})
    (('a',), 'x', None)
    """
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, found in (properties or {}).items():
        if isinstance(found, dict):
            if ANNOTATION in found:
                yield Mirrored((*path, name), found[ANNOTATION], found.get("type"))
            yield from mirrored(found, (*path, name))


def explain_mirrored(schema: dict) -> str:
    """Say why clients would refuse a tool for what its schema marks; empty: nothing.

    >>> explain_mirrored({"properties": {"a": {"x-mcp-header": "A", "type": "number"}}})
    "'a': x-mcp-header is for a string, an integer or a boolean"
    """
    seen: set[str] = set()
    for path, name, kind in (rows := list(mirrored(schema))):
        where = ".".join(path)
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            return f"'{where}': x-mcp-header names a header: letters, digits and -"
        if kind not in TYPES:
            return f"'{where}': x-mcp-header is for a string, an integer or a boolean"
        if name.lower() in seen:
            return f"'{where}': another parameter has the x-mcp-header {name}"
        seen.add(name.lower())
    if _count(schema) > len(rows):
        return "x-mcp-header is for properties of the schema and of properties in it"
    return ""


def _count(part: Any) -> int:
    """Return how many schemas in ``part`` are marked, wherever they are."""
    if isinstance(part, list):
        return sum(map(_count, part))
    if not isinstance(part, dict):
        return 0
    # a property may have that name; its schema is then an object
    own = ANNOTATION in part and not isinstance(part[ANNOTATION], dict)
    return own + sum(map(_count, part.values()))
