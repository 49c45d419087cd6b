"""Content blocks, as far as the client's revision knows them."""

SINCE = {"audio": "2025-03-26", "resource_link": "2025-06-18"}
"""The revisions that brought a block; what is not here was always there."""


def as_told(block: dict, revision: str) -> dict:
    """Return a block, or the text that says what it is where it is not known.

    >>> link = {"type": "resource_link", "uri": "odoo://modules", "name": "modules"}
    >>> as_told(link, "2025-06-18") == link
    True
    >>> as_told(link, "2025-03-26")
    {'type': 'text', 'text': '[modules](odoo://modules)'}
    """
    if revision >= SINCE.get(block["type"], ""):
        return block
    if block["type"] == "audio":
        return {"type": "text", "text": f"(a sound: {block.get('mimeType')})"}
    name = block.get("title") or block.get("name")
    return {"type": "text", "text": f"[{name}]({block.get('uri')})"}
