from collections.abc import Iterable

from odoo import api, models, tools
from odoo.exceptions import AccessError

from .parameters import PREFIX, parts, typed
from .stored_functions import define

SUSPENDED = f"""
CREATE FUNCTION mcp_suspended() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM ir_config_parameter
                    WHERE key = '{PREFIX}suspended' AND value = '1');
END $$
"""
"""Whether all access is suspended as it is committed now: what a process remembers may
be of a moment before."""

GUARDED = {
    f"{PREFIX}{name}" for name in ("suspended", "reader_role", "reader_password")
}
"""What holds the callers of tools, and is not theirs to change."""


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    def init(self, force=False):
        result = super().init(force=force)
        define(self.env.cr, "mcp_suspended", SUSPENDED)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        self._mcp_check_switch(vals.get("key") for vals in vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._mcp_check_switch([*self.mapped("key"), vals.get("key")])
        return super().write(vals)

    def unlink(self):
        self._mcp_check_switch(self.mapped("key"))
        return super().unlink()

    def _mcp_check_switch(self, keys: Iterable[str | None]) -> None:
        """Keep the kill switch out of the reach of whom it is to stop, and the role
        that queries read as.

        :raise AccessError: a tool call is about to change it
        """
        if "mcp_call" in self.env.context and not GUARDED.isdisjoint(keys):
            raise AccessError(
                self.env._(
                    "No tool call suspends or resumes access, or changes the role that "
                    "queries read as."
                )
            )

    @api.model
    @tools.ormcache()
    def _mcp_settings(self) -> dict:
        """Return the settings of this addon by name, each of the type of its default.

        All at once: a call wants a handful of them.
        """
        found = self.sudo().search([("key", "=like", f"{PREFIX}%")])
        return typed({row.key: row.value for row in found})

    @api.model
    @tools.ormcache()
    def _mcp_known(self) -> tuple[frozenset[str], frozenset[str], bool]:
        """Return the hosts and the origins that requests may name: this server's own
        address, and what was added to it; and whether all access is suspended."""
        base = self.sudo().get_param("web.base.url") or ""
        host = base.partition("//")[2].partition("/")[0].rpartition("@")[2]
        own = self._mcp_settings()
        hosts = {host.partition(":")[0], *parts(own["allowed_hosts"])}
        origins = {base, *parts(own["allowed_origins"])}
        suspended = own["suspended"] == 1
        return frozenset(hosts - {""}), frozenset(origins - {""}), suspended
