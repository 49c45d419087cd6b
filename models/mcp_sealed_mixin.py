from odoo import api, models
from odoo.exceptions import AccessError


class McpSealedMixin(models.AbstractModel):
    """Records that the server writes in SQL, and nobody through the ORM."""

    _name = "mcp.sealed.mixin"
    _description = "MCP Sealed Records"

    # Never super(): not even sudo writes here through the ORM.
    # pylint: disable=method-required-super,no-raise-unlink
    @api.model_create_multi
    def create(self, vals_list):
        raise self._sealed()

    def write(self, vals):
        raise self._sealed()

    def unlink(self):
        raise self._sealed()

    def _sealed(self) -> AccessError:
        return AccessError(
            self.env._(
                "%(model)s: written by the MCP server alone.", model=self._description
            )
        )
