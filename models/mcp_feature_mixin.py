import json
import re

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, ValidationError

from .caller import Feature
from .guardrails import guardrails
from .tool_signature import signature

DIRECT_CALL = re.compile(r"\s*action = model\.([a-z]\w*)\(\*\*arguments\)\s*")
"""Code that only hands the arguments to a method: it is called without safe_eval."""

GUARDED_FIELDS = frozenset(
    {"server_action_id", "model_id", "code", "group_ids", "toolset_id"}
)
"""What decides who runs what: for Settings administrators alone."""

EXAMPLE = "mcp_example"
"""In the context of a form: a new record begins as one that works."""


class McpFeatureMixin(models.AbstractModel):
    """A record that clients find by name, and the server action that it runs."""

    _name = "mcp.feature.mixin"
    _inherit = "mcp.catalog.mixin"
    _description = "MCP Feature Mixin"

    title = fields.Char(required=True)
    active = fields.Boolean(default=True)
    toolset_id = fields.Many2one("mcp.toolset", required=True, ondelete="restrict")
    server_action_id = fields.Many2one(
        "ir.actions.server",
        required=True,
        ondelete="restrict",
        domain="[('usage', '=', 'mcp_tool')]",
        help="Its code finds the arguments as `arguments` and answers with `action`.",
    )
    model_id = fields.Many2one(
        related="server_action_id.model_id",
        readonly=False,
        groups="base.group_system",
        help="What its code finds as `model`.",
    )
    code = fields.Text(
        related="server_action_id.code",
        readonly=False,
        groups="base.group_system",
    )
    built_in = fields.Boolean(
        compute="_compute_built_in",
        help="A method of a module answers, and not code that is written here.",
    )
    group_ids = fields.Many2many(
        "res.groups",
        string="Allowed Groups",
        help="Who may use it. Nobody named: every MCP user.",
    )
    rate_limit_id = fields.Many2one("mcp.rate.limit", ondelete="set null")
    timeout = fields.Integer(
        help="Seconds that one call may take. 0: the server's default."
    )

    @api.depends("server_action_id")
    def _compute_built_in(self):
        for record in self:
            own = record.sudo()
            record.built_in = bool(own._binding(own.server_action_id)["method"])

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get(EXAMPLE):
            values |= {
                name: value
                for name, value in self._example().items()
                if name in fields_list
            }
        return values

    @api.model
    def _example(self) -> dict:
        """Return the values with which a new record works as it is."""
        return {"model_id": self.env["ir.model"]._get_id("res.partner")}

    @api.model_create_multi
    def create(self, vals_list):
        self._check_guarded(self._guarded_fields())
        whole = [self._with_action(vals) for vals in vals_list]
        # what a form begins with is no default for what is left out
        return super(McpFeatureMixin, self.with_context(**{EXAMPLE: False})).create(
            whole
        )

    def _with_action(self, vals: dict) -> dict:
        """Return the values with an action for the code among them, if there is any."""
        vals = {**vals}
        code, model = vals.pop("code", None), vals.pop("model_id", None)
        if code and not vals.get("server_action_id"):
            action = self.env["ir.actions.server"].create(
                {
                    "name": vals.get("title") or vals.get("name"),
                    "model_id": model or self._example()["model_id"],
                    "usage": "mcp_tool",
                    "state": "code",
                    "code": code,
                }
            )
            vals["server_action_id"] = action.id
        return vals

    def write(self, vals):
        self._check_guarded(vals)
        return super().write(vals)

    def action_try(self):
        """Open a dialog in which the user calls it, as an MCP client would."""
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "odoo_dev_mcp.try_it",
            "name": self.env._("Try it: %s", self.title),
            "target": "new",
            "context": {"footer": False},
            "params": {"kind": self._name, "name": self._called()},
        }

    def _called(self) -> str:
        """Return what clients call this record."""
        return self.name

    def unlink(self):
        actions = self._actions()
        result = super().unlink()
        actions.unlink()
        return result

    def _check_called_name(self) -> None:
        """Make sure that clients can call these records by their name.

        Revision 2025-11-25, server/tools, "Tool Names".
        """
        for record in self:
            if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", record.name):
                raise ValidationError(
                    self.env._(
                        "%(name)s: use 1 to 128 letters, digits, _, - or .",
                        name=record.name,
                    )
                )

    def _actions(self):
        """Return the server actions that exist for these records alone."""
        return self.sudo().server_action_id

    @api.model
    def _guarded_fields(self) -> frozenset[str]:
        return GUARDED_FIELDS

    def _check_guarded(self, names) -> None:
        """Keep the power to say who runs what with the Settings administrators.

        An MCP administrator governs, but cannot hand out the server's own account.
        """
        if self._guarded_fields().intersection(names) and not self.env.is_system():
            raise AccessError(
                self.env._(
                    "Only a Settings administrator can change what a tool, resource "
                    "or prompt runs and who may use it."
                )
            )

    @api.model
    def _permitted(self, caller) -> list[Feature]:
        """Return what ``caller`` may use, by name."""
        return [
            feature
            for feature in self._catalog_of(caller).values()
            if self._permits(feature, caller)
        ]

    def _catalog_of(self, caller) -> dict[str, Feature]:
        return caller.remember(self._name, self._catalog)

    @staticmethod
    def _permits(feature: Feature, caller) -> bool:
        """Tell whether key, request and configuration file leave a feature of the
        catalog to ``caller``."""
        return caller.permits(feature) and guardrails().permits(feature)

    @api.model
    @tools.ormcache("self._name", "self.env.uid")
    def _catalog(self) -> dict[str, Feature]:
        """Return the active features of the current user by name, in order of name.

        Groups are asked here and not left to the record rules alone: those let
        administrators see what they may not use.
        """
        records = self.search(
            [
                ("toolset_id.active", "=", True),
                "|",
                ("group_ids", "=", False),
                ("group_ids", "in", self.env.user._get_group_ids()),
            ]
        )
        found = [record._feature() for record in records.sudo()]
        return {
            feature.name: feature for feature in sorted(found, key=lambda f: f.name)
        }

    def _feature(self) -> Feature:
        """Return what a call needs to know of this record."""
        raise NotImplementedError

    def _binding(self, action) -> dict:
        """Return what ``action`` runs, and under what limits."""
        match = DIRECT_CALL.fullmatch(action.code or "")
        method = match and getattr(self.env[action.model_id.model], match[1], None)
        return {
            "kind": self._name,
            "id": self.id,
            "toolset_id": self.toolset_id.id,
            "toolset": self.toolset_id.code,
            "action_id": action.id,
            "model": action.model_id.model,
            "method": match[1] if hasattr(method, "_mcp_types") else None,
            "timeout": self.timeout,
            "limit_id": self.rate_limit_id.id or None,
        }

    def _schemas(self, binding: dict, stored: str | bool) -> tuple[dict, dict | None]:
        """Return input and output schema of a method, or of a record's own code."""
        if binding["method"]:
            method = getattr(self.env[binding["model"]], binding["method"])
            derived = signature(method.__func__)
            return derived.input_schema, derived.output_schema
        return json.loads(stored or '{"type": "object"}'), None
