from odoo import api, fields, models

MOST_LISTED = 500
"""Failures and refusals that are printed one by one."""


class McpAuditLogReport(models.AbstractModel):
    """What is printed for an auditor, as far as the one who prints may see it."""

    _name = "report.odoo_dev_mcp.mcp_audit_log_report_document"
    _description = "MCP Audit Report"

    @api.model
    def _get_report_values(self, docids, data=None):
        exports = self.env["mcp.audit.log.export"].browse(docids)
        return {
            "doc_ids": docids,
            "doc_model": exports._name,
            "docs": exports,
            "figures_of": self._figures,
            "database": self.env.cr.dbname,
            "printed_at": fields.Datetime.now(),
        }

    def _figures(self, export) -> dict:
        """Return the totals of a period, its keys, and what went wrong."""
        calls, wrong = self.env["mcp.call.report"], self.env["mcp.audit.log"]
        domain = export._domain()
        period = [("date", *rest) for _name, *rest in domain]
        sums = ["calls:sum", "errors:sum", "refusals:sum", "duration_ms:avg"]
        bad = [*domain, ("status", "in", ("error", "lost", "refused"))]
        return {
            "totals": [
                (title, self._labelled(name, calls._read_group(period, [name], sums)))
                for name, title in self._groups().items()
            ],
            "keys": calls._read_group(
                [*period, ("key_name", "!=", False)],
                ["key_name", "user_id"],
                ["calls:sum", "date:min", "date:max"],
                order="key_name",
            ),
            "wrong": wrong.search(bad, limit=MOST_LISTED),
            "wrong_count": wrong.search_count(bad),
            "entry_count": export.entry_count,
        }

    def _groups(self) -> dict[str, str]:
        """Return what calls are summed up by, and how that is called."""
        return {
            "status": self.env._("Status"),
            "tool": self.env._("Tool"),
            "user_id": self.env._("User"),
            "key_name": self.env._("Key"),
        }

    def _labelled(self, name: str, rows: list[tuple]) -> list[tuple]:
        """Return the rows with readable groups, the largest first."""
        none, status = self.env._("(none)"), self.env["mcp.audit.log"]._fields["status"]
        statuses = dict(status._description_selection(self.env))
        labelled = [(self._label(row[0], statuses) or none, *row[1:]) for row in rows]
        return sorted(labelled, key=lambda row: (-row[1], row[0]))

    @staticmethod
    def _label(group, statuses: dict[str, str]) -> str:
        if isinstance(group, models.BaseModel):
            return group.display_name
        return statuses.get(group, group)
