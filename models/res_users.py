from contextlib import nullcontext

from odoo import api, fields, models

from odoo.addons.base.models.res_users import check_identity

from .. import compat


class ResUsers(models.Model):
    _inherit = "res.users"

    mcp_api_key_ids = fields.One2many("mcp.api.key", "user_id", string="MCP API Keys")

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "mcp_api_key_ids"]

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["res.groups"]._mcp_guard_developers():
            return super().create(vals_list)

    def write(self, vals):
        # the form's virtual group fields start with in_group_ or sel_groups_
        grants = any(
            name in compat.GROUPS_FIELDS or name.startswith(("in_group", "sel_groups"))
            for name in vals
        )
        groups = self.env["res.groups"]
        with groups._mcp_guard_developers() if grants else nullcontext():
            return super().write(vals)

    @check_identity
    def action_mcp_generate_key(self):
        """Open the dialog that makes a key for the current user."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New MCP API Key"),
            "res_model": "mcp.api.key.generate",
            "views": [(False, "form")],
            "target": "new",
        }
