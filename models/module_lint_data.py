"""What is wrong with the records that a module's XML and CSV files have."""

import csv
import functools
import re
from collections.abc import Callable
from pathlib import Path

from odoo import release

from .nearest import nearest

RIGHTS = ("perm_read", "perm_write", "perm_create", "perm_unlink")
XML_IDS = ("group_id:id", "group_id/id", "model_id:id", "model_id/id")
WHOLE = ("ir.ui.view", "ir.actions.act_window")
"""Models whose records are written at once: the second of an XML id is a mistake."""

SKIPPED = {"node_modules", "static", ".git", "__pycache__"}
MOST_OF_A_FILE = 5


class DataLint:
    """The checks of data files.

    :param env: knows models, fields and XML ids of what is installed
    :param add: takes a finding: path, line, code, message, severity
    """

    def __init__(self, env, name: str, folder: Path, add: Callable) -> None:
        self.env = env
        self.name = name
        self.folder = folder
        self.add = add

    def check(self) -> None:
        """Look at all of them."""
        for path in files(self.folder, "*.xml"):
            self._check_xml(path)
        for path in files(self.folder, "*.csv"):
            self._check_csv(path)

    def _check_xml(self, path: Path) -> None:
        """Find what does not parse, or is not as Odoo's ``import_xml.rng`` wants it."""
        from lxml import etree

        from .xml_text import parse

        try:
            tree = parse(path.read_bytes()).getroottree()
        except (etree.XMLSyntaxError, OSError) as error:
            line = getattr(error, "lineno", None) or 1
            self.add(path, line, "xml-syntax", getattr(error, "msg", str(error)))
            return
        if tree.getroot().tag not in ("odoo", "openerp"):
            return
        grammar = _grammar()
        if not grammar.validate(tree):
            for error in list(grammar.error_log)[:MOST_OF_A_FILE]:
                self.add(path, error.line, "xml-grammar", error.message)
        self._check_ids(path, tree)

    def _check_ids(self, path: Path, tree) -> None:
        """Find XML ids that a file gives twice, of what nobody changes on purpose."""
        seen: dict[str, int] = {}
        for node in tree.iter("record", "template", "menuitem"):
            name = node.get("id")
            if node.tag == "record" and node.get("model") not in WHOLE:
                continue
            if name in seen:
                text = f"The XML id {name!r} is given in line {seen[name]} already."
                self.add(path, node.sourceline, "duplicate-id", text, "warning")
            elif name:
                seen[name] = node.sourceline

    def _check_csv(self, path: Path) -> None:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            reader = csv.reader(file)
            try:
                rows = list(reader)
            except csv.Error as error:
                self.add(path, reader.line_num or 1, "csv-syntax", str(error))
                return
        header = rows[0] if rows else []
        model = path.stem.partition("-")[0]
        if "id" not in header:
            self.add(path, 1, "csv-no-id", "Odoo loads a CSV file by its column 'id'.")
        if model in self.env:
            known = set(self.env[model]._fields) | {".id"}
            for name in header:
                field = re.split(r"[/:]", name)[0].partition("@")[0]
                if field not in known:
                    text = f"{model} has no field {field!r}.{nearest(field, known)}"
                    self.add(path, 1, "csv-field", text)
        for number, row in enumerate(rows[1:], 2):
            if row and len(row) != len(header):
                text = f"{len(row)} values for {len(header)} columns."
                self.add(path, number, "csv-columns", text)
            elif row and model == "ir.model.access":
                self._check_access(path, number, dict(zip(header, row, strict=True)))

    def _check_access(self, path: Path, line: int, row: dict[str, str]) -> None:
        for name in RIGHTS:
            if row.get(name, "0") not in ("0", "1"):
                text = f"{name} is {row[name]!r}, not 0 or 1."
                self.add(path, line, "csv-value", text)
        for column, value in row.items():
            text = self._missing(value.strip()) if column in XML_IDS else ""
            if text:
                self.add(path, line, "unknown-id", text)

    def _missing(self, xmlid: str) -> str:
        """Say that an XML id is nowhere; empty: it is, or nobody can tell."""
        module, dot, name = xmlid.rpartition(".")
        if not xmlid:
            return ""
        if not dot or module == self.name:
            own = self._own_ids | {f"model_{t}" for t in self._own_models}
            if name in own or self.env.ref(f"{self.name}.{name}", False):
                return ""
            return f"{name!r} is not defined in {self.name}.{nearest(name, own)}"
        data = self.env["ir.model.data"].sudo()
        known = [n for (n,) in data._read_group([("module", "=", module)], ["name"])]
        if not known or name in known:
            return ""
        near = nearest(xmlid, [f"{module}.{each}" for each in known])
        return f"There is no {xmlid!r}.{near}"

    @functools.cached_property
    def _own_ids(self) -> set[str]:
        found = set()
        for path in files(self.folder, "*.xml"):
            text = path.read_text(errors="replace")
            found |= set(re.findall(r"\bid=[\"']([\w.]+)[\"']", text))
        return found

    @functools.cached_property
    def _own_models(self) -> set[str]:
        """The tables of the models that the module's Python names."""
        found = set()
        for path in files(self.folder, "*.py"):
            text = path.read_text(errors="replace")
            for names in re.findall(r"^\s+_(?:name|inherit)\s*=\s*(.+)$", text, re.M):
                found |= {n.replace(".", "_") for n in re.findall(r"[\w.]+", names)}
        return found


def files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a module that Odoo itself loads."""
    return [
        path
        for path in sorted(folder.rglob(pattern))
        if not SKIPPED & set(path.relative_to(folder).parts)
    ]


@functools.cache
def _grammar():
    from lxml import etree

    return etree.RelaxNG(
        etree.parse(str(Path(release.__file__).with_name("import_xml.rng")))
    )
