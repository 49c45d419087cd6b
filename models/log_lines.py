"""Records of Odoo's log, taken apart as its formatter put them together.

``%(asctime)s %(pid)s %(levelname)s %(dbname)s %(name)s: %(message)s``, in UTC: Odoo
sets the time zone of its process. odoo/netsvc.py, odoo/__init__.py
"""

import os
import re
from datetime import datetime
from typing import NamedTuple

import odoo.addons

from .log_records import LEVELS, Record
from .log_traceback import TRACEBACK, Frame, frames

HEAD = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<pid>\d+) (?P<level>[A-Z]+) "
    r"(?P<database>\S+) (?P<logger>[^\s:]+): (?P<message>.*)"
)
COLOUR = re.compile(r"\x1b\[[\d;]*m")
REQUEST = re.compile(r'"(?P<request>[A-Z]+ \S+) HTTP/[\d.]+" (?P<status>\d{3})')
EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
VARIABLE = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"")
POINTER = re.compile(r"\s*[~^]+\s*")
NO_DATABASE = "?"

ABOVE_ODOO = os.path.dirname(odoo.addons.__path__[0].rpartition("/addons")[0])

NO_PLACE = frozenset(
    {
        *("", "base/models/ir_cron.py", "base/models/ir_http.py"),
        *("http_routing/models/ir_http.py", "website/models/ir_http.py"),
        *("base/controllers/rpc.py", "web/controllers/dataset.py"),
        *("rpc/controllers/json2.py", "rpc/controllers/jsonrpc.py"),
        *("rpc/controllers/xmlrpc.py", "odoo_dev_mcp/models/ir_http.py"),
    }
)
"""What is no addon, and what only hands over: all errors pass through it."""


class Line(NamedTuple):
    """A record of the log.

    :param time: as the log has it, which sorts as text
    :param level: an index of LEVELS
    :param lines: all of it
    """

    time: str
    pid: str
    level: int
    database: str
    logger: str
    message: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    @property
    def request(self) -> str:
        """The request that an access line tells of; empty: it is none."""
        found = self.logger == "werkzeug" and REQUEST.search(self.message)
        return f"{found['request']} {found['status']}" if found else ""

    def rest(self) -> str:
        """Return what follows its first line, without the marks below code that say
        where in the line it was."""
        lines = [line for line in self.lines[1:] if not POINTER.fullmatch(line)]
        return "\n".join(lines)

    def traceback(self) -> list[str]:
        """Return the lines of its last traceback, which is the one that mattered."""
        begins = [n for n, line in enumerate(self.lines) if TRACEBACK in line]
        return list(self.lines[begins[-1] + 1 :]) if begins else []


def parsed(record: Record) -> Line | None:
    """Return a record taken apart; None: it is not in Odoo's form.

    >>> line = "2026-01-02 03:04:05,678 7 ERROR db odoo.http: no"
    >>> parsed(Record((line,)))[:6]
    ('2026-01-02 03:04:05,678', '7', 3, 'db', 'odoo.http', 'no')
    """
    first = record.lines[0]
    if "\x1b" in first:
        first = COLOUR.sub("", first)
    match = HEAD.match(first)
    if not match or match["level"] not in LEVELS:
        return None
    found = match.groupdict()
    found["level"] = LEVELS.index(match["level"])
    return Line(**found, lines=record.lines)


def raised(traceback: list[str]) -> str:
    """Return the line of a traceback that says what was raised.

    >>> raised(['  File "/a.py", line 1, in f', "    x", "KeyError: 'a'", "more"])
    "KeyError: 'a'"
    """
    return next((line for line in traceback if line and not line[0].isspace()), "")


def exception_type(line: str) -> str:
    """Return the type of an exception from the line that says it.

    >>> exception_type("odoo.exceptions.UserError: No"), exception_type("KeyError")
    ('odoo.exceptions.UserError', 'KeyError')
    """
    match = EXCEPTION.match(line)
    return match[0] if match else line


def place(traceback: list[str]) -> str:
    """Return the last place in an addon that a traceback names, else the last of all:
    file from the addon's name on, line and function."""
    found = frames(traceback)
    own = [frame for frame in found if _in_addons(frame.path) not in NO_PLACE]
    if not found:
        return ""
    frame: Frame = (own or found)[-1]
    path = _in_addons(frame.path) or frame.path.removeprefix(f"{ABOVE_ODOO}/")
    return f"{path}:{frame.line} in {frame.function}"


def _in_addons(path: str) -> str:
    """Return a path from its addon's name on; empty: it is in none."""
    for root in odoo.addons.__path__:
        if path.startswith(f"{root}/"):
            return os.path.relpath(path, root)
    return ""


def kind(line: Line) -> tuple:
    """Return what is the same for records of the same error."""
    traceback = line.traceback()
    if traceback:
        where = place(traceback)
        return (line.level, exception_type(raised(traceback)), where)
    return (line.level, line.logger, VARIABLE.sub("?", line.message))


def iso(time: str) -> str:
    """Return the time of a record as ISO 8601 has it.

    >>> iso("2026-01-02 03:04:05,678")
    '2026-01-02T03:04:05Z'
    """
    return f"{time[:10]}T{time[11:19]}Z"


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds between the times of two records."""
    form = "%Y-%m-%d %H:%M:%S,%f"
    passed = datetime.strptime(later, form) - datetime.strptime(earlier, form)
    return passed.total_seconds()
