from odoo import models


class IrUiView(models.Model):
    """Views that can be asked where they are wrong.

    Odoo's validation tells the line of an element in a text that nobody has: that of
    the combined view. Whoever validates with :class:`.view_check.Findings` in the
    context is told the element itself.
    """

    _inherit = "ir.ui.view"

    def _raise_view_error(self, message, node=None, **chained):
        if (findings := self.env.context.get("mcp_findings")) is not None:
            findings.node = node
        return super()._raise_view_error(message, node, **chained)

    def _log_view_warning(self, message, node):
        if (findings := self.env.context.get("mcp_findings")) is None:
            return super()._log_view_warning(message, node)
        findings.warnings.append((str(message), node))
        return None
