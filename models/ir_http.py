from psycopg2.errors import ReadOnlySqlTransaction

from odoo import models
from odoo.exceptions import AccessError
from odoo.http import request

from .page_session import is_look

SAFE = ("GET", "HEAD", "OPTIONS")
"""To open a page may change what Odoo keeps of its visitors. RFC 9110 section 9.2.1"""


class IrHttp(models.AbstractModel):
    """Lets a page that a tool only looks at change no record."""

    _inherit = "ir.http"

    @classmethod
    def _dispatch(cls, endpoint):
        if request.httprequest.method in SAFE or not is_look(request.session):
            return super()._dispatch(endpoint)
        env = request.env
        # https://www.postgresql.org/docs/current/sql-set-transaction.html
        env.cr.execute("SET TRANSACTION READ ONLY")
        try:
            response = super()._dispatch(endpoint)
            env.flush_all()
        except ReadOnlySqlTransaction as error:
            raise AccessError(
                env._("A page that is only looked at changes nothing.")
            ) from error
        return response
