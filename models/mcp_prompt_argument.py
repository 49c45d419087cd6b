import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import compat


class McpPromptArgument(models.Model):
    """What a person fills in when they choose a prompt; always text.

    Access rights leave it to Settings administrators, as the prompt's other guarded
    fields are left to them.
    """

    _name = "mcp.prompt.argument"
    _inherit = "mcp.catalog.mixin"
    _description = "MCP Prompt Argument"
    _order = "sequence, id"

    prompt_id = fields.Many2one(
        "mcp.prompt", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(
        required=True, help="The variable that template and code find its value in."
    )
    title = fields.Char()
    description = fields.Text(help="What to fill in: people read this.")
    required = fields.Boolean(help="Without it the prompt is refused.")

    _name_unique = compat.Constraint(
        "UNIQUE(prompt_id, name)", "The prompt has an argument of this name already."
    )

    @api.constrains("name")
    def _check_name(self):
        for record in self:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", record.name):
                raise ValidationError(
                    self.env._(
                        "%(name)s: an argument is a letter and up to 63 more letters, "
                        "digits or _",
                        name=record.name,
                    )
                )

    def _wire(self) -> dict:
        """Return it as MCP describes it."""
        row = {"name": self.name, "title": self.title, "description": self.description}
        row = {name: value for name, value in row.items() if value}
        return {**row, "required": self.required}
