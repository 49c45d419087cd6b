"""What a soak has found out, and whether it is as it should be."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dev.bench import process
from dev.bench.latency import Sample
from dev.bench.targets import LISTENER, ROUTE
from dev.soak.clients import Seen
from dev.soak.site import LET_IN, LIMITED, WINDOW_SECONDS, Site
from dev.tables import Row

MIB = 1024 * 1024
MOST_GROWTH = 16 * MIB
"""That a process may have grown by, from its second quarter to its last: threads' own
memory comes and goes."""
SETTLE_SECONDS = 60
ALL = "all"


@dataclass
class Memory:
    """Bytes in memory of the processes of a server, second by second.

    :param listener: the process of its listener
    """

    server: int
    listener: int
    rows: list[dict[int, int]] = field(default_factory=list)

    def look(self) -> None:
        """Note what it is now."""
        pids = [*process.children(self.server), self.listener]
        self.rows.append({pid: process.resident(pid) for pid in pids})

    def quarter(self, pid: int, number: int) -> float:
        """Median of a process in one of four quarters of the time; 0: the first."""
        size = max(1, len(self.rows) // 4)
        rows = self.rows[number * size : (number + 1) * size]
        return statistics.median(row.get(pid, 0) for row in rows)

    def growth(self, pid: int) -> float:
        """Bytes from the second quarter to the last."""
        return self.quarter(pid, 3) - self.quarter(pid, 1)


@dataclass(frozen=True)
class Book:
    """What the audit tells: request ids and statuses of the entries, lines of the file;
    the processes that served; the windows of the limit, each with its end (epoch) and
    how many calls were let in."""

    entries: list[tuple[str, str]]
    lines: int
    served: list[int]
    windows: list[tuple[float, int]]


def read(site: Site) -> Book:
    """Read the audit when the last job has ended."""
    deadline = time.monotonic() + SETTLE_SECONDS
    query = "SELECT request_id, status FROM mcp_audit_log"
    while True:
        rows = site.stack.sql(site.database, query)
        entries = [(str(number).strip('"'), str(status)) for number, status in rows]
        is_open = any(status == "open" for _number, status in entries)
        if not is_open or time.monotonic() > deadline:
            break
        time.sleep(1)
    served = site.stack.sql(
        site.database,
        "SELECT DISTINCT reverse(split_part(reverse(process), ' ', 2))::int "
        "FROM mcp_audit_log WHERE tool = 'query_database'",
    )
    windows = site.stack.sql(
        site.database,
        "SELECT extract(epoch FROM window_end)::float, count(*) FROM soak_let_in "
        "GROUP BY window_end ORDER BY window_end",
    )
    with (site.folder / "audit.log").open("rb") as file:
        lines = sum(1 for _line in file)
    return Book(
        entries,
        lines,
        [int(str(pid)) for (pid,) in served],
        [(float(str(end)), int(str(count))) for end, count in windows],
    )


@dataclass(frozen=True)
class Figures:
    """All of a soak.

    :param seconds: that it was to last
    """

    series: str
    clients: int
    seconds: float
    seen: list[Seen]
    book: Book
    memory: Memory

    def faults(self) -> Iterator[str]:
        """What is not as it should be."""
        failures = [seen.failure for seen in self.seen if seen.failure]
        if failures:
            yield f"{len(failures)} failures, such as {failures[0]}"
        sent = {seen.number for seen in self.seen if seen.work.audited}
        counted = Counter(number for number, _status in self.book.entries)
        if missing := sent - set(counted):
            yield f"{len(missing)} calls are not in the audit"
        if more := set(counted) - sent:
            yield f"{len(more)} entries are of no call: {sorted(more)[:3]}"
        if twice := [number for number, times in counted.items() if times > 1]:
            yield f"{len(twice)} calls are twice in the audit"
        ended = Counter(status for _number, status in self.book.entries)
        if set(ended) - {"success", "refused", "error"}:
            yield f"entries that have not ended well: {dict(ended)}"
        if self.book.lines != len(self.book.entries):
            yield f"{self.book.lines} lines of {len(self.book.entries)} entries"
        yield from self._limit_faults()
        for pid in self.book.served:
            if pid not in self.memory.rows[0] or pid not in self.memory.rows[-1]:
                yield f"process {pid} did not serve from the start to the end"

    def _limit_faults(self) -> Iterator[str]:
        """A limit is exact that lets no more in than it says, and refuses nobody in a
        window that is not full."""
        limited = [seen for seen in self.seen if seen.work.name == LIMITED]
        let_in = sum(1 for seen in limited if not seen.refused)
        counts = [count for _end, count in self.book.windows]
        if max(counts) > LET_IN or sum(counts) != let_in:
            yield f"{let_in} were let in by the limit: {counts}"
        full = [end for end, count in self.book.windows if count == LET_IN]
        for seen in limited:
            ended = seen.began + seen.seconds
            if seen.refused and not any(
                end - WINDOW_SECONDS <= ended and seen.began <= end for end in full
            ):
                yield f"call {seen.number} was refused in a window that was not full"

    def growing(self) -> Iterator[str]:
        """The processes whose memory is not flat; a short soak cannot tell."""
        for pid in self.book.served:
            if self.memory.growth(pid) > MOST_GROWTH:
                yield f"process {pid} grew by {self.memory.growth(pid) / MIB:.0f} MiB"

    def rate(self) -> float:
        """Answers a second."""
        began = min(seen.began for seen in self.seen)
        ended = max(seen.began + seen.seconds for seen in self.seen)
        return len(self.seen) / (ended - began)

    def answers(self) -> Iterator[Row]:
        """How long answers took, by kind and door, in milliseconds."""
        columns = ("calls", "p50", "p95", "p99")
        yield (
            "ms",
            *(f"{door}, {name}" for door in (ROUTE, LISTENER) for name in columns),
        )
        names = [*dict.fromkeys(seen.work.name for seen in self.seen), ALL]
        for name in [*sorted(names[:-1]), ALL]:
            cells: list[str] = []
            for door in (ROUTE, LISTENER):
                found = [
                    seen.seconds
                    for seen in self.seen
                    if seen.door == door and name in (seen.work.name, ALL)
                ]
                sample = Sample(found or [0.0])
                cells += [
                    f"{len(found):,}",
                    *(f"{sample.percentile(n) * 1000:.0f}" for n in (50, 95, 99)),
                ]
            yield (name, *cells)

    def facts(self) -> Iterator[Row]:
        """What is one number each."""
        yield (f"Odoo {self.series}", "")
        refused = sum(seen.refused for seen in self.seen)
        failures = sum(bool(seen.failure) for seen in self.seen)
        yield ("requests", f"{len(self.seen):,}")
        yield ("a second", f"{self.rate():.0f}")
        yield ("refused by a limit, as they should be", f"{refused:,}")
        yield ("failures", f"{failures:,}")
        yield ("audit entries, lines of the audit file", self._book())
        counts = [count for _end, count in self.book.windows]
        told = f"{max(counts)}, in {counts.count(LET_IN)} of {len(counts)}"
        yield (f"most let in by the limit of {LET_IN}, in so many windows", told)
        workers = [pid for pid in self.book.served if pid != self.memory.listener]
        names = {pid: f"worker {number}" for number, pid in enumerate(workers, 1)}
        for pid in self.book.served:
            name = names.get(pid, f"the {LISTENER}")
            start, end = (self.memory.quarter(pid, number) / MIB for number in (1, 3))
            told = f"{start:.0f} → {end:.0f}"
            yield (f"MiB of {name}: second quarter → last", told)

    def _book(self) -> str:
        return f"{len(self.book.entries):,}, {self.book.lines:,}"
