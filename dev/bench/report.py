"""What a benchmark tells: tables of ratios, and each budget with what was measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dev import paths, tables, tool_tokens
from dev.bench import costs
from dev.bench.latency import Sample
from dev.bench.targets import (
    FLOOR,
    HEALTH,
    JSONRPC,
    LISTENER,
    ONE,
    ROUTE,
    TOOLS,
    WORKS,
)
from dev.console import setting
from dev.tables import Row

DOORS = (ROUTE, LISTENER, JSONRPC, FLOOR, "mcp-server-odoo", "odoo-mcp")
MIB = 1024 * 1024
TIMES, NOTHING = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"


@dataclass(frozen=True)
class Budget:
    """A promise of the product: at most so much; None: only told."""

    what: str
    measured: float
    most: float | None
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.most is None or self.measured <= self.most


@dataclass(frozen=True)
class Measured:
    """All that was measured of one series with one number of workers.

    :param governance: milliseconds of a call that are key, access, limit and audit
    :param tokens: of ``tools/list``
    """

    series: str
    workers: int
    samples: dict[str, Sample]
    rates: dict[str, dict[int, float]]
    starts: costs.Starts
    governance: float
    large: costs.Large
    streams: costs.Streams
    lists: costs.Lists
    tokens: int

    @property
    def name(self) -> str:
        """For a heading."""
        return f"Odoo {self.series}, workers={self.workers}"

    def ratio(self, door: str, work: str) -> float | None:
        """p50 as a multiple of the unit's; None: it was not measured."""
        sample = self.samples.get(f"{door}: {work}")
        return sample.p50 / self.samples[HEALTH].p50 if sample else None

    def budgets(self) -> list[Budget]:
        """Every budget of the design."""
        p50 = {name: sample.p50 for name, sample in self.samples.items()}
        unit, rates = p50[HEALTH], self.rates
        found = [
            Budget(
                "SELECT 1 on Odoo's port", p50[f"{ROUTE}: {ONE}"] / unit, 1.4, TIMES
            ),
            Budget(
                "SELECT 1 on the listener", p50[f"{LISTENER}: {ONE}"] / unit, 0.7, TIMES
            ),
        ]
        for door in (ROUTE, LISTENER):
            ratio = p50[f"{door}: {TOOLS}"] / p50[f"{door}: {ONE}"]
            found.append(Budget(f"tools/list by SELECT 1, {door}", ratio, 1.0, TIMES))
            rate = rates[f"{door}: {ONE}"]
            found.append(
                Budget(
                    f"calls a second, 4 by 16 clients, {door}", rate[4] / rate[16], 1.15
                )
            )
        return [
            *found,
            Budget("size of tools/list", self.tokens, tool_tokens.BUDGET, "tokens"),
            Budget("key, access, limit, audit", self.governance, 1.0, "ms"),
            Budget("a million audit entries: opened", self.lists.opened, 0.2, "s"),
            Budget("… filtered by tool and day", self.lists.filtered, 0.2, "s"),
            Budget("… all grouped by tool", self.lists.grouped, 0.2, "s"),
            Budget("a million rows: memory", self.large.growth / MIB, 20, "MiB"),
            Budget(
                "… first page by that of psql",
                self.large.page / self.large.psql_page,
                2.0,
                TIMES,
            ),
            Budget(
                "… by that of a psql that is connected already",
                self.large.page / self.large.connected_page,
                None,
                TIMES,
            ),
            Budget("500 streams: memory", self.streams.bytes / MIB, 100, "MiB"),
            Budget("… SELECT 1 by without them", self.streams.ratio, 1.5, TIMES),
            Budget("MCP imported at start", float(self.starts.imports_mcp), 0),
            Budget("start with the addon, by without", self._start(), None, TIMES),
            Budget("… memory that it adds", self._start_bytes() / MIB, None, "MiB"),
        ]

    def _start(self) -> float:
        return self.starts.seconds / self.starts.plain_seconds

    def _start_bytes(self) -> int:
        return self.starts.bytes - self.starts.plain_bytes


