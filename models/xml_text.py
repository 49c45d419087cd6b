"""XML as it stands in a text: parsed safely, and where in it an element begins."""

from lxml import etree


def parse(text: bytes):
    """Return the root element of an XML text.

    Entities stay what they are: none brings in a file of the server.
    https://lxml.de/parsing.html#parser-options

    :raise etree.XMLSyntaxError: it is not well-formed
    """
    return etree.fromstring(
        text, etree.XMLParser(resolve_entities=False, no_network=True)
    )


def line_of(element, lines: list[bytes]) -> int:
    r"""Return the line in which the tag of an element begins: libxml2 tells where it
    ends.

    :param lines: of the text that it was parsed from

    >>> text = b'<a>\n<svg xmlns="urn:svg"\nid="x"/>\n</a>'
    >>> line_of(parse(text)[0], text.splitlines())
    2
    """
    name = etree.QName(element).localname
    tag = f"<{element.prefix}:{name}" if element.prefix else f"<{name}"
    wanted, last = tag.encode(), element.sourceline
    begun = range(min(last, len(lines)), 0, -1)
    return next((line for line in begun if wanted in lines[line - 1]), last)
