"""Where the records of modules are defined: by XML id, as a view, as a report."""

from .. import compat
from .capped import capped
from .data_places import defining
from .exceptions import ToolError
from .nearest import nearest
from .source_places import Places

MOST = 20
REMEDY = "search_code looks in the source, installed or not."


class RecordFinder:
    """Finds records and the data files that define them.

    :param env: in sudo
    """

    def __init__(self, env, places: Places) -> None:
        self.env = env
        self.places = places

    def data(self, name: str):
        """Return the ``ir.model.data`` of an XML id; none: there is no such."""
        module, _dot, rest = name.partition(".")
        return self.env["ir.model.data"].search(
            [("module", "=", module), ("name", "=", rest)], limit=1
        )

    def in_files(self, name: str) -> bool:
        """Tell whether a data file of the module has such a record, loaded or not."""
        module, _dot, rest = name.partition(".")
        return bool(rest) and any(defining(module, rest, []))

    def view(self, name: str) -> list[dict]:
        """Return a view by its XML id, key or name."""
        if self.data(name):
            return self.xmlid(name)
        views = self.env["ir.ui.view"].with_context(active_test=False)
        found = views.search(["|", ("key", "=", name), ("name", "=", name)])
        if not found:
            return self.xmlid(name)
        ids = found.get_external_id()
        return [self._of_record(view, ids[view.id]) for view in found[:MOST]]

    def reports(self, name: str):
        """Return the reports with this ``report_name``."""
        return self.env["ir.actions.report"].search([("report_name", "=", name)])

    def report(self, name: str) -> list[dict]:
        """Return a report by its ``report_name`` or XML id, and its template."""
        found = self.reports(name)
        if not found:
            if self.data(name):
                return self.xmlid(name)
            known = self.env["ir.actions.report"].search([]).mapped("report_name")
            raise ToolError(
                f"There is no report {name!r}." + nearest(name, known, REMEDY)
            )
        ids = found.get_external_id()
        rows = [self._of_record(report, ids[report.id]) for report in found]
        template = self.xmlid(name) if self.data(name) else []
        return [*rows, *template]

    def _of_record(self, record, xml_id: str) -> dict:
        if xml_id:
            return self.xmlid(xml_id)[0]
        return {"record": f"{record._name},{record.id}", "state": "of no module"}

    def xmlid(self, name: str) -> list[dict]:
        """Return the record of an XML id, and the files that write it."""
        data = self.data(name)
        module, _dot, rest = name.partition(".")
        if not data and not compat.module_path(module):
            raise ToolError(
                f"There is no XML id {name!r}." + nearest(name, self.ids(rest), REMEDY)
            )
        installed = sorted(self.env.registry._init_modules)
        found = list(defining(module, rest, installed if data else []))
        if not data and not found:
            raise ToolError(
                f"There is no XML id {name!r}."
                + nearest(name, self.ids(rest, module), REMEDY)
            )
        row = {"kind": "xmlid", "module": module, **self._state(data)}
        if found:
            path, line = found[0]
            row["at"] = self.places.at(path, line)
            if text := self.places.excerpt(path, line):
                row["code"] = text
            if more := [self.places.at(*place) for place in found[1:]]:
                row["written_to"] = capped(more, MOST, REMEDY)
        else:
            row["made"] = "by Odoo or by code: no data file has it"
        return [row]

    def _state(self, data) -> dict:
        """Return the record of an XML id as the database has it."""
        if not data:
            return {"state": "in a file, but not in this database"}
        known = data.model in self.env.registry
        exists = known and bool(self.env[data.model].browse(data.res_id).exists())
        row = {"record": f"{data.model},{data.res_id}", "noupdate": data.noupdate}
        return row if exists else {**row, "state": "the record is gone"}

    def ids(self, rest: str, module: str = "") -> list[str]:
        """Return XML ids that a wrong one may be compared with."""
        domain = [("module", "=", module)] if module else [("name", "=", rest)]
        rows = self.env["ir.model.data"].search(domain)
        return [f"{row.module}.{row.name}" for row in rows]
