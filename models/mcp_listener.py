from odoo import models

from . import listener_spawner, server_turns
from .stored_functions import define
from .transactions import SIGNALS


class McpListener(models.AbstractModel):
    """The dedicated listener, as Odoo's own processes know it."""

    _name = "mcp.listener"
    _description = "MCP Listener"

    def init(self):
        define(self.env.cr, "mcp_signals", SIGNALS)

    def _register_hook(self):
        super()._register_hook()
        server_turns.keep_turning("listener", self.env.cr.dbname, listener_spawner.turn)
