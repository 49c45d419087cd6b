"""The download of audit entries, for a user who is logged in to Odoo."""

import logging
import tempfile
from contextlib import ExitStack

from werkzeug.exceptions import BadRequest
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.exceptions import ValidationError
from odoo.http import Response, request

from ..wizards.mcp_audit_log_export import EXTENSIONS, URL

_logger = logging.getLogger(__name__)

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
"""By the extension of the file."""

BLOCK = 64 * 1024


class McpAuditLogExportController(http.Controller):
    @http.route(URL, type="http", auth="user", methods=["GET"], readonly=True)
    def export(self, date_from="", date_to="", file_format="", **_params):
        """Send the entries that the user may see, whole or not at all.

        They go to a file first: a stream that fails half-way looks complete.
        """
        try:
            exports = request.env["mcp.audit.log.export"]
            export = exports._of(date_from, date_to, file_format)
        except (ValueError, OverflowError, ValidationError) as error:
            raise BadRequest(NEEDED) from error
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            written = export._write_to(file)
            response = _download(file, export._file_name(), file_format)
            response.call_on_close(stack.pop_all().close)
        what = "audit seals" if file_format == "seals" else "audit entries"
        _logger.info("%s exported %d %s", request.env.user.login, written, what)
        return response


NEEDED = (
    "Wanted: date_from and date_to (YYYY-MM-DD), file_format (csv, jsonl or seals)."
)


def _download(file, name: str, file_format: str) -> Response:
    size = file.tell()
    file.seek(0)
    return Response(
        wrap_file(request.httprequest.environ, file, BLOCK),
        direct_passthrough=True,
        headers={
            "Content-Type": TYPES[EXTENSIONS[file_format]],
            "Content-Length": size,
            "Content-Disposition": http.content_disposition(name),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
