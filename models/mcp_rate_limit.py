from odoo import fields, models
from odoo.tools import SQL

from .. import compat
from .exceptions import LimitReached


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

    _calls_positive = compat.Constraint(
        "CHECK(calls > 0)", "A limit allows at least one call. To stop a tool, hide it."
    )
    _period_positive = compat.Constraint(
        "CHECK(period > 0)", "A period is at least one second."
    )

    def _consume(self, caller) -> None:
        """Count one call, or refuse it.

        Wants a READ COMMITTED transaction: two servers may count at once.

        :raise LimitReached: the rule is used up
        """
        rule = self.sudo()
        if not rule.active:
            return
        subject = rule._subject(caller)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mcp_rate_limit_counter AS c
                       (limit_id, subject, calls, window_end)
                VALUES (%(limit)s, %(subject)s, 1, %(end)s)
                ON CONFLICT (limit_id, subject) DO UPDATE
                   SET calls = CASE WHEN %(over)s THEN 1 ELSE c.calls + 1 END,
                       window_end = CASE WHEN %(over)s THEN %(end)s
                                         ELSE c.window_end END
                 WHERE c.calls < %(calls)s OR %(over)s
                RETURNING 1
                """,
                limit=rule.id,
                subject=subject,
                calls=rule.calls,
                # a window in the far future is left from a clock that stepped back
                over=SQL(
                    "(c.window_end <= %(now)s OR c.window_end > %(end)s)",
                    now=NOW,
                    end=rule._window_end(),
                ),
                end=rule._window_end(),
            )
        )
        if not self.env.cr.rowcount:
            rule._refuse(subject)

    def _window_end(self) -> SQL:
        return SQL("(%s + %s * interval '1 second')", NOW, self.period)

    def _subject(self, caller) -> str:
        if self.scope == "database":
            return "database"
        if self.scope == "key" and caller.key_id:
            return f"key:{caller.key_id}"
        return f"user:{caller.uid}"

    def _refuse(self, subject: str) -> None:
        self.env.cr.execute(
            SQL(
                """
                SELECT greatest(1, ceil(extract(epoch FROM window_end - %s)))::int
                  FROM mcp_rate_limit_counter WHERE limit_id = %s AND subject = %s
                """,
                NOW,
                self.id,
                subject,
            )
        )
        (seconds,) = self.env.cr.fetchone()
        raise LimitReached(
            f"Rate limit '{self.name}' reached: {self.calls} calls in {self.period} s "
            f"for each {self.scope}. Try again in {seconds} s.",
            seconds,
        )


NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")
"""The time after any wait for the row, where ``now()`` is the transaction's start."""
