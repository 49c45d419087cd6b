"""Health: a word for everybody, the reasons for this host alone."""

import logging

from odoo import release

from ..models.health import HEALTHY, SUSPENDED, UNHEALTHY, is_suspended, parts
from ..version import VERSION
from .door import make_guard
from .exchange import HttpRequest, HttpResponse
from .rpc import RpcError
from .transport import credentials

_logger = logging.getLogger(__name__)


def health(env, request: HttpRequest) -> HttpResponse:
    """Tell how the server and its parts do; without a key, without a write.

    503 only where the server fails, so that nobody starts it anew because access is
    ``suspended``; a part that fails makes it ``degraded``.

    :param env: a context manager that gives an environment; it may fail
    """
    try:
        with env() as found:
            found.cr.execute("SELECT 1")
            told = {"database": {"status": HEALTHY}, **parts(found.cr)}
            trusted = _is_trusted(found, request)
            suspended = is_suspended(found.cr)
    except Exception as error:
        _logger.warning("health: %s", error)
        told = {"database": {"status": UNHEALTHY}}
        row = {"status": UNHEALTHY, "error": "the database does not answer"}
        return HttpResponse(503, {**row, "parts": told})
    status = HEALTHY
    if suspended:
        status = SUSPENDED
    elif any(part["status"] == UNHEALTHY for part in told.values()):
        status = "degraded"
    if not trusted:
        told = {name: {"status": part["status"]} for name, part in told.items()}
    row = {"version": VERSION, "odoo_version": release.version, "parts": told}
    return HttpResponse(200, {"status": status, **row})


def _is_trusted(env, request: HttpRequest) -> bool:
    """Tell who is on this host from others, and from a web page in its browser."""
    try:
        make_guard(env).check(request)
    except RpcError:
        return False
    return credentials(request).local
