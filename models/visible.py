r"""Characters that are not seen, made visible: what hides in a text or turns it around.

A model reads what a person does not see: control characters and escape sequences of
terminals, marks that change the direction of writing, letters of no width, tags. All
are written as JSON escapes them, ``\u202e``.
https://www.unicode.org/reports/tr36/, https://trojansource.codes
"""

import re

from .quick_search import may_hold

RANGES = (
    # C0 and C1, without tab and line ends
    *((0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F)),
    # all that Unicode calls default ignorable, but U+FE0E and U+FE0F, which say how
    # the sign before them looks
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160)),
    *((0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E)),
    *((0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0D), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    (0xE0000, 0xE0FFF),
    # line ends that are none to a terminal; annotations
    *((0x2028, 0x2029), (0xFFF9, 0xFFFB)),
)
CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in RANGES)
UNSEEN = re.compile(f"[{CLASS}\ud800-\udfff]")
UNSEEN_OR_RETURN = re.compile(rf"[{CLASS}\ud800-\udfff]|\r(?!\n)")


def visible(text: str) -> str:
    r"""Return a plain text with escapes in place of what is not seen.

    >>> print(visible("\x1b[31mred\x1b[0m \u202eabc\u202c \U000e0041"))
    \u001b[31mred\u001b[0m \u202eabc\u202c \udb40\udc41
    >>> visible("a\tb\r\nc")
    'a\tb\r\nc'
    """
    if not may_hold(text, f"[{CLASS}\r]"):
        return text
    return UNSEEN_OR_RETURN.sub(_escape, text)


def visible_json(text: str) -> str:
    r"""Return a JSON text, which says the same, with escapes for what is not seen.

    >>> print(visible_json('["\u200b"]'))
    ["\u200b"]
    """
    # of ASCII's control characters JSON holds none as it is, but DEL
    if text.isascii() and "\x7f" not in text:
        return text
    if not may_hold(text, f"[{CLASS}]"):
        return text
    return UNSEEN.sub(_escape, text)


def _escape(match: re.Match) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
