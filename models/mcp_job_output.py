from odoo import fields, models


class McpJobOutput(models.Model):
    """A piece of what a job has printed."""

    _name = "mcp.job.output"
    _inherit = "mcp.sealed.mixin"
    _description = "MCP Job Output"
    _order = "position"
    _log_access = False
    _rec_name = "position"

    job_id = fields.Many2one(
        "mcp.job", readonly=True, index=True, required=True, ondelete="cascade"
    )
    position = fields.Integer(readonly=True, help="Characters before it.")
    size = fields.Integer(readonly=True, help="Characters.")
    text = fields.Text(readonly=True)
