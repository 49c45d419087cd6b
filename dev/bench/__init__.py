"""``make bench``: what the addon costs, as ratios within one run.

Beside our two doors stand what users would take instead, and the floor: the least that
a controller of Odoo can do. Only ratios within one run mean anything: a machine has its
good and its bad hours.
"""

import time

from dev import console, node_env, odoo_source, tool_tokens
from dev.bench import costs, latency, peers, process, report
from dev.bench.report import Measured
from dev.bench.site import Site, prepared
from dev.bench.targets import (
    HEALTH,
    LISTENER,
    ONE,
    ROUTE,
    Target,
    odoo,
    ours,
)
from dev.console import setting

ROUNDS = 400
CLIENTS = (1, 4, 16)
RATE_TURNS = 3
WORKERS = (0, 2)


def main() -> int:
    """Measure, print, and write the README's tables; status 1 if a budget is broken."""
    began = time.monotonic()
    sources, missing = odoo_source.asked_for(setting("ODOO"))
    rounds = int(setting("ROUNDS", str(ROUNDS)))
    measured = []
    for source in sources.values():
        with prepared(source) as site:
            measured += _on(site, rounds)
    good = report.tell(measured, missing)
    console.progress(f"the benchmark took {time.monotonic() - began:.0f} s")
    return 0 if measured and good else 1


def _on(site: Site, rounds: int) -> list[Measured]:
    console.progress(f"Odoo {site.stack.series}: starts…")
    starts = costs.starts(site)
    console.progress(f"Odoo {site.stack.series}: key, access, limit and audit…")
    governance = costs.governance(site)
    return [_with(site, workers, rounds, starts, governance) for workers in WORKERS]


def _with(
    site: Site, workers: int, rounds: int, starts: costs.Starts, governance: float
) -> Measured:
    name = f"Odoo {site.stack.series}, workers={workers}"
    with site.server(workers) as server, peers.running(site, server) as others:
        site.wait_for_listener()
        own = [
            *odoo(server.port, site.database, site.uid, site.api_key),
            *ours(ROUTE, server.port, site.key, str(site.file)),
            *ours(LISTENER, site.listener_port, site.key, str(site.file)),
        ]
        targets = {target.name: target for target in [*own, *others]}
        console.progress(f"{name}: answers…")
        samples = latency.interleaved([*targets.values()], rounds)
        console.progress(f"{name}: answers a second…")
        busy = [target for target in targets.values() if _is_light(target)]
        rates = latency.rates(busy, CLIENTS, RATE_TURNS)
        listener = process.listener(server.pid)
        console.progress(f"{name}: streams, a million rows, audit entries…")
        return Measured(
            series=site.stack.series,
            workers=workers,
            samples=samples,
            rates=rates,
            starts=starts,
            governance=governance,
            large=costs.large_query(site, site.listener_port, listener),
            streams=costs.streams(site, targets[f"{LISTENER}: {ONE}"], listener),
            lists=costs.audit_lists(site, server),
            tokens=_tokens(server.url, site.key),
        )


def _is_light(target: Target) -> bool:
    return target.work == ONE or target.door == HEALTH


def _tokens(url: str, key: str) -> int:
    env = node_env.environment("conformance")
    _tools, tokens = tool_tokens.count(env, f"{url}/mcp/v1", key)
    return tokens
