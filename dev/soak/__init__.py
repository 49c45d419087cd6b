"""``make soak``: many clients for minutes, at both doors, mixed over the tools.

No error but honest refusals, memory that stays flat, limits that are exact, and every
call in the audit, once and with its end.
"""

import shutil
from dataclasses import replace
from datetime import date

from dev import console, database, odoo_source, paths, postgres, stack, tables
from dev.bench import costs, process
from dev.console import setting
from dev.odoo_instance import OdooInstance
from dev.odoo_source import OdooSource
from dev.soak import clients, figures
from dev.soak.figures import Figures, Memory
from dev.soak.site import WORKERS, Site, prepare

CLIENTS, SECONDS = "32", "120"
COMMAND = "make soak"


def main() -> int:
    """Load each series, print the figures; status 1 if not all is as it should be."""
    sources, missing = odoo_source.asked_for(setting("ODOO"))
    found = [_on(source) for source in sources.values()]
    for series, reason in missing.items():
        print(f"\nOdoo {series}   not run: {reason}")
    faults = [
        f"Odoo {one.series}: {fault}"
        for one in found
        for fault in (*one.faults(), *one.growing())
    ]
    print("\n" + ("\n".join(faults) or "All is as it should be."), flush=True)
    if setting("README"):
        tables.into_readme(COMMAND, markdown(found))
    return 1 if faults or not found else 0


def _on(source: OdooSource) -> Figures:
    own = replace(stack.on(source), postgres=postgres.durable_server())
    database.sweep(own)
    name = database.temporary_name(own, "soak")
    console.progress(f"Odoo {own.series}: a database…")
    try:
        site = prepare(own, database.with_addon(own, name))
        found = run(
            site,
            int(setting("CLIENTS", CLIENTS)),
            float(setting("SECONDS", SECONDS)),
        )
    finally:
        database.drop(own, name)
        OdooInstance(own, name).forget()
        shutil.rmtree(paths.cache() / "run" / f"{name}-files", ignore_errors=True)
    _tell(found)
    return found


def run(site: Site, crowd: int, seconds: float) -> Figures:
    """Load a server of a site that is ready."""
    with site.server() as server:
        site.wait_for_listener()
        console.progress(f"{crowd} clients, {seconds:.0f} s…")
        memory = Memory(server.pid, process.listener(server.pid))
        seen = clients.run(site, server.port, crowd, seconds, memory.look)
        book = figures.read(site)
    return Figures(site.stack.series, crowd, seconds, seen, book, memory)


def _tell(found: Figures) -> None:
    for rows in (found.answers(), found.facts()):
        print()
        print("\n".join(tables.plain(rows)))


def markdown(found: list[Figures]) -> str:
    """The README's tables."""
    first = found[0]
    lines = [
        f"`{COMMAND}`, {date.today():%Y-%m-%d}, on {costs.hardware()}: "
        f"{first.clients} clients for {first.seconds:.0f} s, half of them at each "
        f"door, workers={WORKERS}, PostgreSQL on the same machine. The clients take "
        "their part of the processors, too.",
        "",
    ]
    for one in found:
        lines += [*tables.markdown(one.facts()), ""]
        lines += [*tables.markdown(one.answers()), ""]
    return "\n".join(lines)
