"""The XML of views: read safely, and told for short."""

import collections
from collections.abc import Iterator

from lxml import etree

from . import xml_text

LONGEST_TAG = 120


def specs_of(tree) -> Iterator:
    """Yield the specs of an inheriting arch as ``apply_inheritance_specs`` takes them:
    what is in ``<data>`` comes after all else."""
    queue = collections.deque([tree])
    while queue:
        spec = queue.popleft()
        if not isinstance(spec.tag, str):
            continue
        if spec.tag == "data":
            queue.extend(spec)
        else:
            yield spec


def parsed(text: str):
    """Return the root element of an XML text, with each element's line where its tag
    begins.

    :raise etree.XMLSyntaxError: it is not well-formed
    """
    content = text.encode()
    root, lines = xml_text.parse(content), content.splitlines()
    for element in root.iter(etree.Element):
        element.sourceline = xml_text.line_of(element, lines)
    return root


def looks_for(spec) -> str:
    """Return what a spec looks for."""
    if spec.tag == "xpath":
        return spec.get("expr") or "<xpath>"
    return start_tag(spec, without=("position",))


def start_tag(element, without=()) -> str:
    """Return the start tag of an element, for short.

    >>> start_tag(etree.fromstring('<field name="x" position="after"/>'), ("position",))
    '<field name="x">'
    """
    told = [
        f'{name}="{value}"'
        for name, value in element.items()
        if name not in without and name[:2] != "__"
    ]
    whole = f"<{' '.join([element.tag, *told])}>"
    return whole if len(whole) <= LONGEST_TAG else f"{whole[: LONGEST_TAG - 2]}…>"


def path_of(element) -> str:
    """Return the path of an element in its tree."""
    return element.getroottree().getpath(element)


def unflag(arch) -> None:
    """Remove the flags by which Odoo knows what to validate."""
    for element in arch.xpath("//*[@__validate__]"):
        del element.attrib["__validate__"]
