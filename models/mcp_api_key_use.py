from collections.abc import Collection

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

COUNTED = 10_000
"""Calls of a key, at most: to count a million takes half a second."""


class McpApiKey(models.Model):
    """What was done with a key, as the audit log tells it."""

    _inherit = "mcp.api.key"

    last_use = fields.Datetime(
        compute="_compute_use", search="_search_last_use", compute_sudo=True
    )
    use_count = fields.Integer(
        "Calls",
        compute="_compute_use",
        compute_sudo=True,
        help="Those that the audit log has. It counts up to 10,000.",
    )

    def _compute_use(self):
        """Tell from the audit log, so that a call writes nothing to its key.

        An index has key and date: neither does a million calls cost a list its speed.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT k.id,
                       (SELECT max(create_date) FROM mcp_audit_log WHERE key_id = k.id),
                       (SELECT count(*)
                          FROM (SELECT FROM mcp_audit_log
                                 WHERE key_id = k.id LIMIT %s) calls)
                  FROM unnest(%s) k(id)
                """,
                COUNTED,
                self.ids,
            )
        )
        uses = {key: (last, count) for key, last, count in rows}
        for key in self:
            key.last_use, key.use_count = uses.get(key.id, (False, 0))

    def _search_last_use(self, operator, value):
        """Find the keys that were never used, or those that were."""
        values = value if isinstance(value, Collection) else [value]
        if operator not in ("=", "!=", "in", "not in") or any(values):
            raise UserError(self.env._("Search for keys that were used, or never."))
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM mcp_api_key k WHERE EXISTS "
                "(SELECT FROM mcp_audit_log WHERE key_id = k.id)"
            )
        )
        never = operator in ("=", "in")
        return [("id", "not in" if never else "in", [key for (key,) in rows])]

    def first_call(self) -> dict | bool:
        """Tell of the first call with the user's own key, for a page that waits for it.

        :return: ``client``, ``tool`` (or method), ``time``; False: none yet
        :raise AccessError: the key is another's
        """
        self.ensure_one()
        if self.user_id != self.env.user:
            raise AccessError(
                self.env._("Only its owner waits for a key's first call.")
            )
        entries = self.env["mcp.audit.log"].sudo()
        entry = entries.search(
            [("key_id", "=", self.id)], order="create_date, id", limit=1
        )
        return bool(entry) and {
            "client": entry.client or "",
            "tool": entry.tool,
            "time": fields.Datetime.to_string(entry.create_date),
        }
