import ipaddress
import os
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_datetime

from .. import compat
from . import listener_settings, phone_home_address, phone_home_state
from .parameters import DEFAULTS, PREFIX, parameter, parts
from .phone_home_plan import LEAST_SECONDS

FIELD_PREFIX = "mcp_"
"""A field is named after its setting in :mod:`.parameters`."""

LEAST = {
    "mcp_audit_retention": 0,
    "mcp_job_retention": 0,
    "mcp_phone_home_seconds": LEAST_SECONDS,
}
"""Of the numbers that may not be just anything from 1."""


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mcp_listener_enabled = fields.Boolean("Dedicated Listener")
    mcp_listener_host = fields.Char("Host")
    mcp_listener_port = fields.Integer("Port")
    mcp_listener_url = fields.Char(compute="_compute_mcp_listener")
    mcp_listener_error = fields.Char(compute="_compute_mcp_listener")
    mcp_phone_home_url = fields.Char(
        "Registry",
        help="/register, /heartbeat and /deregister are put at its end.",
    )
    mcp_phone_home_secret = fields.Char(
        "Secret", help="What calls are signed with. Empty: they are not."
    )
    mcp_phone_home_seconds = fields.Integer("Heartbeat (s)")
    mcp_phone_home_state = fields.Text(compute="_compute_mcp_phone_home")
    mcp_phone_home_error = fields.Text(compute="_compute_mcp_phone_home")
    mcp_log_level = fields.Selection(
        [
            ("debug", "Debug"),
            ("info", "Info"),
            ("warning", "Warning"),
            ("error", "Error"),
        ],
        "Log Level",
    )
    mcp_command_timeout = fields.Integer("Command Timeout (s)")
    mcp_command_maximum = fields.Integer("Maximum Timeout (s)")
    mcp_command_output = fields.Integer("Output (bytes)")
    mcp_handover_seconds = fields.Integer("Patience (s)")
    mcp_job_most = fields.Integer("Jobs at Once")
    mcp_job_output = fields.Integer("Job Output (characters)")
    mcp_job_retention = fields.Integer("Job Retention (days)", help="0: for ever.")
    mcp_services = fields.Char(
        "Services",
        help="Name, or name=systemd unit, separated by commas.",
    )
    mcp_path_roots = fields.Char(
        "Folders",
        help="Absolute paths that the file tools may reach, separated by commas. "
        "Empty: all but /proc, /dev and /sys.",
    )
    mcp_read_megabytes = fields.Integer("Read (MB)")
    mcp_write_megabytes = fields.Integer("Write (MB)")
    mcp_query_timeout = fields.Integer("Query Timeout (s)")
    mcp_query_rows = fields.Integer("Result Rows")
    mcp_query_bytes = fields.Integer("Result Size (bytes)")
    mcp_audit_file_enabled = fields.Boolean(
        "Audit File",
        help="One line a call, beside the audit log in Odoo, which is always kept.",
    )
    mcp_audit_file = fields.Char("Audit File Path")
    mcp_audit_retention = fields.Integer("Retention (days)", help="0: for ever.")
    mcp_config_writable = fields.Boolean(compute="_compute_mcp_config_writable")

    def _compute_mcp_listener(self):
        """Tell how the listener does, from what it has written down."""
        told = listener_settings.told(self.env.cr)
        self.mcp_listener_url = told.get("url")
        self.mcp_listener_error = told.get("error")

    def _compute_mcp_phone_home(self):
        """Tell how each host of this database does with the registry."""
        states, errors = [], []
        if parameter(self.env, "phone_home_url"):
            for host, entry in sorted(phone_home_state.told(self.env.cr).items()):
                if entry.error:
                    errors.append(f"{host}: {self._mcp_trouble(entry)}")
                elif entry.payload:
                    states.append(f"{host}: {self._mcp_told(entry)}")
        self.mcp_phone_home_state = "\n".join(states)
        self.mcp_phone_home_error = "\n".join(errors)

    def _mcp_told(self, entry) -> str:
        return self.env._(
            "registered as %(server)s. Last at %(time)s, %(answer)s",
            server=entry.payload["server_id"],
            time=self._mcp_time(entry.at),
            answer=entry.answer,
        )

    def _mcp_trouble(self, entry) -> str:
        return self.env._(
            "%(error)s At %(time)s, failed %(times)s times.",
            error=entry.error,
            time=self._mcp_time(entry.at),
            times=entry.failures,
        )

    def _mcp_time(self, seconds: float) -> str:
        moment = datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)
        return format_datetime(self.env, moment)

    def action_mcp_test_phone_home(self):
        """Register now, at what the form says, and show what is answered."""
        self.ensure_one()
        if not self.mcp_phone_home_url:
            raise UserError(self.env._("Name a registry to be called."))
        outcome = self.env["mcp.phone.home"]._test(
            self.mcp_phone_home_url.strip(), self.mcp_phone_home_secret or ""
        )
        agreed = "answer" in outcome
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("The registry agrees")
                if agreed
                else self.env._("The registry was not told"),
                "message": outcome["answer" if agreed else "error"],
                "type": "success" if agreed else "danger",
                "sticky": True,
            },
        }

    def _compute_mcp_config_writable(self):
        """Tell whether the guardrails can be changed by those whom they bind.

        Whoever runs commands has the power of the server's account.
        """
        path = compat.config_file()
        folder = os.path.dirname(path)
        self.mcp_config_writable = os.access(
            path if os.path.exists(path) else folder, os.W_OK
        )

    @api.constrains(lambda self: self._mcp_numbers())
    def _check_mcp_numbers(self):
        for settings in self:
            for name in self._mcp_numbers():
                least = LEAST.get(name, 1)
                if settings[name] < least:
                    raise ValidationError(
                        self.env._(
                            "%(setting)s: at least %(least)s.",
                            setting=self._fields[name].string,
                            least=least,
                        )
                    )

    @api.model
    def _mcp_numbers(self) -> list[str]:
        names = map(FIELD_PREFIX.__add__, self._mcp_settings())
        return [name for name in names if self._fields[name].type == "integer"]

    @api.constrains("mcp_listener_host", "mcp_listener_port")
    def _check_mcp_listener(self):
        for settings in self:
            try:
                ipaddress.ip_address((settings.mcp_listener_host or "").strip())
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "%s is no IP address to listen at, e.g. 127.0.0.1.",
                        settings.mcp_listener_host,
                    )
                ) from error
            if settings.mcp_listener_port > 65535:
                raise ValidationError(self.env._("A port is at most 65535."))

    @api.constrains("mcp_phone_home_url")
    def _check_mcp_phone_home(self):
        for settings in self:
            if url := (settings.mcp_phone_home_url or "").strip():
                try:
                    phone_home_address.parse(url)
                except phone_home_address.AddressError as error:
                    raise ValidationError(
                        self.env._("Registry: %s", str(error))
                    ) from error

    @api.constrains("mcp_path_roots", "mcp_audit_file")
    def _check_mcp_paths(self):
        for settings in self:
            paths = [*parts(settings.mcp_path_roots or ""), settings.mcp_audit_file]
            for path in filter(None, paths):
                if not os.path.isabs(path):
                    raise ValidationError(
                        self.env._("%s is relative: give the absolute path.", path)
                    )

    @api.model
    def get_values(self):
        values = super().get_values()
        for name in self._mcp_settings():
            value = parameter(self.env, name)
            values[FIELD_PREFIX + name] = False if value == "" else value
        return values

    def set_values(self):
        """Store every setting as text; not as Odoo's ``config_parameter`` does, which
        drops a False, so that a default of True would come back."""
        result = super().set_values()
        parameters = self.env["ir.config_parameter"].sudo()
        for name in self._mcp_settings():
            value = self[FIELD_PREFIX + name]
            kind = type(DEFAULTS[name])
            parameters.set_param(PREFIX + name, str(kind(value or kind())))
        return result

    @api.model
    def _mcp_settings(self) -> list[str]:
        return [name for name in DEFAULTS if FIELD_PREFIX + name in self._fields]
