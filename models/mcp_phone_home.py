from odoo import models
from odoo.exceptions import AccessError

from . import phone_home, phone_home_payload, phone_home_state, server_turns


class McpPhoneHome(models.AbstractModel):
    """The calls to the registry, as Odoo's own processes and Settings know them."""

    _name = "mcp.phone.home"
    _description = "MCP Phone Home"

    def _register_hook(self):
        super()._register_hook()
        server_turns.keep_turning("phone_home", self.env.cr.dbname, phone_home.turn)

    def _test(self, url: str, secret: str) -> dict:
        """Register at ``url`` now.

        :return: ``answer`` or ``error``, for the administrator to read
        """
        if not self.env.is_system():
            raise AccessError(
                self.env._("Only a Settings administrator can have the server call.")
            )
        payload = phone_home_payload.payload(self.env.cr)
        # no transaction waits for a network
        self.env.cr.commit()  # pylint: disable=invalid-commit
        call = phone_home_state.Call("register", url, payload, secret)
        outcome = phone_home.make(call)
        if "answer" in outcome:
            with server_turns.connection(self.env.cr.dbname) as cr:
                phone_home_state.hurry(cr)
        return outcome

    def _farewell(self) -> None:
        """Deregister once the uninstallation is committed, and only then.

        In a transaction of its own: one that removes the addon must not meet the row
        that a heartbeat writes meanwhile.
        """
        database = self.env.cr.dbname
        self.env.cr.postcommit.add(lambda: phone_home.say_farewell(database))
