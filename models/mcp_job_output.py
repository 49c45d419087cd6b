from odoo import api, fields, models


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

    @api.model
    def _from(self, job_id: int, position: int, most: int) -> tuple[int, str]:
        """Return what a job has printed from a position on.

        :param position: in characters; negative: so many before the end
        :param most: characters
        :return: the position where the text begins: later, if the earlier part is not
            kept any more; and the text
        """
        self.env.cr.execute(
            "SELECT coalesce(min(position), 0), coalesce(max(position + size), 0) "
            "FROM mcp_job_output WHERE job_id = %s",
            [job_id],
        )
        begin, end = self.env.cr.fetchone()
        first = max(begin, end + position if position < 0 else position)
        self.env.cr.execute(
            "SELECT position, text FROM mcp_job_output WHERE job_id = %s "
            "AND position + size > %s AND position < %s ORDER BY position",
            [job_id, first, first + most],
        )
        rows = self.env.cr.fetchall()
        if not rows:
            return first, ""
        text = "".join(text for _position, text in rows)
        return first, text[first - rows[0][0] :][:most]
