from typing import NamedTuple

from odoo import api, fields, models

from .. import compat
from .exceptions import LimitReached
from .stored_functions import define

NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"
"""The time after any wait for the row, where ``now()`` is the transaction's start."""

END = f"({NOW} + period * interval '1 second')"

# a window in the far future is left from a clock that stepped back
OVER = f"(c.window_end <= {NOW} OR c.window_end > {END})"

COUNT = f"""
CREATE FUNCTION mcp_rate_limit_count
       (rule integer, who text, most integer, period integer)
RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mcp_rate_limit_counter AS c (limit_id, subject, calls, window_end)
    VALUES (rule, who, 1, {END})
    ON CONFLICT (limit_id, subject) DO UPDATE
       SET calls = CASE WHEN {OVER} THEN 1 ELSE c.calls + 1 END,
           window_end = CASE WHEN {OVER} THEN {END} ELSE c.window_end END
     WHERE c.calls < most OR {OVER};
    IF FOUND THEN
        RETURN 0;
    END IF;
    RETURN (SELECT greatest(1, ceil(extract(epoch FROM window_end - {NOW})))
              FROM mcp_rate_limit_counter WHERE limit_id = rule AND subject = who);
END $$
"""
"""Count a call, or tell the seconds until one can be counted.

A function because PostgreSQL keeps its plans: planning costs more than counting.
"""


WINDOWS = f"""
SELECT c.limit_id, c.id, c.calls
  FROM mcp_rate_limit_counter c JOIN mcp_rate_limit r ON r.id = c.limit_id
 WHERE c.limit_id = ANY(%s) AND NOT {OVER}
 ORDER BY c.calls DESC, c.id
"""

ADMINISTRATOR = "odoo_dev_mcp.odoo_dev_mcp_group_administrator"


class Rule(NamedTuple):
    """What a rule says, remembered by each process until it changes."""

    id: int
    name: str
    calls: int
    period: int
    scope: str

    def subject(self, caller) -> str:
        """Return whose calls are counted together with those of ``caller``."""
        if self.scope == "database":
            return "database"
        if self.scope == "key" and caller.key_id:
            return f"key:{caller.key_id}"
        return f"user:{caller.uid}"

    def refusal(self, seconds: int) -> LimitReached:
        """Return what a caller is told who has used it up."""
        return LimitReached(
            f"Rate limit '{self.name}' reached: {self.calls} calls in {self.period} s "
            f"for each {self.scope}. Try again in {seconds} s.",
            seconds,
        )


class McpRateLimit(models.Model):
    """A rule: so many calls in so many seconds, for each key, user or the database.

    The count is one row and one statement in PostgreSQL, so it is exact whatever
    the number of workers and servers.
    """

    _name = "mcp.rate.limit"
    _inherit = "mcp.catalog.mixin"
    _description = "MCP Rate Limit"
    _order = "name"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    calls = fields.Integer(required=True, default=60)
    period = fields.Integer(
        "Period (s)", required=True, default=60, help="Seconds from the first call."
    )
    scope = fields.Selection(
        [("key", "Key"), ("user", "User"), ("database", "Database")],
        required=True,
        default="key",
        help="Whose calls are counted together.",
    )
    tool_ids = fields.One2many("mcp.tool", "rate_limit_id", string="Tools")
    counter_ids = fields.One2many(
        "mcp.rate.limit.counter",
        string="Windows",
        compute="_compute_counters",
        groups=ADMINISTRATOR,
    )
    calls_now = fields.Integer(
        "Used Now",
        compute="_compute_counters",
        groups=ADMINISTRATOR,
        help="Calls in the fullest window that runs.",
    )

    _calls_positive = compat.Constraint(
        "CHECK(calls > 0)", "A limit allows at least one call. To stop a tool, hide it."
    )
    _period_positive = compat.Constraint(
        "CHECK(period > 0)", "A period is at least one second."
    )

    @api.depends("period")
    def _compute_counters(self):
        """Tell the windows that run now, the fullest first."""
        self.flush_recordset(["period"])
        self.env.cr.execute(WINDOWS, [self.ids])
        rows = self.env.cr.fetchall()
        for rule in self:
            own = [row for row in rows if row[0] == rule._origin.id]
            found = [counter for _rule, counter, _calls in own]
            rule.counter_ids = self.env["mcp.rate.limit.counter"].browse(found)
            rule.calls_now = own[0][2] if own else 0

    def init(self):
        define(self.env.cr, "mcp_rate_limit_count", COUNT)

    def action_reset(self):
        """Let all windows of these rules begin anew."""
        self.counter_ids.action_reset()

    @api.model
    def _rule(self, limit_id: int) -> Rule | None:
        """Return what a rule says; None: it is switched off."""
        rule = self.sudo().browse(limit_id)
        if not rule.active:
            return None
        return Rule(rule.id, rule.name, rule.calls, rule.period, rule.scope)
