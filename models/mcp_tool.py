import json
import re
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, ValidationError

from .. import compat
from .exceptions import UnknownTool
from .tool_signature import signature

DIRECT_CALL = re.compile(r"\s*action = model\.([a-z]\w*)\(\*\*arguments\)\s*")
"""Code that only hands the arguments to a method: it is called without safe_eval."""

GUARDED_FIELDS = frozenset(
    {"name", "server_action_id", "group_ids", "toolset_id", "read_only_hint"}
)
"""What decides who runs what: for Settings administrators alone."""


class Tool(NamedTuple):
    """All that a call needs to know of a tool, cached for each user."""

    id: int
    name: str
    toolset_id: int
    action_id: int
    model: str
    method: str | None
    read_only: bool
    timeout: int
    limit_id: int | None
    description: dict  # as tools/list tells it
    input_schema: dict | None  # of a record tool; a method has its signature


class McpTool(models.Model):
    """A tool that MCP clients can call: a name, its schemas, and a server action."""

    _name = "mcp.tool"
    _inherit = "mcp.catalog.mixin"
    _description = "MCP Tool"
    _order = "name"

    name = fields.Char(
        required=True, help="What clients call: letters, digits, _, - and ."
    )
    title = fields.Char(required=True)
    description = fields.Text(
        required=True,
        help="When to use this tool, and when to use another one. Models read this.",
    )
    active = fields.Boolean(default=True)
    toolset_id = fields.Many2one("mcp.toolset", required=True, ondelete="restrict")
    server_action_id = fields.Many2one(
        "ir.actions.server",
        required=True,
        ondelete="restrict",
        domain="[('usage', '=', 'mcp_tool')]",
        help="Its code finds the arguments as `arguments` and answers with `action`.",
    )
    group_ids = fields.Many2many(
        "res.groups",
        string="Allowed Groups",
        help="Who may call this tool. Nobody named: every MCP user.",
    )
    rate_limit_id = fields.Many2one("mcp.rate.limit", ondelete="set null")
    timeout = fields.Integer(
        help="Seconds that one call may take. 0: the server's default."
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
    input_schema = fields.Text(
        help="JSON Schema 2020-12 of the arguments. Built-in tools derive theirs from "
        "the method that they call."
    )
    output_schema = fields.Text(help="JSON Schema 2020-12 of the structured result.")

    _name_unique = compat.Constraint(
        "UNIQUE(name)", "There is a tool with this name already."
    )
    _timeout_positive = compat.Constraint(
        "CHECK(timeout >= 0)", "A timeout is a number of seconds, or 0."
    )

    @api.constrains("name")
    def _check_name(self):
        for record in self:
            # tool-name rules of revision 2025-11-25, server/tools
            if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", record.name):
                raise ValidationError(
                    self.env._(
                        "%(name)s: use 1 to 128 letters, digits, _, - or .",
                        name=record.name,
                    )
                )

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

    @api.model_create_multi
    def create(self, vals_list):
        self._check_guarded(GUARDED_FIELDS)
        return super().create(vals_list)

    def write(self, vals):
        self._check_guarded(vals)
        return super().write(vals)

    def unlink(self):
        actions = self.sudo().server_action_id
        result = super().unlink()
        actions.unlink()
        return result

    def _check_guarded(self, names) -> None:
        """Keep the power to say who runs what with the Settings administrators.

        An MCP administrator governs, but cannot hand out the server's own account.
        """
        if GUARDED_FIELDS.intersection(names) and not self.env.is_system():
            raise AccessError(
                self.env._(
                    "Only a Settings administrator can change what a tool runs and "
                    "who may call it."
                )
            )

    @api.model
    def _find(self, name: str, caller) -> Tool:
        """Return the tool ``name`` as far as ``caller`` may call it.

        :raise UnknownTool: there is none, or none for this caller: no difference
        """
        tool = self._catalog().get(name)
        if tool is None or not caller.permits(tool):
            raise UnknownTool(f"Unknown tool: {name[:128]!r}. See tools/list.")
        return tool

    @api.model
    def _offered(self, caller) -> list[dict]:
        """Return the tools of ``caller``, as tools/list tells them, by name."""
        return [
            tool.description
            for tool in self._catalog().values()
            if caller.permits(tool)
        ]

    @api.model
    @tools.ormcache("self.env.uid")
    def _catalog(self) -> dict[str, Tool]:
        """Return the active tools of the current user by name, in order of name.

        Groups are asked here and not left to the record rules alone: those let
        administrators see tools that they may not call.
        """
        records = self.search(
            [
                ("toolset_id.active", "=", True),
                "|",
                ("group_ids", "=", False),
                ("group_ids", "in", self.env.user._get_group_ids()),
            ]
        )
        return {
            record.name: record._describe() for record in records.sudo().sorted("name")
        }

    def _describe(self) -> Tool:
        action = self.server_action_id
        match = DIRECT_CALL.fullmatch(action.code or "")
        method = match and getattr(self.env[action.model_id.model], match[1], None)
        derived = signature(method.__func__) if hasattr(method, "_mcp_types") else None
        stored = json.loads(self.input_schema or '{"type": "object"}')
        output = json.loads(self.output_schema) if self.output_schema else None
        return Tool(
            id=self.id,
            name=self.name,
            toolset_id=self.toolset_id.id,
            action_id=action.id,
            model=action.model_id.model,
            method=match[1] if derived else None,
            read_only=self.read_only_hint,
            timeout=self.timeout,
            limit_id=self.rate_limit_id.id or None,
            description=self._wire(
                derived.input_schema if derived else stored,
                derived.output_schema if derived else output,
            ),
            input_schema=None if derived else stored,
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
