from odoo import fields, models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    usage = fields.Selection(
        selection_add=[("mcp_tool", "MCP Tool")],
        ondelete={"mcp_tool": "cascade"},
    )
