from odoo import fields, models

from ..models.mcp_audit_log import STATUSES


class McpCallReport(models.Model):
    """The audit log in figures: a row a call, to be summed up.

    A plain look at the table, so that PostgreSQL takes the index of its date.
    """

    _name = "mcp.call.report"
    _description = "MCP Calls"
    _auto = False
    _log_access = False
    _order = "id desc"
    _rec_name = "tool"

    _table_query = """
        SELECT a.id, a.create_date AS date, a.tool, t.toolset_id, a.user_id, a.key_id,
               a.key_name, a.client, a.status, a.error_class, 1 AS calls,
               (a.status IN ('error', 'lost'))::integer AS errors,
               (a.status = 'refused')::integer AS refusals,
               CASE WHEN a.status NOT IN ('open', 'refused', 'lost')
                    THEN a.duration_ms END AS duration_ms
          FROM mcp_audit_log a
          LEFT JOIN mcp_tool t ON t.name = a.tool
    """

    date = fields.Datetime(readonly=True)
    tool = fields.Char(readonly=True)
    toolset_id = fields.Many2one("mcp.toolset", readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    key_id = fields.Many2one("mcp.api.key", readonly=True)
    key_name = fields.Char(readonly=True)
    client = fields.Char(readonly=True)
    status = fields.Selection(STATUSES, readonly=True)
    error_class = fields.Char(readonly=True)
    calls = fields.Integer(readonly=True)
    errors = fields.Integer(readonly=True, help="Failed and lost calls.")
    refusals = fields.Integer(readonly=True, help="Refused before the tool ran.")
    duration_ms = fields.Integer(
        "Duration (ms)", readonly=True, aggregator="avg", help="Of calls that ran."
    )
