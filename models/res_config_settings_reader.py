import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.base.models.res_users import check_identity

from . import read_only_role
from .exceptions import ToolError
from .kept_connections import Login
from .parameters import PREFIX
from .parameters import settings as stored

_logger = logging.getLogger(__name__)


class ResConfigSettings(models.TransientModel):
    """Settings make the PostgreSQL role that query_database reads as."""

    _inherit = "res.config.settings"

    # named after no setting: the form stores those, these have buttons of their own
    mcp_reads_as = fields.Char(compute="_compute_mcp_reads_as")
    mcp_reads_error = fields.Text(compute="_compute_mcp_reads_as")
    mcp_reads_sql = fields.Text(compute="_compute_mcp_reads_as")

    @api.depends("company_id")
    def _compute_mcp_reads_as(self):
        """Tell which role reads, what is wrong with it, and what a superuser of
        PostgreSQL is to execute to mend it."""
        cr, known = self.env.cr, stored(self.env)
        name = read_only_role.name_for(cr.dbname)
        login = Login(known["reader_role"] or name, known["reader_password"])
        error = statements = None
        if known["reader_role"] or known["reader_password"]:
            error = self._mcp_reader_problem(login)
            if error and login.role == name:
                statements = ";\n".join([*read_only_role.making(cr, login), ""])
            if not known["reader_role"] and not read_only_role.is_made(cr, name):
                error = None  # nobody has expected it yet
            elif not error:
                error = self._mcp_reader_excess(login.role)
        self.mcp_reads_as = known["reader_role"]
        self.mcp_reads_error = error
        self.mcp_reads_sql = statements

    @check_identity
    def action_mcp_make_reader(self):
        """Have queries read as a role that may only read; made, or brought to what is
        there now.

        Where Odoo's own role may not make it, Settings then show what a superuser is to
        execute. Until the role can log in, all is as before.
        """
        self._mcp_require_governor()
        cr, known = self.env.cr, stored(self.env)
        login = self._mcp_reader(known)
        # until it can log in nobody reads as it: whoever did before still does
        kept = (known["reader_role"] and login.role, login.password)
        if self._mcp_reader_problem(login):
            statements = read_only_role.making(cr, login)
            if error := read_only_role.attempt(cr, statements):
                _logger.info("%s is a superuser's to make: %s", login.role, error)
                self._mcp_keep_reader(*kept)
                return {"type": "ir.actions.client", "tag": "soft_reload"}
        read_only_role.grant(cr, login.role)
        if excess := self._mcp_reader_excess(login.role):
            raise UserError(excess)
        self._mcp_keep_reader(*kept)
        # only then can it log in
        cr.commit()  # pylint: disable=invalid-commit
        if problem := self._mcp_reader_problem(login):
            raise UserError(problem)
        self._mcp_keep_reader(*login)
        _logger.info("Queries read as %s, by %s", login.role, self.env.user.login)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @check_identity
    def action_mcp_forget_reader(self):
        """Have queries read as Odoo's own role again."""
        self._mcp_require_governor()
        cr = self.env.cr
        role = stored(self.env)["reader_role"] or read_only_role.name_for(cr.dbname)
        self._mcp_keep_reader("", "")
        gone = read_only_role.forget(cr, role)
        _logger.info("Queries read as Odoo's role, by %s", self.env.user.login)
        reload = {"type": "ir.actions.client", "tag": "soft_reload"}
        if gone:
            return reload
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._(
                    "The role reads nothing any more, and is a superuser's to remove: "
                    'DROP ROLE "%s"',
                    role,
                ),
                "type": "warning",
                "sticky": True,
                "next": reload,
            },
        }

    def _mcp_reader(self, known: dict) -> Login:
        """Return the role that is, or is to be: in a copy of the database, which begins
        with the original's, one of its own if that lets nobody in."""
        login = read_only_role.of_settings(known)
        if login and not self._mcp_reader_problem(login):
            return login
        fresh = read_only_role.new_login(self.env.cr.dbname)
        if known["reader_password"] and known["reader_role"] in ("", fresh.role):
            return Login(fresh.role, known["reader_password"])
        return fresh

    def _mcp_reader_problem(self, login: Login) -> str | None:
        """Return why the role cannot read, and what to do; None: it can log in."""
        try:
            with read_only_role.cursor(self.env.cr.dbname, login):
                return None
        except ToolError as error:
            return self.env._(
                "%(error)s\nIf the role is there, it is pg_hba.conf that keeps it "
                'out: let it in by a line like: host "%(database)s" "%(role)s" '
                "127.0.0.1/32 scram-sha-256",
                error=str(error.__cause__).strip(),
                database=self.env.cr.dbname,
                role=login.role,
            )

    def _mcp_reader_excess(self, role: str) -> str | None:
        """Return what the role may beyond reading, and what to do; None: nothing."""
        excess = read_only_role.excess(self.env.cr, role)
        return excess and self.env._(
            "%(role)s is no role that only reads: %(excess)s. Take that from it, or "
            "from PUBLIC, and try again.",
            role=role,
            excess=excess,
        )

    def _mcp_keep_reader(self, role: str, password: str) -> None:
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param(f"{PREFIX}reader_role", role or False)
        parameters.set_param(f"{PREFIX}reader_password", password or False)

    def _mcp_require_governor(self) -> None:
        """Leave it to Settings administrators, and to no tool call of theirs.

        :raise AccessError: it is none
        """
        if not self.env.is_system() or "mcp_call" in self.env.context:
            raise AccessError(
                self.env._(
                    "Only a Settings administrator chooses the role that queries read "
                    "as, and no tool call does."
                )
            )
