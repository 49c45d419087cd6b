from odoo import api, fields, models

from odoo.addons.base.models.res_users import check_identity

from ..models.client_snippets import CLIENTS, NAMES


class McpClientConnect(models.TransientModel):
    """Makes a key for a client of the user's, and shows how that client connects."""

    _name = "mcp.client.connect"
    _inherit = "mcp.api.key.generate"
    _description = "Connect MCP Client"

    client = fields.Selection(NAMES, required=True, default="claude_code")
    name = fields.Char(
        "Key Name", compute="_compute_name", store=True, readonly=False, precompute=True
    )

    @api.depends("client")
    def _compute_name(self):
        """Name the key after the client, unless the user has named it."""
        ours = {client.name for client in CLIENTS.values()}
        for wizard in self:
            if wizard.client and (not wizard.name or wizard.name in ours):
                wizard.name = CLIENTS[wizard.client].name

    @check_identity
    def generate_key(self):
        """Make the key and show, once, what the client needs of it."""
        client = self.client
        action = super().generate_key()
        action["context"]["default_client"] = client
        return action
