import base64
import binascii

from odoo import fields, models
from odoo.exceptions import UserError

from ..models.audit_export import seals_from_json_lines


class McpAuditLogVerify(models.TransientModel):
    """Tell an administrator whether the audit log is as it was written."""

    _name = "mcp.audit.log.verify"
    _description = "Verify MCP Audit Log"

    exported = fields.Binary(
        "Exported Seals",
        help="Seals that you once exported, to see that they are still the same. "
        "Without them it is only seen whether entries and seals fit together.",
    )
    state = fields.Selection(
        [("new", "New"), ("whole", "Whole"), ("broken", "Broken")],
        default="new",
        readonly=True,
    )
    seal_count = fields.Integer("Seals", readonly=True)
    entry_count = fields.Integer("Sealed Entries", readonly=True)
    pending_count = fields.Integer("Not Sealed Yet", readonly=True)
    first_seal = fields.Integer(readonly=True)
    findings = fields.Text(readonly=True)

    def action_verify(self):
        """Seal what is to be sealed, verify all, and show what is found.

        :raise UserError: the file is no export of seals
        """
        self.ensure_one()
        self.env["mcp.audit.seal"].check_access("read")
        exported = self._exported_hashes()
        seals = self.env["mcp.audit.seal"].sudo()
        seals._seal()
        found = seals._verify(exported)
        findings = list(found.findings)
        if found.more:
            findings.append(self.env._("… and %(count)s more.", count=found.more))
        self.write(
            {
                "state": "broken" if findings else "whole",
                "seal_count": found.seals,
                "entry_count": found.entries,
                "pending_count": found.pending,
                "first_seal": found.first_seal,
                "findings": "\n".join(findings),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Verify Seals"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def _exported_hashes(self) -> dict[int, str]:
        if not self.exported:
            return {}
        try:
            return seals_from_json_lines(base64.b64decode(self.exported).decode())
        except (binascii.Error, ValueError) as error:
            raise UserError(
                self.env._(
                    "This is no file of exported seals: export them as Seals (JSON "
                    "Lines)."
                )
            ) from error
