import re
from urllib.parse import unquote

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import compat
from .caller import Call, Feature
from .exceptions import UnknownResource

VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


EXAMPLE_CODE = """\
# It finds the variables of a template as `arguments`, runs as who reads it, and
# answers with `action`: a text, or what can be written as JSON.
action = {"companies": env.companies.mapped("name"), "user": user.name}
"""


def template_pattern(uri: str) -> re.Pattern[str]:
    r"""Return what matches the URIs of a template, each variable one path segment.

    RFC 6570 level 1, simple string expansion.

    >>> template_pattern("odoo://schema/{table}").fullmatch("odoo://schema/a")["table"]
    'a'
    """
    parts = VARIABLE.split(uri)
    literals, names = map(re.escape, parts[::2]), parts[1::2]
    groups = [*(f"(?P<{name}>[^/?#]+)" for name in names), ""]
    return re.compile("".join(map("".join, zip(literals, groups, strict=True))))


class McpResource(models.Model):
    """Something that MCP clients can read by its URI, or by the URI of a template."""

    _name = "mcp.resource"
    _inherit = "mcp.feature.mixin"
    _description = "MCP Resource"
    _order = "uri"
    _rec_name = "title"

    uri = fields.Char(
        "URI",
        required=True,
        help="e.g. odoo://modules. With {names} it is a template: odoo://schema/{table}.",
    )
    name = fields.Char(required=True, help="What programs call it.")
    description = fields.Text(required=True)
    mime_type = fields.Char(
        "MIME Type",
        default="application/json",
        help="Empty: it differs, and each reading says it.",
    )
    size = fields.Integer(help="Bytes, where that is known. 0: it is not.")
    audience = fields.Selection(
        [("user", "The person"), ("assistant", "The model")],
        help="For whom it is meant; empty: both.",
    )
    priority = fields.Float(
        help="How important it is for its audience, up to 1. 0: nothing is said."
    )
    completion_action_id = fields.Many2one(
        "ir.actions.server",
        ondelete="restrict",
        domain="[('usage', '=', 'mcp_tool')]",
        help="Its code finds the name of a variable as arguments['name'] and what was "
        "typed as arguments['value'], and answers with a list of proposals.",
    )

    _uri_unique = compat.Constraint(
        "UNIQUE(uri)", "There is a resource with this URI already."
    )

    _size_positive = compat.Constraint("CHECK(size >= 0)", "A size is not negative.")
    _priority_within = compat.Constraint(
        "CHECK(priority BETWEEN 0 AND 1)", "A priority is between 0 and 1."
    )

    @api.constrains("uri")
    def _check_uri(self):
        for record in self:
            try:
                template_pattern(record.uri)
            except re.error as error:
                raise ValidationError(
                    self.env._("%(uri)s: %(error)s", uri=record.uri, error=error)
                ) from error
            if not re.match(r"[a-z][a-z0-9+.-]*:", record.uri):
                raise ValidationError(
                    self.env._("%s: a URI starts with its scheme", record.uri)
                )

    def _called(self):
        return self.uri

    def _actions(self):
        return super()._actions() | self.sudo().completion_action_id

    @api.model
    def _example(self):
        return super()._example() | {"code": EXAMPLE_CODE}

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"uri", "completion_action_id"}

    @api.model
    def _find(self, call: Call, caller) -> tuple[Feature, dict]:
        """Return the resource that is read and the variables in its URI.

        :raise UnknownResource: there is none, or none for this caller: no difference
        """
        uri = call.arguments["uri"]
        permitted = self._permitted(caller)
        # an exact URI comes before a template that matches it too
        for feature in sorted(permitted, key=lambda f: "{" in f.name):
            if match := template_pattern(feature.name).fullmatch(uri):
                values = {key: unquote(text) for key, text in match.groupdict().items()}
                return feature, values
        raise UnknownResource(f"Unknown resource: {uri[:300]!r}. See resources/list.")

    @api.model
    def _completion(self, uri: str, caller) -> Feature:
        """Return what completes the variables of the template ``uri``.

        :raise UnknownResource: there is no such template for this caller
        """
        for feature in self._permitted(caller):
            if feature.name == uri and "{" in uri:
                record = self.sudo().browse(feature.id)
                action = record.completion_action_id
                binding = record._binding(action) if action else {"action_id": 0}
                return feature._replace(**binding, input_schema={"type": "object"})
        raise UnknownResource(
            f"Unknown template: {uri[:300]!r}. See resources/templates/list."
        )

    def _feature(self) -> Feature:
        binding = self._binding(self.server_action_id)
        return Feature(
            **binding,
            name=self.uri,
            read_only=True,
            described=self._wire(),
            input_schema=None if binding["method"] else {"type": "object"},
        )

    def _wire(self) -> dict:
        """Return the resource or the template as MCP describes it."""
        template = "{" in self.uri
        row = {
            "uriTemplate" if template else "uri": self.uri,
            "name": self.name,
            "title": self.title,
            "description": self.description,
        }
        if self.mime_type:
            row["mimeType"] = self.mime_type
        if self.size and not template:
            row["size"] = self.size
        annotations = {}
        if self.audience:
            annotations["audience"] = [self.audience]
        if self.priority:
            annotations["priority"] = self.priority
        return {**row, "annotations": annotations} if annotations else row
