from odoo import api, fields, models

from ..models import listener_settings
from ..models.client_snippets import CLIENTS, NAMES, endpoint, is_loopback
from ..models.mcp_sealed_mixin import McpSealedMixin

ANY_ADDRESS = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}
"""Where the listener may listen, and where it is called on its own machine."""


class McpApiKeyShow(models.AbstractModel):
    """Shows a new key, once, with what a client needs to connect.

    The key comes in the context and is stored nowhere: another client or address is
    written down by an onchange, which the key passes through. 19.0 lets only those
    make an onchange who may create; the mixin sees to it that nobody does.
    """

    _name = "mcp.api.key.show"
    _inherit = McpSealedMixin._name
    _description = "Show MCP API Key"

    # the onchange that returns the default of ``key`` needs an id
    id = fields.Id()
    key = fields.Char(readonly=True)
    key_number = fields.Integer(readonly=True, help="Id of the key's record.")
    client = fields.Selection(NAMES, required=True, default="claude_code")
    door = fields.Selection(
        [
            ("odoo", "Odoo's own"),
            ("listener", "Dedicated listener, for clients on the server's machine"),
        ],
        string="Address",
        required=True,
        default=lambda self: self._default_door(),
    )
    odoo_url = fields.Char(readonly=True)
    listener_url = fields.Char(readonly=True)
    url = fields.Char("URL", readonly=True)
    loopback = fields.Boolean(
        readonly=True, help="The URL is good on the server's machine alone."
    )
    place = fields.Char(readonly=True, help="Where the snippet goes.")
    snippet = fields.Text(readonly=True)

    @api.model
    def _default_door(self) -> str:
        urls = self._urls()
        return "listener" if urls["listener"] and not urls["odoo"] else "odoo"

    # abstract models know no computed fields
    @api.onchange("key", "client", "door")
    def _onchange_snippet(self):
        urls = self._urls()
        self.odoo_url, self.listener_url = urls["odoo"], urls["listener"]
        self.url = urls[self.door or "odoo"]
        self.loopback = bool(self.url) and is_loopback(self.url)
        client = CLIENTS[self.client or "generic"]
        self.place = self.env._(client.place)
        self.snippet = bool(self.url) and client.snippet(self.url, self.key or "")

    @api.model
    def _urls(self) -> dict[str, str | bool]:
        """Return where MCP is to be had; False: not by this door."""
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        listener = listener_settings.told(self.env.cr).get("url") or False
        for everywhere, here in ANY_ADDRESS.items():
            listener = listener and listener.replace(everywhere, here)
        return {"odoo": endpoint(base) or False, "listener": listener}
