import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import compat
from .caller import Call, Feature
from .exceptions import UnknownTool
from .mirrored_parameters import explain_mirrored

EXAMPLE_CODE = """\
# It finds what it is called with as `arguments`, runs as who calls it, and answers
# with `action`. Beside what every server action has there is `mcp`, e.g.
# mcp.progress(1, 2, "halfway"), mcp.log("info", "…"), mcp.image(data, "image/png").
partners = model.search([("name", "ilike", arguments["name"])], limit=10)
action = {"partners": partners.mapped("display_name")}
"""

EXAMPLE_SCHEMA = """\
{
  "type": "object",
  "properties": {
    "name": {"type": "string", "description": "A part of the partner's name."}
  },
  "required": ["name"],
  "additionalProperties": false
}
"""


class McpTool(models.Model):
    """A tool that MCP clients can call: a name, its schemas, and a server action."""

    _name = "mcp.tool"
    _inherit = "mcp.feature.mixin"
    _description = "MCP Tool"
    _order = "name"

    name = fields.Char(
        required=True, help="What clients call: letters, digits, _, - and ."
    )
    description = fields.Text(
        required=True,
        help="When to use this tool, and when to use another one. Models read this.",
    )
    read_only_hint = fields.Boolean(
        string="Read-only", help="It changes nothing: its transaction is read-only too."
    )
    destructive_hint = fields.Boolean(
        string="Destructive", default=True, help="It may change or delete what exists."
    )
    idempotent_hint = fields.Boolean(
        string="Idempotent", help="Calling it twice does no more than calling it once."
    )
    open_world_hint = fields.Boolean(
        string="Open World", default=True, help="It reaches beyond this Odoo."
    )
    needs_confirmation = fields.Boolean(
        help="A person at the client is asked before it runs. Clients that cannot ask "
        "are refused."
    )
    effect = fields.Selection(
        [
            ("reads", "Read-only"),
            ("writes", "Writes"),
            ("destroys", "Destructive"),
        ],
        compute="_compute_effect",
    )
    parameters = fields.Html(
        compute="_compute_parameters", sanitize=False, help="What it is called with."
    )
    calls_day = fields.Integer(
        "Calls (24 h)",
        compute="_compute_calls_day",
        help="In the last 24 hours, as far as you may see them in the audit log.",
    )
    errors_day = fields.Integer("Errors (24 h)", compute="_compute_calls_day")
    input_schema = fields.Text(
        help="JSON Schema 2020-12 of the arguments. Built-in tools derive theirs from "
        "the method that they call.",
    )
    output_schema = fields.Text(help="JSON Schema 2020-12 of the structured result.")

    _name_unique = compat.Constraint(
        "UNIQUE(name)", "There is a tool with this name already."
    )
    _timeout_positive = compat.Constraint(
        "CHECK(timeout >= 0)", "A timeout is a number of seconds, or 0."
    )

    @api.depends("read_only_hint", "destructive_hint")
    def _compute_effect(self):
        for record in self:
            writes = "destroys" if record.destructive_hint else "writes"
            record.effect = "reads" if record.read_only_hint else writes

    @api.depends("input_schema", "server_action_id")
    def _compute_parameters(self):
        for record in self:
            record.parameters = record.server_action_id and record._parameters()

    def _parameters(self):
        """Return the arguments as a table, for people."""
        record = self.sudo()
        try:
            binding = record._binding(record.server_action_id)
            schema, _output = record._schemas(binding, record.input_schema)
        except ValueError:
            return False  # it is being written, and not yet JSON
        return self.env["ir.qweb"]._render(
            "odoo_dev_mcp.mcp_tool_parameters",
            {
                "parameters": schema.get("properties", {}),
                "required": schema.get("required", ()),
                "dumps": json.dumps,
            },
        )

    def _compute_calls_day(self):
        since = fields.Datetime.now() - timedelta(days=1)
        rows = self.env["mcp.audit.log"]._read_group(
            [("create_date", ">=", since), ("tool", "in", self.mapped("name"))],
            ["tool", "status"],
            ["__count"],
        )
        for record in self:
            own = {status: count for tool, status, count in rows if tool == record.name}
            record.calls_day = sum(own.values())
            record.errors_day = own.get("error", 0) + own.get("lost", 0)

    @api.constrains("name")
    def _check_name(self):
        self._check_called_name()

    @api.constrains("input_schema", "output_schema")
    def _check_schemas(self):
        for record in self:
            for text in filter(None, (record.input_schema, record.output_schema)):
                record._check_schema(text)

    def _check_schema(self, text: str) -> None:
        from jsonschema import Draft202012Validator, SchemaError

        try:
            schema = json.loads(text)
            Draft202012Validator.check_schema(schema)
        except (ValueError, SchemaError) as error:
            raise ValidationError(
                self.env._(
                    "%(tool)s: not a JSON Schema: %(error)s",
                    tool=self.name,
                    error=str(error).partition("\n")[0],
                )
            ) from error
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise ValidationError(
                self.env._(
                    '%s: the schema of a tool starts with {"type": "object"}', self.name
                )
            )
        if fault := explain_mirrored(schema):
            raise ValidationError(
                self.env._("%(tool)s: %(fault)s", tool=self.name, fault=fault)
            )

    @api.model
    def _example(self):
        return super()._example() | {
            "code": EXAMPLE_CODE,
            "input_schema": EXAMPLE_SCHEMA,
            "read_only_hint": True,
            "destructive_hint": False,
            "open_world_hint": False,
        }

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"name", "read_only_hint"}

    @api.model
    def _find(self, call: Call, caller) -> tuple[Feature, dict]:
        """Return the tool that is called as far as ``caller`` may, and its arguments.

        :raise UnknownTool: there is none, or none for this caller: no difference
        """
        feature = self._catalog_of(caller).get(call.name)
        if feature and self._permits(feature, caller):
            if call.examine:
                call.examine(feature.described)
            return feature, call.arguments
        raise UnknownTool(f"Unknown tool: {call.name[:128]!r}. See tools/list.")

    def _feature(self) -> Feature:
        binding = self._binding(self.server_action_id)
        input_schema, output_schema = self._schemas(binding, self.input_schema)
        if not binding["method"] and self.output_schema:
            output_schema = json.loads(self.output_schema)
        return Feature(
            **binding,
            name=self.name,
            read_only=self.read_only_hint,
            described=self._wire(input_schema, output_schema),
            input_schema=None if binding["method"] else input_schema,
            needs_confirmation=self.needs_confirmation,
        )

    def _wire(self, input_schema: dict, output_schema: dict | None) -> dict:
        """Return the tool as MCP describes it, all four hints said."""
        row = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": input_schema,
            "annotations": {
                "readOnlyHint": self.read_only_hint,
                "destructiveHint": self.destructive_hint and not self.read_only_hint,
                "idempotentHint": self.idempotent_hint or self.read_only_hint,
                "openWorldHint": self.open_world_hint,
            },
        }
        if output_schema:
            row["outputSchema"] = output_schema
        return row
