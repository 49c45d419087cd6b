from odoo import fields, models

from .. import compat


class McpRateLimitCounter(models.Model):
    """Where a rate-limit rule stands for one key, user or the database."""

    _name = "mcp.rate.limit.counter"
    _description = "MCP Rate Limit Counter"
    _log_access = False
    _rec_name = "subject"

    limit_id = fields.Many2one(
        "mcp.rate.limit", required=True, readonly=True, ondelete="cascade"
    )
    subject = fields.Char(required=True, readonly=True)
    calls = fields.Integer(required=True, readonly=True)
    window_end = fields.Datetime(required=True, readonly=True)

    _subject_unique = compat.Constraint(
        "UNIQUE(limit_id, subject)", "A rule counts each subject once."
    )
