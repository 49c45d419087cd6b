from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import compat
from . import boundary
from .caller import Call, Feature
from .exceptions import InvalidArguments, ToolError, UnknownPrompt
from .prompt_messages import is_block, messages
from .prompt_template import check, render


class McpPrompt(models.Model):
    """A text, or several messages, that people put before their model by its name.

    Answered by a template, by code, or by a template with the values that code finds.
    https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
    """

    _name = "mcp.prompt"
    _inherit = "mcp.feature.mixin"
    _description = "MCP Prompt"
    _order = "name"
    _rec_name = "title"

    name = fields.Char(
        required=True, help="What clients call: letters, digits, _, - and ."
    )
    description = fields.Text(
        required=True, help="What it is for: people choose by this."
    )
    argument_ids = fields.One2many(
        "mcp.prompt.argument", "prompt_id", string="Arguments", copy=True
    )
    template = fields.Text(
        help='The text, with QWeb: <t t-out="name"/> is the value of an argument, or '
        "of what the code answers. Values come out as they are; write &lt; for <.",
    )
    server_action_id = fields.Many2one(
        string="Code",
        required=False,
        help="Its code finds the arguments as `arguments`. It answers with `action`: a "
        "text, a list of messages {'role': …, 'content': …}, or a dict of values for "
        "the template.",
    )
    completion_action_id = fields.Many2one(
        "ir.actions.server",
        ondelete="restrict",
        domain="[('usage', '=', 'mcp_tool')]",
        help="Its code finds the name of an argument as arguments['name'], what was "
        "typed as arguments['value'] and the other arguments so far as "
        "arguments['context'], and answers with a list of proposals.",
    )

    _name_unique = compat.Constraint(
        "UNIQUE(name)", "There is a prompt with this name already."
    )
    _answered = compat.Constraint(
        "CHECK(COALESCE(template, '') <> '' OR server_action_id IS NOT NULL)",
        "A prompt has a template, code, or both.",
    )

    @api.constrains("name")
    def _check_name(self):
        self._check_called_name()

    @api.constrains("template")
    def _check_template(self):
        for record in self.filtered("template"):
            if fault := check(self.env, record.template):
                raise ValidationError(
                    self.env._("%(name)s: %(fault)s", name=record.name, fault=fault)
                )

    def _actions(self):
        return super()._actions() | self.sudo().completion_action_id

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {
            *("name", "template", "argument_ids", "completion_action_id")
        }

    @api.model
    def _find(self, call: Call, caller) -> tuple[Feature, dict]:
        """Return the prompt that is wanted, and its arguments.

        :raise UnknownPrompt: there is none, or none for this caller: no difference
        :raise InvalidArguments: one is missing, or there is none of its name
        """
        feature = self._named(call.arguments["name"], caller)
        arguments = call.arguments["arguments"]
        known = feature.described["arguments"]
        names = [row["name"] for row in known]
        if unknown := [name for name in arguments if name not in names]:
            raise InvalidArguments(
                f"Unknown argument {unknown[0][:128]!r}: {feature.name} takes "
                f"{', '.join(names) or 'none'}."
            )
        for row in known:
            if row["required"] and row["name"] not in arguments:
                about = row.get("description")
                raise InvalidArguments(
                    f"Argument {row['name']!r} is missing: {feature.name} needs it."
                    + (f" {about}" if about else "")
                )
        return feature, arguments

    @api.model
    def _completion(self, name: str, argument: str, caller) -> Feature:
        """Return what completes an argument of the prompt ``name``.

        :raise UnknownPrompt: there is no such prompt for this caller
        :raise InvalidArguments: it has no such argument
        """
        feature = self._named(name, caller)
        names = [row["name"] for row in feature.described["arguments"]]
        if argument not in names:
            raise InvalidArguments(
                f"Unknown argument {argument[:128]!r}: {name} takes "
                f"{', '.join(names) or 'none'}."
            )
        record = self.sudo().browse(feature.id)
        binding = record._binding(record.completion_action_id)
        binding |= {"kind": "completion", "input_schema": {"type": "object"}}
        return feature._replace(**binding)

    @api.model
    def _named(self, name: str, caller) -> Feature:
        for feature in self._permitted(caller):
            if feature.name == name:
                return feature
        raise UnknownPrompt(f"Unknown prompt: {name[:128]!r}. See prompts/list.")

    @api.model
    def _answer(self, feature: Feature, arguments: dict, result) -> dict:
        """Return the prompt as the protocol tells it, as the current user sees it.

        :param result: what its code has answered; None: nothing, or it has none
        :raise ToolError: that is nothing that a prompt can be
        """
        record = self.browse(feature.id).sudo()
        if result is None or (isinstance(result, dict) and not is_block(result)):
            if not record.template:
                raise ToolError("The code of this prompt has answered no message.")
            values = {**arguments, "arguments": arguments, **(result or {})}
            values |= boundary.lines()
            result = render(self.env, record.template, values)
        return {"description": record.description, "messages": messages(result)}

    def _feature(self) -> Feature:
        binding = self._binding(self.server_action_id)
        return Feature(
            **binding,
            name=self.name,
            read_only=True,
            described={
                "name": self.name,
                "title": self.title,
                "description": self.description,
                "arguments": [argument._wire() for argument in self.argument_ids],
            },
            input_schema=None if binding["method"] else {"type": "object"},
        )
