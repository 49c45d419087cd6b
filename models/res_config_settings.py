import logging
import os
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import config, format_datetime

from .. import compat
from . import listener_settings, phone_home_state
from .parameters import DEFAULTS, PREFIX, parameter
from .parameters import settings as stored
from .settings_checks import find_problem

_logger = logging.getLogger(__name__)

FIELD_PREFIX = "mcp_"
"""A field is named after its setting in :mod:`.parameters`."""


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    # not named after its setting: the form stores those, this one a button of its own
    mcp_is_suspended = fields.Boolean(compute="_compute_mcp_is_suspended")
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
    mcp_audit_file_error = fields.Char(compute="_compute_mcp_audit_file_error")
    mcp_audit_retention = fields.Integer("Retention (days)", help="0: for ever.")
    mcp_config_writable = fields.Boolean(compute="_compute_mcp_config_writable")

    # the form shows what depends on one of its fields alone
    @api.depends("company_id")
    def _compute_mcp_is_suspended(self):
        self.mcp_is_suspended = parameter(self.env, "suspended") == 1

    @api.depends("company_id")
    def _compute_mcp_listener(self):
        """Tell how the listener does, from what it has written down."""
        told = listener_settings.told(self.env.cr)
        self.mcp_listener_url = told.get("url")
        self.mcp_listener_error = told.get("error")

    @api.depends("company_id")
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

    @api.depends("company_id")
    def _compute_mcp_audit_file_error(self):
        """Tell why the lines of calls go elsewhere than they are meant to."""
        problem = None
        if parameter(self.env, "audit_file_enabled"):
            problem = find_problem(self.env, "audit_file", stored(self.env))
        self.mcp_audit_file_error = problem and self.env._(
            "No line is written there: %(problem)s Until then lines go to %(folder)s.",
            problem=problem,
            folder=config["data_dir"],
        )

    def action_mcp_suspend(self):
        """Refuse whoever calls, at every door, and stop what runs."""
        return self._mcp_switch(suspended=1)

    def action_mcp_resume(self):
        """Let callers in again."""
        return self._mcp_switch(suspended=0)

    def _mcp_switch(self, *, suspended: int) -> dict:
        """Store whether access is suspended; Odoo tells the other processes.

        :raise AccessError: for Settings administrators alone
        """
        if not self.env.is_system():
            raise AccessError(
                self.env._("Only a Settings administrator suspends MCP access.")
            )
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param(f"{PREFIX}suspended", str(suspended))
        _logger.info(
            "MCP access %s by %s",
            "suspended" if suspended else "resumed",
            self.env.user.login,
        )
        return {"type": "ir.actions.client", "tag": "soft_reload"}

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

    @api.depends("company_id")
    def _compute_mcp_config_writable(self):
        """Tell whether the guardrails can be changed by those whom they bind.

        Whoever runs commands has the power of the server's account.
        """
        path = compat.config_file()
        folder = os.path.dirname(path)
        self.mcp_config_writable = os.access(
            path if os.path.exists(path) else folder, os.W_OK
        )

    @api.constrains(lambda self: [FIELD_PREFIX + name for name in self._mcp_settings()])
    def _check_mcp_settings(self):
        """Refuse what is changed to what cannot be. What has become wrong meanwhile, as
        a folder that is gone, keeps nobody from changing another setting."""
        for settings in self:
            values = settings._mcp_values()
            for name, value in values.items():
                if value == parameter(self.env, name):
                    continue
                if problem := find_problem(self.env, name, values):
                    raise ValidationError(
                        self.env._(
                            "%(setting)s: %(problem)s",
                            setting=self._fields[FIELD_PREFIX + name].string,
                            problem=problem,
                        )
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
        for name, value in self._mcp_values().items():
            parameters.set_param(PREFIX + name, str(value))
        return result

    def _mcp_values(self) -> dict:
        """Return the settings as the form has them, each of the type of its default."""
        return {
            name: type(DEFAULTS[name])(
                self[FIELD_PREFIX + name] or type(DEFAULTS[name])()
            )
            for name in self._mcp_settings()
        }

    @api.model
    def _mcp_settings(self) -> list[str]:
        return [name for name in DEFAULTS if FIELD_PREFIX + name in self._fields]
