from odoo import fields, models


class McpApiKeyShow(models.AbstractModel):
    """Shows a new key, once: it comes in the context and is stored nowhere."""

    _name = "mcp.api.key.show"
    _description = "Show MCP API Key"

    # the onchange that returns the default of ``key`` needs an id
    id = fields.Id()
    key = fields.Char(readonly=True)
