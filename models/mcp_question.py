import json
import secrets

from odoo import api, fields, models
from odoo.tools import SQL

from .. import compat


class McpQuestion(models.Model):
    """A request of ours to a client before 2026-07-28, until it is answered.

    The call that asks waits at one server; the answer may arrive at another.
    """

    _name = "mcp.question"
    _inherit = "mcp.sealed.mixin"
    _description = "MCP Question"
    _rec_name = "token"
    _log_access = False

    create_date = fields.Datetime(readonly=True)
    token = fields.Char(
        required=True, readonly=True, help="Its JSON-RPC id: nobody can guess it."
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, ondelete="cascade"
    )
    key_id = fields.Many2one("mcp.api.key", readonly=True, ondelete="cascade")
    answer = fields.Text(readonly=True, help="The client's response, as JSON.")

    _token_unique = compat.Constraint("UNIQUE(token)", "A token is used once.")

    @api.model
    def _prepare(self, caller, number: int) -> list[str]:
        """Make room for so many answers of ``caller``; return the ids to ask with."""
        tokens = [secrets.token_urlsafe(24) for _each in range(number)]
        self.env.cr.execute_values(
            "INSERT INTO mcp_question (create_date, token, user_id, key_id) VALUES %s",
            [(fields.Datetime.now(), t, caller.uid, caller.key_id) for t in tokens],
        )
        return tokens

    @api.model
    def _answer(self, caller, token: object, answer: dict) -> None:
        """Keep the first answer of the client that was asked; nobody else's."""
        self.env.cr.execute(
            "UPDATE mcp_question SET answer = %s WHERE token = %s AND user_id = %s "
            "AND key_id IS NOT DISTINCT FROM %s AND answer IS NULL",
            [json.dumps(answer), str(token), caller.uid, caller.key_id],
        )

    @api.model
    def _look(self, tokens: list[str]) -> dict[str, dict]:
        """Return the answers that are there, by token."""
        self.env.cr.execute(
            SQL(
                "SELECT token, answer FROM mcp_question "
                "WHERE token IN %s AND answer IS NOT NULL",
                tuple(tokens),
            )
        )
        return {token: json.loads(answer) for token, answer in self.env.cr.fetchall()}

    @api.model
    def _clear(self, tokens: list[str]) -> None:
        """Forget questions that nobody waits for any more."""
        self.env.cr.execute(
            SQL("DELETE FROM mcp_question WHERE token IN %s", tuple(tokens))
        )

    @api.autovacuum
    def _gc_questions(self):
        """Forget what was asked by a process that is gone."""
        self.env.cr.execute(
            "DELETE FROM mcp_question "
            "WHERE create_date < now() AT TIME ZONE 'UTC' - interval '1 day'"
        )
