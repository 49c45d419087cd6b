from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import AccessError

from .. import compat

DEVELOPER = "odoo_dev_mcp.odoo_dev_mcp_group_developer"


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        with self._mcp_guard_developers():
            return super().create(vals_list)

    def write(self, vals):
        with self._mcp_guard_developers():
            return super().write(vals)

    @api.model
    @contextmanager
    def _mcp_guard_developers(self):
        """Let only Settings administrators make somebody an MCP developer.

        That group has the power of the server's own account, which whoever manages
        users in Odoo does not have.
        """
        group = self.sudo().env.ref(DEVELOPER, raise_if_not_found=False)
        if not group or self.env.is_system():
            yield
            return
        before = compat.members(group)
        yield
        self.env.flush_all()
        group.invalidate_recordset()
        if compat.members(group) - before:
            raise AccessError(
                self.env._(
                    "Only a Settings administrator can make somebody an MCP developer."
                )
            )
