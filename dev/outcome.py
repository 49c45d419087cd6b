"""Counts of a test run, read from what the runners wrote."""

import re
import xml.etree.ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dev import paths

TOTAL = re.compile(
    r"odoo\.tests\.result: (\d+) failed, (\d+) error\(s\) of (\d+) tests"
)
SKIPPED = re.compile(r" INFO \S+ \S+: skipped (.*)$")
LOG_LINE = re.compile(
    r"^\S+ \S+ \d+ (?P<level>[A-Z]+) \S+ (?P<logger>\S+?): (?P<message>.*)$"
)
COMPLAINTS = {"WARNING", "ERROR", "CRITICAL"}

# A line about us names our module, a model of ours, or a file below our folder.
OURS = re.compile(rf"\b{paths.ADDON}\b|\bmcp\.[a-z]+\b")


@dataclass
class Outcome:
    """What one part of the suite came to; ``notes`` are lines for the reader."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.notes + other.notes,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_odoo_log(log: str) -> Outcome:
    """Counts of Odoo's own runner, and complaints about the addon in its log.

    >>> line = "2026-01-01 00:00:00,000 1 INFO db odoo.tests.result: "
    >>> str(of_odoo_log(line + "1 failed, 0 error(s) of 3 tests when loading"))
    '2 passed, 1 failed, 0 skipped'
    """
    skipped = [found[1] for found in map(SKIPPED.search, log.splitlines()) if found]
    outcome = Outcome(
        skipped=len(skipped), notes=[f"skipped {reason}" for reason in skipped]
    )
    for failures, errors, ran in TOTAL.findall(log):
        bad = int(failures) + int(errors)
        outcome.failed += bad
        outcome.passed += int(ran) - bad
    # A class skipped as a whole was not counted as a test that ran.
    ran = [reason for reason in skipped if not reason.startswith("setUpClass")]
    outcome.passed = max(outcome.passed - len(ran), 0)
    complaints = [line for line in _complaints(log) if "odoo.tests.result" not in line]
    outcome.notes += complaints
    if complaints and not outcome.failed:
        outcome.failed += 1
    return outcome


def of_junit(report: Path) -> Outcome:
    """Counts of a pytest report, with the reasons of what was skipped."""
    outcome = Outcome()
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif skipped is not None:
            outcome.skipped += 1
            outcome.notes.append(f"skipped {name} : {skipped.get('message')}")
        else:
            outcome.passed += 1
    return outcome


def _complaints(log: str) -> Iterator[str]:
    """Warnings and errors about the addon; the cache's own path does not count."""
    for line in log.splitlines():
        found = LOG_LINE.match(line)
        if not found or found["level"] not in COMPLAINTS:
            continue
        said = f"{found['logger']}: {found['message']}".replace(str(paths.cache()), "")
        if OURS.search(said):
            yield line
