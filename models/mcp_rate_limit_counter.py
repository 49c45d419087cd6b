import math
from datetime import datetime, timezone

from odoo import api, fields, models

from .. import compat


class McpRateLimitCounter(models.Model):
    """Where a rate-limit rule stands for one key, user or the database."""

    _name = "mcp.rate.limit.counter"
    _description = "MCP Rate Limit Counter"
    _log_access = False
    _rec_name = "who"

    limit_id = fields.Many2one(
        "mcp.rate.limit", required=True, readonly=True, ondelete="cascade"
    )
    subject = fields.Char(required=True, readonly=True)
    calls = fields.Integer(required=True, readonly=True)
    window_end = fields.Datetime(required=True, readonly=True)
    who = fields.Char("Whose Calls", compute="_compute_who")
    allowed = fields.Integer("Allowed", related="limit_id.calls")
    seconds_left = fields.Integer("Ends in (s)", compute="_compute_seconds_left")

    _subject_unique = compat.Constraint(
        "UNIQUE(limit_id, subject)", "A rule counts each subject once."
    )

    @api.depends("subject")
    def _compute_who(self):
        for counter in self:
            kind, _, number = counter.subject.partition(":")
            counter.who = counter._name_of(kind, int(number or 0))

    def _name_of(self, kind: str, number: int) -> str:
        """Return whom people know by a subject of :class:`.mcp_rate_limit.Rule`."""
        if kind == "database":
            return self.env._("Everybody")
        if kind == "user":
            user = self.env["res.users"].sudo().browse(number).exists()
            return user.login or self.env._("A user who is gone")
        key = self.env["mcp.api.key"].sudo().browse(number).exists()
        if not key:
            return self.env._("A key that is gone")
        return self.env._("%(key)s of %(user)s", key=key.name, user=key.user_id.login)

    @api.depends("window_end")
    def _compute_seconds_left(self):
        # to the microsecond, as the ends are
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        for counter in self:
            left = (counter.window_end - now).total_seconds()
            counter.seconds_left = max(0, math.ceil(left))

    def action_reset(self):
        """Let these windows begin anew, with the next call.

        In SQL, for nobody may write a counter through the ORM; who may read one is an
        administrator, who could change the rule as well.
        """
        self.check_access("read")
        self.env.cr.execute(
            "DELETE FROM mcp_rate_limit_counter WHERE id = ANY(%s)", [self.ids]
        )
        self.env.invalidate_all()
        return True
