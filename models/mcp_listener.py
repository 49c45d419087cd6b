from odoo import models

from . import listener_spawner, server_turns


class McpListener(models.AbstractModel):
    """The dedicated listener, as Odoo's own processes know it."""

    _name = "mcp.listener"
    _description = "MCP Listener"

    def _register_hook(self):
        super()._register_hook()
        server_turns.keep_turning("listener", self.env.cr.dbname, listener_spawner.turn)
