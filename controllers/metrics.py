"""What Prometheus reads: ``GET /mcp/v1/metrics``.

Names and units: https://prometheus.io/docs/practices/naming/
"""

from collections import defaultdict
from functools import partial
from itertools import accumulate

from odoo import release
from odoo.tools import config

from ..models import health, open_streams
from ..models.mcp_audit_log import STATUSES
from ..models.mcp_metric import BOUNDS
from ..models.registrar import Registrar
from ..version import VERSION
from .exchange import HttpRequest, HttpResponse
from .exposition import CONTENT_TYPE, Family, Sample, render
from .protocol import Protocol
from .rpc import RpcError
from .transport import credentials

ENDS = tuple(status for status, _title in STATUSES if status != "open")
RAN = ("success", "error")
"""Ends of a call that tell how long it took."""


def metrics(protocol: Protocol, request: HttpRequest) -> HttpResponse:
    """Tell what has been done; for a good key, or this host."""
    return protocol.guarded(request, partial(_answer, protocol.registrar))


def _answer(registrar: Registrar, request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        raise RpcError(
            -32600,
            "Metrics are read by GET.",
            status=405,
            headers={"Allow": "GET, HEAD"},
        )
    with registrar.transaction() as env:
        env["mcp.metric"]._check_observer(credentials(request))
        found = [*_calls(env), *_state(env.cr)]
    return HttpResponse(200, text=render(found), text_type=CONTENT_TYPE)


def _calls(env) -> list[Family]:
    """Return the counters. What never happened is 0, so that its first time shows."""
    names = env["mcp.metric"]._tools()
    totals = {(name, status): 0 for name in names for status in ENDS}
    buckets = {name: dict.fromkeys(BOUNDS, 0) for name in names}
    seconds = defaultdict(float)
    for tool, status, bound, calls, took in env["mcp.metric"]._counted():
        totals[tool, status] = totals.get((tool, status), 0) + calls
        own = buckets.setdefault(tool, dict.fromkeys(BOUNDS, 0))
        if status in RAN:
            own[bound] = own.get(bound, 0) + calls
            seconds[tool] += took
    return [
        Family(
            "odoo_mcp_calls_total",
            "counter",
            "Calls by tool and how they ended: success, error, refused (unknown tool "
            "or rate limit), cancelled, lost (with its process).",
            [
                Sample(count, {"tool": tool, "status": status})
                for (tool, status), count in totals.items()
            ],
        ),
        Family(
            "odoo_mcp_call_duration_seconds",
            "histogram",
            "How long the calls took that ended in success or error.",
            [
                sample
                for tool, counts in buckets.items()
                for sample in _histogram(tool, counts, seconds[tool])
            ],
        ),
    ]


def _histogram(tool: str, counts: dict[str, int], seconds: float) -> list[Sample]:
    sums = list(accumulate(counts[bound] for bound in BOUNDS))
    return [
        *(
            Sample(count, {"tool": tool, "le": bound}, "_bucket")
            for bound, count in zip(BOUNDS, sums, strict=True)
        ),
        Sample(seconds, {"tool": tool}, "_sum"),
        Sample(sums[-1], {"tool": tool}, "_count"),
    ]


def _state(cr) -> list[Family]:
    """Return the gauges: how things are at this moment."""
    jobs = health.jobs_by_state(cr) or {}
    up = {health.HEALTHY: 1, health.UNHEALTHY: 0}.get(health.listener(cr)["status"])
    info = {"version": VERSION, "odoo_version": release.version}
    return [
        _gauge("calls_open", "Calls under way.", Sample(health.calls_open(cr))),
        _gauge(
            "jobs",
            "Jobs by state.",
            *(Sample(count, {"state": state}) for state, count in jobs.items()),
        ),
        _gauge(
            "streams",
            "Event streams open in the process that answers.",
            *(Sample(count, {"door": door}) for door, count in _streams().items()),
        ),
        _gauge(
            "listener_up",
            "Whether this host's listener listens; absent where it is switched off.",
            *([] if up is None else [Sample(up)]),
        ),
        _gauge("info", "The versions that run.", Sample(1, info)),
    ]


def _gauge(name: str, help_: str, *samples: Sample) -> Family:
    return Family(f"odoo_mcp_{name}", "gauge", help_, list(samples))


def _streams() -> dict[str, int]:
    """Return the streams of this process, where they can be known.

    A worker of Odoo's that answers has none, and nothing to tell of the others'.
    """
    found = open_streams.by_door()
    if config["workers"]:
        found.pop("odoo", None)
    return found
