import datetime
import secrets

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.sql import index_exists

from odoo.addons.base.models.res_users import check_identity

from .gate import PASS
from .key_facts import PREFIX, key_hash, parse_networks
from .stored_functions import define

LEVEL = f"""
CREATE FUNCTION mcp_api_key_level(key integer, heeded text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {PASS};
    IF heeded IS NOT NULL AND heeded <> mcp_signals() THEN
        RETURN 'behind';
    END IF;
    RETURN (SELECT coalesce(k.log_level, '')
              FROM mcp_api_key k JOIN res_users u ON u.id = k.user_id
             WHERE k.id = key AND u.active AND k.revoked_date IS NULL
               AND k.suspended IS NOT TRUE
               AND (k.expiration_date > now() AT TIME ZONE 'UTC') IS NOT FALSE);
END $$
"""
"""If a key is good now, the level of log messages that its clients want; else NULL.

A function because PostgreSQL keeps its plans: planning costs more than looking.
"""

SOON = datetime.timedelta(days=14)
"""Before its end a key is told to expire soon."""


class McpApiKey(models.Model):
    """A key of a user's own, with which a client acts as that user, or as less.

    The key itself is shown once and never stored. Keys are revoked, not deleted:
    the audit log goes on to tell what was done with them.
    """

    _name = "mcp.api.key"
    _description = "MCP API Key"
    _order = "id desc"

    name = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, index=True, ondelete="cascade"
    )
    key_hash = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    hint = fields.Char(readonly=True, help="The first characters of the key.")
    read_only = fields.Boolean(readonly=True, help="Only tools that change nothing.")
    toolset_ids = fields.Many2many(
        "mcp.toolset", string="Toolsets", readonly=True, help="Empty: all."
    )
    tool_ids = fields.Many2many(
        "mcp.tool", string="Tools", readonly=True, help="Beside the toolsets."
    )
    narrowed = fields.Boolean(
        readonly=True,
        help="For the toolsets and tools named alone; for none when those are gone.",
    )
    networks = fields.Char(
        readonly=True,
        help="Where calls may come from: addresses or networks (CIDR), separated by "
        "commas. Empty: anywhere.",
    )
    create_date = fields.Datetime("Created on", readonly=True)
    expiration_date = fields.Datetime("Expires on", readonly=True)
    suspended = fields.Boolean(readonly=True)
    revoked_date = fields.Datetime("Revoked on", readonly=True)
    state = fields.Selection(
        [
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ],
        compute="_compute_state",
        search="_search_state",
    )
    expires_soon = fields.Boolean(compute="_compute_state")
    log_level = fields.Char(
        readonly=True,
        help="Its clients before MCP 2026-07-28 want log messages from this level on.",
    )

    @api.depends("suspended", "revoked_date", "expiration_date")
    def _compute_state(self):
        now = fields.Datetime.now()
        for key in self:
            if key.revoked_date:
                key.state = "revoked"
            elif key.expiration_date and key.expiration_date <= now:
                key.state = "expired"
            else:
                key.state = "suspended" if key.suspended else "active"
            end = key.state in ("active", "suspended") and key.expiration_date
            key.expires_soon = bool(end) and end <= now + SOON

    def _search_state(self, operator, value):
        now = fields.Datetime.now()
        alive = ["&", ("revoked_date", "=", False)]
        lasting = ["|", ("expiration_date", "=", False), ("expiration_date", ">", now)]
        domains = {
            "active": ["&", *alive, ("suspended", "=", False), *lasting],
            "suspended": ["&", *alive, ("suspended", "=", True), *lasting],
            "expired": [*alive, ("expiration_date", "<=", now)],
            "revoked": [("revoked_date", "!=", False)],
        }
        asked = {value} if isinstance(value, str) else set(value or ())
        if operator in ("!=", "not in"):
            asked = set(domains) - asked
        wanted = [domain for state, domain in domains.items() if state in asked]
        if not wanted:
            return [("id", "in", [])]
        return ["|"] * (len(wanted) - 1) + [
            term for domain in wanted for term in domain
        ]

    def init(self):
        # IF NOT EXISTS would have all calls wait for the end of an upgrade
        if not index_exists(self.env.cr, "mcp_api_key_key_hash_idx"):
            self.env.cr.execute(
                "CREATE UNIQUE INDEX mcp_api_key_key_hash_idx ON mcp_api_key (key_hash)"
            )
        define(self.env.cr, "mcp_api_key_level", LEVEL)

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    @api.constrains("networks")
    def _check_networks(self):
        for key in self:
            try:
                parse_networks(key.networks)
            except ValueError as error:
                raise ValidationError(str(error)) from error

    def action_suspend(self):
        """Make the keys useless until they are resumed."""
        self._own().suspended = True

    def action_resume(self):
        """Undo a suspension."""
        self._own().suspended = False

    def action_revoke(self):
        """Make the keys useless for ever, from the next call on."""
        keys = self._own().filtered(lambda key: not key.revoked_date)
        keys.revoked_date = fields.Datetime.now()

    @check_identity
    def action_rotate(self):
        """Replace the user's own key by one that may do the same, and show that.

        It lasts as long as the old one was made for. The old one is useless at once.

        :raise AccessError: it is another's: nobody else is to see their key
        """
        self.ensure_one()
        if self.user_id != self.env.user:
            raise AccessError(
                self.env._("A key is its owner's to rotate: revoke it instead.")
            )
        if self.state not in ("active", "expired"):
            raise UserError(
                self.env._(
                    "Only active and expired keys can be rotated: make a new one."
                )
            )
        key, secret = self._issue(self.env.user, self._narrowing())
        self.action_revoke()
        return key._shown(secret)

    def _narrowing(self) -> dict:
        """Return the values of a new key that may do the same, for as long."""
        self.ensure_one()
        period = self.expiration_date and self.expiration_date - self.create_date
        # what is archived now may come back
        key = self.sudo().with_context(active_test=False)
        return {
            "name": key.name,
            "read_only": key.read_only,
            "toolset_ids": [fields.Command.set(key.toolset_ids.ids)],
            "tool_ids": [fields.Command.set(key.tool_ids.ids)],
            "narrowed": key.narrowed,
            "networks": key.networks,
            "expiration_date": period and fields.Datetime.now() + period,
        }

    def _own(self):
        """Return the keys in sudo, if the user may govern them."""
        if not self.env.su:
            self.check_access("read")
            administrator = self.env.user.has_group(
                "odoo_dev_mcp.odoo_dev_mcp_group_administrator"
            )
            if not administrator and self.user_id != self.env.user:
                raise AccessError(self.env._("A key is its owner's to govern."))
        return self.sudo()

    @api.model
    def _generate(self, user, vals: dict) -> str:
        """Make a key for ``user`` and return it; see :meth:`_issue`."""
        _key, secret = self._issue(user, vals)
        return secret

    @api.model
    def _issue(self, user, vals: dict) -> tuple:
        """Make a key for ``user``.

        :param vals: name, and what narrows it: read_only, toolset_ids, tool_ids,
            narrowed, networks, expiration_date
        :return: its record, and the key itself: it cannot be had a second time
        """
        secret = PREFIX + secrets.token_urlsafe(32)
        key = self.sudo().create(
            {
                **vals,
                "user_id": user.id,
                "key_hash": key_hash(secret),
                "hint": f"{secret[: len(PREFIX) + 4]}…",
            }
        )
        named = key.with_context(active_test=False)
        if named.toolset_ids or named.tool_ids:
            key.narrowed = True
        return self.browse(key.id), secret

    def _shown(self, secret: str) -> dict:
        """Return the action that shows a new key, once: it is in the context alone."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connect a Client"),
            "res_model": "mcp.api.key.show",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_key": secret, "default_key_number": self.id},
        }
