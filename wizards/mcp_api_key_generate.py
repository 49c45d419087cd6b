import datetime

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.res_users import check_identity

from ..models.key_facts import parse_networks


class McpApiKeyGenerate(models.TransientModel):
    """Makes a key for the current user, narrowed as they wish."""

    _name = "mcp.api.key.generate"
    _description = "Generate MCP API Key"

    name = fields.Char(
        required=True, help="What it is for, e.g. Claude Code on my laptop."
    )
    duration = fields.Selection(
        [
            ("7", "1 Week"),
            ("30", "1 Month"),
            ("90", "3 Months"),
            ("365", "1 Year"),
            ("0", "Until it is revoked"),
            ("-1", "Custom Date"),
        ],
        required=True,
        default="90",
    )
    expiration_date = fields.Datetime(
        compute="_compute_expiration_date", store=True, readonly=False
    )
    read_only = fields.Boolean(
        string="Read-only", help="Only tools that change nothing."
    )
    toolset_ids = fields.Many2many(
        "mcp.toolset", string="Toolsets", help="Nothing chosen: all that you may use."
    )
    tool_ids = fields.Many2many("mcp.tool", string="Single Tools")
    networks = fields.Char(
        help="Addresses or networks that calls may come from, e.g. 192.0.2.0/24, "
        "separated by commas. Empty: anywhere."
    )

    @api.depends("duration")
    def _compute_expiration_date(self):
        for wizard in self:
            days = int(wizard.duration or 0)
            if days >= 0:
                wizard.expiration_date = days and fields.Datetime.now() + (
                    datetime.timedelta(days=days)
                )

    @api.constrains("expiration_date", "duration")
    def _check_expiration_date(self):
        for wizard in self:
            date = wizard.expiration_date
            if wizard.duration == "-1" and not date:
                raise ValidationError(self.env._("Choose the day the key expires."))
            if date and date <= fields.Datetime.now():
                raise ValidationError(self.env._("The key would be expired already."))

    @api.constrains("networks")
    def _check_networks(self):
        for wizard in self:
            try:
                parse_networks(wizard.networks)
            except ValueError as error:
                raise ValidationError(str(error)) from error

    @check_identity
    def generate_key(self):
        """Make the key and show it, once."""
        self.ensure_one()
        key, secret = self.env["mcp.api.key"]._issue(
            self.env.user,
            {
                "name": self.name,
                "expiration_date": self.expiration_date,
                "read_only": self.read_only,
                "toolset_ids": [fields.Command.set(self.toolset_ids.ids)],
                "tool_ids": [fields.Command.set(self.tool_ids.ids)],
                "networks": self.networks,
            },
        )
        self.sudo().unlink()
        return key._shown(secret)
