from odoo import api, fields, models
from odoo.tools.sql import create_index

from .caller import Credentials
from .exceptions import NotAllowed
from .mcp_sealed_mixin import McpSealedMixin
from .stored_functions import define

BOUNDS = ("0.005", "0.025", "0.1", "0.5", "2.5", "10", "60", "+Inf")
"""Upper bounds of a duration, in seconds, as Prometheus writes them: a query of a few
milliseconds, a command of seconds, a module operation of a minute."""

METHODS = ("resources/read", "prompts/get")
"""What is counted by its method: tools are counted each by its own name."""

UNKNOWN = "unknown"
"""Whatever a client may think of: a name of its choice makes no row of its own."""

OBSERVERS = (
    "odoo_dev_mcp.odoo_dev_mcp_group_administrator",
    "odoo_dev_mcp.odoo_dev_mcp_group_developer",
)


class BigInteger(fields.Integer):
    """A counter that the years do not exhaust, where Odoo's has 31 bits."""

    _column_type = ("int8", "int8")


class McpMetric(models.Model):
    """How many calls of a tool ended how, and how long they took: a sum over rows.

    Advanced by the statement that closes the audit entry, so that it is right over all
    workers, servers and restarts; and never lowered, whatever retention removes there.
    """

    _name = "mcp.metric"
    _inherit = McpSealedMixin._name
    _description = "MCP Metric"
    _log_access = False
    _rec_name = "tool"

    tool = fields.Char(required=True, readonly=True)
    status = fields.Char(required=True, readonly=True)
    le = fields.Char(
        "At most (s)", required=True, readonly=True, help="Bound of the duration."
    )
    calls = BigInteger(required=True, readonly=True)
    seconds = fields.Float(required=True, readonly=True)

    def init(self):
        columns = ["tool", "status", "le"]
        # CREATE INDEX IF NOT EXISTS would lock the table even where it exists
        create_index(self.env.cr, "mcp_metric_count_idx", self._table, columns)
        define(self.env.cr, "mcp_metric_count", COUNT)

    @api.model
    def _check_observer(self, credentials: Credentials) -> None:
        """Let in who may see the metrics: whoever is on this host, and good keys.

        :raise NotAuthenticated, NotAllowed: neither
        """
        if credentials.local:
            return
        caller = self.env["mcp.api.key"]._authenticate(credentials)
        user = self.env["res.users"].browse(caller.uid)
        if not any(map(user.has_group, OBSERVERS)):
            raise NotAllowed(
                f"{caller.login} is in neither of the groups MCP Administrator and "
                "MCP Developer: ask an administrator."
            )

    @api.model
    def _counted(self) -> list[tuple[str, str, str, int, float]]:
        """Return tool, status, bound, calls and seconds, as far as there were any."""
        self.env.cr.execute(
            "SELECT tool, status, le, sum(calls)::int8, sum(seconds) FROM mcp_metric "
            "GROUP BY tool, status, le ORDER BY tool, status, le"
        )
        return self.env.cr.fetchall()

    @api.model
    def _tools(self) -> list[str]:
        """Return what calls are counted for, called or not."""
        self.env.cr.execute("SELECT name FROM mcp_tool WHERE active ORDER BY name")
        return [*(name for (name,) in self.env.cr.fetchall()), *METHODS, UNKNOWN]


def bound(seconds: float) -> str:
    """Return the first of :data:`BOUNDS` that holds ``seconds``.

    >>> bound(0.005), bound(0.3), bound(3600)
    ('0.005', '0.5', '+Inf')
    """
    return next(text for text in BOUNDS if seconds <= float(text))


COUNT = f"""
CREATE FUNCTION mcp_metric_count
       (called text, ended text, bound text, took double precision)
RETURNS mcp_metric LANGUAGE plpgsql AS $$
BEGIN
    IF called <> ALL ('{{{",".join(METHODS)}}}')
       AND NOT EXISTS (SELECT FROM mcp_tool WHERE name = called) THEN
        called := '{UNKNOWN}';
    END IF;
    UPDATE mcp_metric SET calls = calls + 1, seconds = seconds + took
     WHERE id = (SELECT id FROM mcp_metric
                  WHERE tool = called AND status = ended AND le = bound
                  ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO mcp_metric (tool, status, le, calls, seconds)
        VALUES (called, ended, bound, 1, took);
    END IF;
    RETURN NULL;
END $$
"""
"""A function because PostgreSQL keeps its plans: the same within the statement costs
0.5 ms a call, this 0.1 ms. It returns the type of the table, to be dropped with it.

A row stays locked until its call is committed. So a count takes any row that is free,
and makes one where there is none: nobody waits for another's disk, nor in a circle, and
there are as many rows as calls ever ended at once.
"""
