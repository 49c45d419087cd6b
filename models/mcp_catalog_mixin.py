from odoo import api, models


class McpCatalogMixin(models.AbstractModel):
    """Records that decide what is offered: a change is seen at once, everywhere.

    The cleared cache is signalled to the other workers and servers by Odoo.
    """

    _name = "mcp.catalog.mixin"
    _description = "MCP Catalog Mixin"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result
