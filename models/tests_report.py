"""What a run of Odoo's tests says, read from its log as it comes."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from .log_lines import HEAD

OF_A_TEST = re.compile(r"odoo\.addons\.(\w+)\.tests\.")
STARTING = re.compile(r"Starting ([\w.]+)\.(\w+) \.\.\.")
SKIPPED = re.compile(r"skipped ([\w.]+\.\w+) : (.*)")
FAILED = re.compile(r"(FAIL|ERROR): (?:Subtest )?([\w.]+\.\w+)(?: (.*))?\Z")
HOLDER = re.compile(
    r"(FAIL|ERROR): (\w+) \(odoo\.addons\.(\w+)\.tests\.(?:\w+\.)*(\w+)\)"
)
"""Of a class whose setUpClass or the like has failed."""

TOTALS = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")
STATISTIC = re.compile(r"\t(\w+)\.(?:\w+\.)*(\w+)\.(test\w*): ([\d.]+)s (\d+) queries")
FRAME = re.compile(r'  File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in |\Z|\n)')

STATS_LOGGER = "odoo.tests.stats"
KINDS = {"FAIL": "failure", "ERROR": "error"}

MOST_LINES = 400
"""Lines of one record that are kept, the last ones: a traceback's end says why."""
MOST_SKIPPED = 20
MOST_CLASSES = 15
MOST_FAILURES = 20
LONGEST_TRACEBACK = 2500
LONGEST_MESSAGE = 1500
MOST_AROUND = 5
LONGEST_AROUND = 400


class Record(NamedTuple):
    """A line of the log, with the lines that belong to it."""

    level: str
    logger: str
    text: str
    lines: deque

    @property
    def whole(self) -> str:
        """All of it, as it was logged."""
        return "\n".join([self.text, *self.lines])


