"""PostgreSQL's values as JSON, without losing any.

Numbers stay numbers where a double holds them exactly as PostgreSQL writes them;
what JSON has no form for (dates, ranges, NaN, infinity, bytea…) is PostgreSQL's own
text, which is valid input for PostgreSQL again.
"""

import json
import math
from decimal import Decimal, InvalidOperation

from psycopg2 import extensions

AS_TEXT = extensions.new_type(
    # date and time types: psycopg2 fails on infinity and years BC
    (1082, 1083, 1114, 1184, 1266, 1186)
    # bytea, ranges and multiranges
    + (17, 3904, 3906, 3908, 3910, 3912, 3926)
    + (4451, 4532, 4533, 4534, 4535, 4536),
    "MCP_TEXT",
    lambda value, cursor: value,
)
NUMERIC = extensions.new_type(
    (1700, 700, 701), "MCP_NUMERIC", lambda value, cursor: number(value)
)
# date[], time[], timestamp[], timestamptz[], timetz[], interval[], bytea[]
TEXT_ARRAY = extensions.new_array_type(
    (1182, 1183, 1115, 1185, 1270, 1187, 1001), "MCP_TEXT[]", AS_TEXT
)
JSON = extensions.new_type(
    (114, 3802), "MCP_JSON", lambda value, cursor: parse_json(value)
)
JSON_ARRAY = extensions.new_array_type((199, 3807), "MCP_JSON[]", JSON)
NUMERIC_ARRAY = extensions.new_array_type((1231, 1021, 1022), "MCP_NUMERIC[]", NUMERIC)


def register_types(cursor) -> None:
    """Make ``cursor``, and no other, read values as this module says."""
    for kind in (AS_TEXT, NUMERIC, JSON, TEXT_ARRAY, NUMERIC_ARRAY, JSON_ARRAY):
        extensions.register_type(kind, cursor)


def number(text: str | None):
    """Return a JSON number if it says exactly what ``text`` says, else the text.

    >>> number("12.50"), number("42"), number("NaN"), number(None)
    (12.5, 42, 'NaN', None)
    >>> number("0.1234567890123456789")
    '0.1234567890123456789'
    """
    if text is None:
        return None
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return text
    if not exact.is_finite():
        return text
    if exact == exact.to_integral_value() and abs(exact) < 2**53:
        return int(exact)
    double = float(exact)
    return double if Decimal(repr(double)) == exact else text


def parse_json(text: str | None):
    """Return what a JSON text says, numbers that no double holds as text.

    >>> parse_json('{"a": [1e400, 7, 0.5]}')
    {'a': ['1e400', 7, 0.5]}
    """
    if text is None:
        return None
    return json.loads(text, parse_float=number, parse_int=_integer)


def _integer(text: str):
    return int(text) if len(text) < 20 else number(text)


PLAIN = frozenset({str, int, bool, type(None)})
"""Types whose values are JSON as they are."""


def to_json(value):
    """Return ``value`` as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, str | int | float | dict):
        return value
    return str(value)


def size(row: dict) -> int:
    """Return about how many bytes a row takes in the answer."""
    import pydantic_core

    try:
        # eight times as fast as json
        return len(pydantic_core.to_json(row))
    except ValueError:  # a lone surrogate, of a column of type json
        return len(json.dumps(row))


def shortened(row: dict, most_bytes: int) -> dict:
    """Return a row that is too large with its long values cut, each to its share.

    >>> shortened({"id": 1, "text": "x" * 50}, 20)
    {'id': 1, 'text': 'xxxxxxxxxx… [50 characters]'}
    """
    share = most_bytes // len(row)
    return {name: _cut(value, share) for name, value in row.items()}


def _cut(value, length: int):
    if not isinstance(value, str | list | dict):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= length:
        return value
    return f"{text[:length]}… [{len(text)} characters]"
