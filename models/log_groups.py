"""The same errors of a log as one, with how often and when."""

from collections.abc import Iterable

from .log_lines import Line, iso, kind, parsed, place, raised, seconds_between
from .log_records import LEVELS, Record
from .log_traceback import shortened
from .redaction import redact_text

OWN = "odoo.addons.odoo_dev_mcp"
ENDPOINT = "/mcp/v1"

GROUPED = LEVELS.index("WARNING")
"""From this level on records are grouped; below it, each is told by itself."""

LONGEST_TRACEBACK = 4000
LONGEST_MESSAGE = 500
LONGEST_TOTAL = 24_000
"""Characters of all tracebacks together."""

REQUEST_SECONDS = 2
"""An access line is written when the request ends: the first one of the same process
that follows an error this soon is told as its request."""


class Wanted:
    """Which records are asked for.

    :param level: an index of LEVELS; this and above
    :param logger: its name, or the beginning of it up to a dot
    :param since: time as the log has it; what is not later is not wanted
    """

    def __init__(self, level, logger, database, text, since="") -> None:
        self.level = level
        self.logger = logger or ""
        self.database = database
        self.text = (text or "").lower()
        self.since = since
        self.loggers: set[str] = set()
        self.databases: set[str] = set()

    def takes(self, line: Line) -> bool:
        """Tell whether a record is asked for; remember what there would be."""
        if line.level < self.level or self._is_noise(line):
            return False
        self.loggers.add(line.logger)
        self.databases.add(line.database)
        if self.database and line.database != self.database:
            return False
        if self.logger and not f"{line.logger}.".startswith(f"{self.logger}."):
            return False
        return not self.text or self.text in line.text.lower()

    def _is_noise(self, line: Line) -> bool:
        """Tell whether this server's own work has written it, and nothing failed."""
        if line.logger == "werkzeug":
            return ENDPOINT in line.message and not self.logger
        own = line.logger.startswith(OWN) and not self.logger.startswith(OWN)
        return own and line.level < LEVELS.index("ERROR")


class Groups:
    """Records that are the same, each with the newest of them.

    :param limit: groups that are told
    """

    def __init__(self, wanted: Wanted, limit: int) -> None:
        self.wanted = wanted
        self.limit = limit
        self.found: dict[tuple, dict] = {}
        self.read = self.foreign = self.count = 0
        self.ended = False
        self._requests: dict[str, tuple[str, str]] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Take records of the log in their order, all earlier than those before."""
        for record in reversed([*records]):
            line = parsed(record)
            self.read += 1
            if line is None:
                self.foreign += 1
                continue
            if line.time <= self.wanted.since:
                self.ended = True
                return
            if line.request:
                self._requests[line.pid] = line.time, line.request
            if self.wanted.takes(line):
                self._take(line)
            if self._full():
                self.ended = True
                return

    def _full(self) -> bool:
        """Tell whether more would be told one by one, for which there is no room."""
        return self.wanted.level < GROUPED and len(self.found) >= self.limit

    def _take(self, line: Line) -> None:
        self.count += 1
        key = kind(line) if line.level >= GROUPED else (self.count,)
        group = self.found.get(key)
        if group:
            group["count"] += 1
            group["first"] = line.time
            group["databases"].add(line.database)
            return
        self.found[key] = {
            "count": 1,
            "first": line.time,
            "line": line,
            "databases": {line.database},
            "request": self._request(line),
        }

    def _request(self, line: Line) -> str:
        time, request = self._requests.get(line.pid, ("", ""))
        if not time or line.level < GROUPED:
            return ""
        soon = seconds_between(line.time, time) <= REQUEST_SECONDS
        return request if soon else ""

    def told(self) -> list[dict]:
        """Return the newest groups as they are told."""
        left, rows = LONGEST_TOTAL, []
        for group in [*self.found.values()][: self.limit]:
            row = _row(group)
            if "traceback" in row:
                left -= len(row["traceback"])
                if left < 0:
                    row["traceback"] = "left out: ask for this one alone with text."
            rows.append(row)
        return rows


def _row(group: dict) -> dict:
    line: Line = group["line"]
    traceback = line.traceback()
    row = {"last" if group["count"] > 1 else "time": iso(line.time)}
    if group["count"] > 1:
        row |= {"first": iso(group["first"]), "count": group["count"]}
    row |= {"level": LEVELS[line.level].lower(), "logger": line.logger}
    row["database"] = ", ".join(sorted(group["databases"]))
    if traceback:
        row |= {"error": raised(traceback), "place": place(traceback)}
    row["message"] = line.message.strip()
    row["request"] = group["request"]
    if len(line.lines) > 1:
        name = "traceback" if traceback else "text"
        row[name] = shortened(line.rest(), LONGEST_TRACEBACK)
    return {name: _shown(name, value) for name, value in row.items() if value}


def _shown(name: str, value):
    if not isinstance(value, str):
        return value
    most = LONGEST_TRACEBACK * 2 if name in ("traceback", "text") else LONGEST_MESSAGE
    return redact_text(value[:most] + ("…" if len(value) > most else ""))
