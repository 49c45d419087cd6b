from datetime import date, timedelta
from typing import BinaryIO
from urllib.parse import urlencode

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..models import audit_export
from ..models.user_time import day_begins, today

URL = "/odoo_dev_mcp/audit_log/export"

EXTENSIONS = {"csv": "csv", "jsonl": "jsonl", "seals": "jsonl"}
"""Of the formats that are downloaded."""


class McpAuditLogExport(models.TransientModel):
    """Hand the entries of a period to an auditor, as far as the user may see them."""

    _name = "mcp.audit.log.export"
    _description = "Export MCP Audit Log"

    date_from = fields.Date(
        "From", required=True, default=lambda self: today(self.env) - timedelta(29)
    )
    date_to = fields.Date(
        "Until",
        required=True,
        default=lambda self: today(self.env),
        help="The last day, in your time zone.",
    )
    file_format = fields.Selection(
        [
            ("csv", "Spreadsheet (CSV)"),
            ("jsonl", "JSON Lines"),
            ("pdf", "Report (PDF)"),
            ("seals", "Seals (JSON Lines)"),
        ],
        "Format",
        required=True,
        default="csv",
    )
    entry_count = fields.Integer(
        "Lines",
        compute="_compute_entry_count",
        help="Entries, or seals, of the period.",
    )

    @api.depends("date_from", "date_to", "file_format")
    def _compute_entry_count(self):
        for export in self:
            both = export.date_from and export.date_to
            lines = export._exported_model()
            export.entry_count = both and lines.search_count(export._domain())

    @api.constrains("date_from", "date_to")
    def _check_period(self):
        for export in self:
            if export.date_from > export.date_to:
                raise ValidationError(
                    self.env._("The period ends before it begins: swap its dates.")
                )

    def action_export(self):
        """Download the file, or print the report."""
        self.ensure_one()
        if self.file_format == "pdf":
            report = self.env.ref("odoo_dev_mcp.mcp_audit_log_report")
            printed = report.report_action(self, config=False)
            return {**printed, "close_on_report_download": True}
        period = {"date_from": self.date_from, "date_to": self.date_to}
        wanted = urlencode({**period, "file_format": self.file_format})
        return {
            "type": "ir.actions.act_url",
            "url": f"{URL}?{wanted}",
            "target": "download",
        }

    @api.model
    def _of(self, date_from: str, date_to: str, file_format: str):
        """Return the export that a URL asks for, unsaved.

        :raise ValueError: a date or the format is none
        :raise OverflowError: a date is at the end of what Python counts
        :raise ValidationError: the period ends before it begins
        """
        if file_format not in EXTENSIONS:
            raise ValueError(file_format)
        export = self.new(
            {
                "date_from": date.fromisoformat(date_from),
                "date_to": date.fromisoformat(date_to),
                "file_format": file_format,
            }
        )
        export._check_period()
        export._domain()
        return export

    def _domain(self) -> list:
        after = self.date_to + timedelta(1)
        return [
            ("create_date", ">=", day_begins(self.env, self.date_from)),
            ("create_date", "<", day_begins(self.env, after)),
        ]

    def _exported_model(self):
        seals = self.file_format == "seals"
        return self.env["mcp.audit.seal" if seals else "mcp.audit.log"]

    def _file_name(self) -> str:
        """Return a name that says database and period."""
        what = "seals" if self.file_format == "seals" else "audit"
        name = f"mcp_{what}_{self.env.cr.dbname}_{self.date_from}_{self.date_to}"
        return f"{name}.{EXTENSIONS[self.file_format]}"

    def _write_to(self, file: BinaryIO) -> int:
        """Write the entries, or seals, to ``file``, a batch at a time; return how many.

        :raise AccessError: the user may not see them
        """
        exported = self._exported_model()
        exported.check_access("read")
        columns, batch = audit_export.COLUMNS, audit_export.BATCH
        as_lines = audit_export.rows_to_json_lines
        if self.file_format == "csv":
            file.write(audit_export.head_of_csv().encode())
            as_lines = audit_export.rows_to_csv
        elif self.file_format == "seals":
            columns, batch = audit_export.SEAL_COLUMNS, audit_export.SEAL_BATCH
            as_lines = audit_export.seals_to_json_lines
        written = 0
        for rows in audit_export.batches(exported, self._domain(), columns, batch):
            file.write(as_lines(rows).encode())
            written += len(rows)
        return written