class Reader:
    """Reads the log in pieces, and remembers what the result tells.

    :param folders: of the modules whose tests run, by name
    :param progress: hears how many tests have begun, and which begins
    """

    def __init__(
        self, folders: Mapping[str, str], progress: Callable[[int, str], object]
    ) -> None:
        self.folders = folders
        self.progress = progress
        self.rest = b""
        self.record: Record | None = None
        self.current = ""
        self.around: list[str] = []
        self.begun = 0
        self.totals: tuple[int, int, int] | None = None
        self.failures: list[dict] = []
        self.skipped: list[dict] = []
        self.statistics: dict[str, tuple[float, int]] = {}
        self.complaints: deque[str] = deque(maxlen=10)
        """Errors that belong to no test: a module that was not loaded."""

    def feed(self, data: bytes) -> None:
        """Take what the process has printed."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self._take_line(line.decode(errors="replace"))

    def finish(self) -> None:
        """Take what is left when the process has ended."""
        self._take_line(self.rest.decode(errors="replace"))
        self._take_record()

    def _take_line(self, line: str) -> None:
        if match := HEAD.match(line):
            self._take_record()
            level, logger, text = match.group("level", "logger", "message")
            self.record = Record(level, logger, text.rstrip(), deque(maxlen=MOST_LINES))
            if match := STARTING.match(self.record.text):
                self._begin(match[1], match[2])
        elif self.record:
            self.record.lines.append(line)

    def _begin(self, cls: str, method: str) -> None:
        module = OF_A_TEST.match(self.record.logger)
        self.current = f"{module[1] if module else ''}.{cls}.{method}"
        self.around = []
        self.begun += 1
        self.progress(self.begun, self.current)

    def _take_record(self) -> None:
        record, self.record = self.record, None
        if not record:
            return
        if record.logger == STATS_LOGGER:
            self._take_statistics(record.lines)
        elif match := TOTALS.match(record.text):
            failed, errors, run = map(int, match.groups())
            self.totals = failed, errors, run
        elif match := SKIPPED.match(record.text):
            self.skipped.append(
                {"test": self._named(record, match[1]), "reason": match[2]}
            )
        elif record.level == "ERROR" and (found := self._failure(record)):
            self.failures.append(found)
        elif record.level in ("WARNING", "ERROR", "CRITICAL"):
            self._complain(record)

    def _take_statistics(self, lines) -> None:
        for line in lines:
            if match := STATISTIC.match(line):
                module, cls, method, seconds, queries = match.groups()
                name = f"{module}.{cls}.{method}"
                self.statistics[name] = float(seconds), int(queries)

    def _named(self, record: Record, name: str) -> str:
        module = OF_A_TEST.match(record.logger)
        return f"{module[1]}.{name}" if module else name

    def _complain(self, record: Record) -> None:
        if record.logger == "py.warnings":
            return
        said = f"{record.level} {record.logger}: {record.whole}"
        if self.current:
            self.around.append(said[:LONGEST_AROUND])
        if record.level != "WARNING":
            self.complaints.append(said)

    def _failure(self, record: Record) -> dict | None:
        """Return what is told of a test that has failed; None: none has."""
        if match := HOLDER.match(record.text):
            kind, what, module, cls = match.groups()
            name, part = f"{module}.{cls}", what
        elif match := FAILED.match(record.text):
            kind, name, part = match.groups()
            name = self._named(record, name)
        else:
            return None
        traceback = "\n".join(record.lines).strip()
        message = message_of(traceback)
        found = {
            "test": name,
            "part": part,
            "kind": KINDS[kind],
            "message": message[:LONGEST_MESSAGE],
            "at": self.place(traceback),
            "traceback": last_frames(
                traceback.removesuffix(message).rstrip(), LONGEST_TRACEBACK
            ),
            "log": self.around[-MOST_AROUND:],
        }
        self.around = []
        return {key: value for key, value in found.items() if value}

    def place(self, traceback: str) -> str:
        """Return ``file:line`` of the last frame that is in one of the modules."""
        frames = list(FRAME.finditer(traceback))
        for frame in reversed(frames):
            path = Path(frame["path"]).resolve()
            if any(path.is_relative_to(folder) for folder in self.folders.values()):
                return f"{path}:{frame['line']}"
        return f"{frames[-1]['path']}:{frames[-1]['line']}" if frames else ""

    def outcome(self) -> dict:
        """Return what is told of all tests, without what is not so."""
        failed, errors, run = self.totals or (0, 0, self.begun)
        queries = sum(queries for _seconds, queries in self.statistics.values())
        for row in self.failures:
            if row["test"] in self.statistics:
                row["seconds"], row["queries"] = self.statistics[row["test"]]
        more = len(self.failures) - MOST_FAILURES
        failing = dict.fromkeys(row["test"] for row in self.failures[:MOST_FAILURES])
        found = {
            "run": run,
            "failed": failed,
            "errors": errors,
            "skipped": self.skipped[:MOST_SKIPPED],
            "skipped_count": len(self.skipped),
            "failures": self.failures[:MOST_FAILURES],
            "more_failures": f"{more} more: run them by module" if more > 0 else "",
            "rerun_tags": ",".join(map(as_tag, failing)),
            "queries": queries,
            "classes": self._classes(),
        }
        wanted = ("run", "failed", "errors")
        return {k: value for k, value in found.items() if value or k in wanted}

    def _classes(self) -> list[dict]:
        """Return time and queries by class, the slowest first."""
        found: dict[str, dict] = {}
        for name, (seconds, queries) in self.statistics.items():
            cls = name.rpartition(".")[0]
            row = found.setdefault(
                cls, {"class": cls, "tests": 0, "seconds": 0.0, "queries": 0}
            )
            row["tests"] += 1
            row["seconds"] = round(row["seconds"] + seconds, 2)
            row["queries"] += queries
        rows = sorted(found.values(), key=lambda row: -row["seconds"])
        return rows[:MOST_CLASSES]


def as_tag(test: str) -> str:
    """Return the tag that runs one test, or a class.

    >>> as_tag("sale.TestSale.test_a"), as_tag("sale.TestSale")
    ('/sale:TestSale.test_a', '/sale:TestSale')
    """
    module, _, rest = test.partition(".")
    return f"/{module}:{rest}"


def message_of(traceback: str) -> str:
    r"""Return what an exception says, without the way to it.

    >>> message_of('Traceback…\n  File "a", line 1, in b\n    c\nValueError: d\ne')
    'ValueError: d\ne'
    """
    lines = traceback.split("\n")
    frames = [i for i, line in enumerate(lines) if FRAME.match(line)]
    for number in range(frames[-1] + 1 if frames else 0, len(lines)):
        if not lines[number].startswith(" "):
            return "\n".join(lines[number:])
    return lines[-1].strip()


def last_frames(traceback: str, most: int) -> str:
    """Return the end of a traceback, of whole frames.

    :param most: characters, about
    """
    if len(traceback) <= most:
        return traceback
    starts = [match.start() for match in FRAME.finditer(traceback)]
    kept = next((at for at in starts if len(traceback) - at <= most), None)
    if kept is None:
        kept = starts[-1] if starts else 0
    return f"  …\n{traceback[kept:][: 2 * most]}"
