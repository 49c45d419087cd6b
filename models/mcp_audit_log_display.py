import json
from collections.abc import Collection

from odoo import api, fields, models

from .mcp_metric import METHODS


class McpAuditLog(models.Model):
    """What the views of the audit log show and search beside its columns."""

    _inherit = "mcp.audit.log"

    arguments_pretty = fields.Text("Arguments, indented", compute="_compute_pretty")
    changes = fields.Boolean(
        "Writes",
        compute="_compute_changes",
        search="_search_changes",
        help="Its tool is not marked as read-only, or is no more.",
    )

    @api.depends("arguments")
    def _compute_pretty(self):
        for entry in self:
            entry.arguments_pretty = _pretty(entry.arguments)

    @api.depends("tool")
    def _compute_changes(self):
        readers = self._readers()
        for entry in self:
            entry.changes = entry.tool not in readers

    def _search_changes(self, operator, value):
        wanted = True in value if isinstance(value, Collection) else bool(value)
        if operator in ("!=", "not in"):
            wanted = not wanted
        return [("tool", "not in" if wanted else "in", self._readers())]

    @api.model
    def _readers(self) -> list[str]:
        """Return the names of what changes nothing: no join, no look at each entry."""
        tools = self.env["mcp.tool"].sudo().with_context(active_test=False)
        read_only = tools.search([("read_only_hint", "=", True)])
        return [*read_only.mapped("name"), *METHODS]


def _pretty(arguments: str | bool) -> str | bool:
    try:
        return json.dumps(json.loads(arguments), indent=2, ensure_ascii=False)
    except (TypeError, ValueError):
        return arguments
