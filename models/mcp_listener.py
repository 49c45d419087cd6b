from odoo import models

from . import listener_spawner


class McpListener(models.AbstractModel):
    """The dedicated listener, as Odoo's own processes know it."""

    _name = "mcp.listener"
    _description = "MCP Listener"

    def _register_hook(self):
        super()._register_hook()
        listener_spawner.watch_over(self.env.cr.dbname)
