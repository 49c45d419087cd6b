"""Content blocks as each revision knows them."""

LINKS_SINCE = "2025-06-18"
"""The first revision that knows resource links. Sounds came with 2025-03-26, which a
client that names no revision is taken for: nobody is known to be older."""


def fitting(block: dict, revision: str) -> dict:
    """Return a block, or a text that says the same where it is not known.

    >>> link = {"type": "resource_link", "uri": "odoo://modules", "name": "modules"}
    >>> fitting(link, "2025-06-18") == link
    True
    >>> fitting(link, "2025-03-26")
    {'type': 'text', 'text': '[modules](odoo://modules)'}
    """
    if block["type"] != "resource_link" or revision >= LINKS_SINCE:
        return block
    name = block.get("title") or block["name"]
    return {"type": "text", "text": f"[{name}]({block['uri']})"}
