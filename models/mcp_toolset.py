from odoo import fields, models

from .. import compat


class McpToolset(models.Model):
    """A family of tools that is switched on and off, and granted, as one."""

    _name = "mcp.toolset"
    _inherit = "mcp.catalog.mixin"
    _description = "MCP Toolset"
    _order = "sequence, id"

    name = fields.Char(required=True)
    code = fields.Char(
        required=True,
        help="The name that clients use to narrow a connection to this toolset.",
    )
    description = fields.Text()
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    tool_ids = fields.One2many("mcp.tool", "toolset_id", string="Tools")

    _code_unique = compat.Constraint(
        "UNIQUE(code)", "There is a toolset with this code already."
    )
