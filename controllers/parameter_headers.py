"""Headers that repeat parameters of a tool: they must say what the body says.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers
"""

import re
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import Headers

from ..models.mirrored_parameters import mirrored
from .revision import header_value, mismatch

PREFIX = "Mcp-Param-"
NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def check_parameters(headers: Headers, schema: dict, arguments: dict) -> None:
    """Refuse a call whose headers contradict the arguments that they repeat.

    :param schema: of the tool's input
    :raise RpcError: -32020: one is missing, there twice, broken, or of another value
    """
    for row in mirrored(schema):
        name = PREFIX + row.name
        value = row.value(arguments)
        # what is none of these cannot be repeated: the schema is to refuse it
        owed = isinstance(value, str | bool | int | float)
        if not owed and name not in headers:
            continue
        if not _agree(header_value(headers, name), value):
            raise mismatch(name)


def _agree(header: str | None, value: Any) -> bool:
    """Tell whether a header stands for a value.

    >>> _agree("42.0", 42), _agree("true", True), _agree("True", True), _agree("", None)
    (True, True, False, False)
    """
    if header is None or value is None:
        return False
    if isinstance(value, bool):
        return header == str(value).lower()
    if isinstance(value, int | float):
        return bool(NUMBER.fullmatch(header)) and Decimal(header) == Decimal(str(value))
    return header == value
