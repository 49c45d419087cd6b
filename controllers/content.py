"""Content blocks as each revision knows them."""

from collections.abc import Iterable

LINKS_SINCE = "2025-06-18"
"""The first revision that knows resource links. Sounds came with 2025-03-26, which a
client that names no revision is taken for: nobody is known to be older."""


def fitting(blocks: Iterable[dict], revision: str) -> list[dict]:
    """Return blocks, those that the revision does not know as text.

    >>> fitting([{"type": "resource_link", "uri": "odoo://job/7"}], "2025-03-26")
    [{'type': 'text', 'text': 'odoo://job/7'}]
    """
    if revision >= LINKS_SINCE:
        return list(blocks)
    return [
        {"type": "text", "text": block["uri"]}
        if block["type"] == "resource_link"
        else block
        for block in blocks
    ]
