from odoo import http
from odoo.http import request


class Floor(http.Controller):
    @http.route(
        "/mcp_bench/select_1",
        type="http",
        auth="none",
        save_session=False,
        readonly=True,
    )
    def select_1(self):
        """Ask PostgreSQL for a one, and return it."""
        request.env.cr.execute("SELECT 1")
        return str(request.env.cr.fetchone()[0])
