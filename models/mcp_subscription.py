from odoo import api, fields, models

from .. import compat

KEEP_DAYS = 30


class McpSubscription(models.Model):
    """A resource whose changes the clients of a key want to hear of.

    Before 2026-07-28 that is asked for by a request of its own, not by the stream that
    tells it; without sessions it is kept for the key.
    """

    _name = "mcp.subscription"
    _description = "MCP Subscription"
    _rec_name = "uri"

    key_id = fields.Many2one(
        "mcp.api.key", required=True, readonly=True, ondelete="cascade", index=True
    )
    uri = fields.Char(required=True, readonly=True)

    _key_uri_unique = compat.Constraint(
        "UNIQUE(key_id, uri)", "The key is subscribed to this resource already."
    )

    @api.autovacuum
    def _gc_subscriptions(self):
        """Forget what no client has asked for in a month."""
        self.env.cr.execute(
            "DELETE FROM mcp_subscription WHERE create_date < "
            "now() AT TIME ZONE 'UTC' - %s * interval '1 day'",
            [KEEP_DAYS],
        )
