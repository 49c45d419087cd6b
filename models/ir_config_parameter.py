from odoo import api, models, tools

from .parameters import PREFIX, parts, typed


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

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
    def _mcp_known(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the hosts and the origins that requests may name: this server's own
        address, and what was added to it."""
        base = self.sudo().get_param("web.base.url") or ""
        host = base.partition("//")[2].partition("/")[0].rpartition("@")[2]
        own = self._mcp_settings()
        hosts = {host.partition(":")[0], *parts(own["allowed_hosts"])}
        origins = {base, *parts(own["allowed_origins"])}
        return frozenset(hosts - {""}), frozenset(origins - {""})
