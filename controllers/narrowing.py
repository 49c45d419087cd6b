"""How a request says that it wants less than its key allows: by URL or by header.

``?toolsets=database,modules&tools=read_file&readonly=1``, and the headers
``X-MCP-Toolsets``, ``X-MCP-Tools`` and ``X-MCP-Readonly``, named as those of
github-mcp-server. What it does not understand it reads as the strictest, for a slip
must not leave more than was meant; nothing that can be sent here is an error.
"""

import re
from collections.abc import Iterable
from itertools import islice
from urllib.parse import parse_qsl

from ..models.guardrails import WORDS
from ..models.narrowing import Narrowing
from .exchange import HttpRequest

HEADER_PREFIX = "x-mcp-"
NAMES = ("toolsets", "tools", "readonly")

MOST_NAMES = 200
"""In one list; names behind that match nothing. Clients take 40 tools or so."""


def narrowings(request: HttpRequest) -> tuple[Narrowing, ...]:
    """Return what the URL and what the headers leave: all apply, each on its own.

    Names that are not spelled right are read apart, lest a client add to the list in a
    header that a proxy sets.
    """
    query = parse_qsl(request.query, keep_blank_values=True)
    headers = [
        (name[len(HEADER_PREFIX) :], value)
        for name, value in request.headers.items()
        if name.lower().startswith(HEADER_PREFIX)
    ]
    found = [
        _narrowing([pair for pair in said if (pair[0].lower() in NAMES) is right])
        for said in (query, headers)
        if said
        for right in (True, False)
    ]
    return tuple(narrowing for narrowing in found if narrowing != Narrowing())


def _narrowing(said: list[tuple[str, str]]) -> Narrowing:
    """Return what one source leaves.

    What it says twice adds up: a header that is sent twice is the same as one with a
    comma (RFC 9110 section 5.3), and a door cannot always tell them apart.
    """
    lists: dict[str, list[str]] = {}
    for name, value in said:
        lists.setdefault(_plain(name), []).extend(
            part.strip() for part in value.split(",")
        )
    return Narrowing(
        toolsets=_names(lists.get("toolset")),
        tools=_names(lists.get("tool")),
        read_only=any(_is_true(word) for word in lists.get("readonly", ())),
    )


def _plain(name: str) -> str:
    """Return a parameter's name as it is compared: only its letters, no plural.

    >>> _plain("Read-Only"), _plain("toolset"), _plain("tools[]"), _plain("db")
    ('readonly', 'toolset', 'tool', 'db')
    """
    return re.sub("[^a-z]", "", name.lower()).rstrip("s")


def _names(found: Iterable[str] | None) -> frozenset[str] | None:
    """Return the names of a list. Empty is not absent: who sends a variable that is
    not set gets nothing, and notices.

    >>> _names([""]), _names(None)
    (frozenset(), None)
    """
    if found is None:
        return None
    return frozenset(islice(filter(None, found), MOST_NAMES))


def _is_true(word: str) -> bool:
    """Tell whether a word means yes: all do that do not mean no.

    >>> _is_true("1"), _is_true("OFF"), _is_true(""), _is_true("flase")
    (True, False, True, True)
    """
    return WORDS.get(word.lower(), True)
