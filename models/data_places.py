"""Where the data files of a module define a record: XML and CSV."""

import contextlib
import csv
import io
import os
from collections.abc import Iterator

from odoo.modules.module import get_manifest

from .. import compat

TAGS = ("record", "template", "menuitem", "report", "act_window", "asset", "function")
KEYS = ("data", "demo", "init_xml", "update_xml", "demo_xml")


def data_files(module: str) -> list[str]:
    """Return the XML and CSV files of a module's manifest, in their order."""
    folder = compat.module_path(module)
    if not folder:
        return []
    manifest = get_manifest(module)
    names = [name for key in KEYS for name in manifest.get(key) or ()]
    paths = [os.path.join(folder, name) for name in names]
    return [path for path in paths if path.endswith((".xml", ".csv"))]


def defining(module: str, name: str, modules: list[str]) -> Iterator[tuple[str, int]]:
    """Give the places that define a record, that of its own module first.

    Another module can write to a record by giving its XML id whole.

    :param modules: that may do so
    """
    for path in data_files(module):
        yield from places(path, {name, f"{module}.{name}"})
    for other in modules:
        if other != module:
            for path in data_files(other):
                yield from places(path, {f"{module}.{name}"})


def places(path: str, names: set[str]) -> Iterator[tuple[str, int]]:
    """Give the places in a file that define a record of one of the names."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return
    # most files name it nowhere, and are not parsed
    if any(name.encode() in content for name in names):
        find = _in_xml if path.endswith(".xml") else _in_csv
        for line in find(content, names):
            yield path, line


def _in_xml(content: bytes, names: set[str]) -> Iterator[int]:
    from lxml import etree

    from .xml_text import line_of, parse

    try:
        root = parse(content)
    except etree.XMLSyntaxError:
        return
    lines = content.splitlines()
    for node in root.iter(*TAGS):
        if node.get("id") in names:
            yield line_of(node, lines)


def _in_csv(content: bytes, names: set[str]) -> Iterator[int]:
    text = io.StringIO(content.decode(errors="replace"), newline="")
    reader = csv.reader(text)
    # what cannot be read, as a value that is too long, defines nothing
    with contextlib.suppress(csv.Error):
        header = next(reader, [])
        if "id" not in header:
            return
        column, line = header.index("id"), reader.line_num + 1
        for row in reader:
            if len(row) > column and row[column] in names:
                yield line
            line = reader.line_num + 1