def tell(measured: Sequence[Measured], missing: dict[str, str]) -> bool:
    """Print all, write it as Markdown, and tell whether every budget is met."""
    for one in measured:
        print(f"\n{one.name}\n")
        print("\n".join(tables.plain(_answers(one))))
        print()
        print("\n".join(tables.plain(_rates(one))))
        print()
        print("\n".join(tables.plain(_budgets(one))))
    for series, reason in missing.items():
        print(f"\nOdoo {series}   not run: {reason}")
    broken = [
        f"{one.name}: {budget.what}"
        for one in measured
        for budget in one.budgets()
        if not budget.met
    ]
    print("\nNot met: " + "; ".join(broken) if broken else "\nAll budgets are met.")
    text = markdown(measured)
    path = paths.cache() / "bench.md"
    path.write_text(text)
    print(f"As Markdown: {path}", flush=True)
    if setting("README"):
        tables.into_readme("make bench", text)
    return not broken


def _answers(one: Measured) -> Iterator[Row]:
    """Milliseconds and bytes of each target, and its p50 by the unit's."""
    yield ("", "p50 ms", "p95", "p99", TIMES, "bytes")
    unit = one.samples[HEALTH].p50
    for name, sample in one.samples.items():
        times = [f"{sample.percentile(part) * 1000:.2f}" for part in (50, 95, 99)]
        yield (name, *times, f"{sample.p50 / unit:.2f}", f"{sample.size:,}")


def _rates(one: Measured) -> Iterator[Row]:
    clients = [*next(iter(one.rates.values()))]
    yield ("answers a second", *(f"{number} clients" for number in clients))
    for name, found in one.rates.items():
        yield (name, *(f"{found[number]:.0f}" for number in clients))


def _budgets(one: Measured) -> Iterator[Row]:
    yield ("budget", "measured", "at most", "")
    for budget in one.budgets():
        yield (
            budget.what,
            f"{budget.measured:,.2f} {budget.unit}",
            NOTHING if budget.most is None else f"{budget.most:,.2f} {budget.unit}",
            "met" if budget.met else "NOT MET",
        )


def markdown(measured: Sequence[Measured]) -> str:
    """The README's tables."""
    lines = [
        f"`make bench`, {date.today():%Y-%m-%d}, on {costs.hardware()}, PostgreSQL on "
        "the same machine, over loopback. Odoo's own `GET /web/health` is 1; each "
        "figure is an answer's p50 as a multiple of it, all taking turns in one run.",
        "",
    ]
    for one in measured:
        lines += [*tables.markdown(_ratios(one)), ""]
    head = ("", *(f"{one.series}, {one.workers} workers" for one in measured))
    by_name = [{budget.what: budget for budget in one.budgets()} for one in measured]
    rows = [head]
    for what, budget in by_name[0].items() if by_name else ():
        told = [
            f"{found[what].measured:,.2f}{'' if found[what].met else ', not met'}"
            for found in by_name
        ]
        most = "" if budget.most is None else f", at most {budget.most:g}"
        rows.append((f"{what}{most} {budget.unit}".strip(), *told))
    lines += [*tables.markdown(iter(rows)), ""]
    return "\n".join(lines)


def _ratios(one: Measured) -> Iterator[Row]:
    yield (one.name, *DOORS)
    for work in WORKS:
        ratios = [one.ratio(door, work) for door in DOORS]
        yield (
            work,
            *(NOTHING if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        )
    unit = one.rates[HEALTH]
    for clients in unit:
        found = [one.rates.get(f"{door}: {ONE}") for door in DOORS]
        told = [
            f"{row[clients] / unit[clients]:.2f}" if row else NOTHING for row in found
        ]
        yield (f"answers a second, {clients} clients", *told)
