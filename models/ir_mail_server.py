from odoo import api, models

from .. import compat
from .undivided import is_trial


class IrMailServer(models.Model):
    """Sends nothing while a tool only tries what would happen."""

    _inherit = "ir.mail_server"

    def _mcp_connect(self, *args, **kwargs):
        if is_trial(self.env.cr):
            return None
        return getattr(super(), compat.MAIL_CONNECT)(*args, **kwargs)

    @api.model
    def send_email(self, message, *args, **kwargs):
        if is_trial(self.env.cr):
            return message["Message-Id"]
        return super().send_email(message, *args, **kwargs)


setattr(IrMailServer, compat.MAIL_CONNECT, IrMailServer._mcp_connect)
