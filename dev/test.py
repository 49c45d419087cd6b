"""``make test``: Odoo's own runner and pytest from outside, on every series present."""

import os
import subprocess
import time
from pathlib import Path

from dev import browser, console, database, odoo_source, outcome, paths, stack
from dev.console import HarnessError, setting
from dev.odoo_instance import OdooInstance
from dev.outcome import Outcome
from dev.stack import Stack

OUTSIDE_TESTS = paths.REPOSITORY / "dev" / "tests"
NO_TESTS_COLLECTED = 5

# The tests from outside wait for half of their time.
PROCESSES_PER_CORE = 2


def main() -> int:
    """Run what can be run, say what cannot, and close with the counts."""
    sources, missing = odoo_source.asked_for(setting("ODOO"))
    for series, reason in missing.items():
        console.progress(f"Odoo {series} is left out: {reason}")
    if not browser.program():
        console.progress("the tours are left out: install Chromium (package chromium)")
    parts = {
        series: _on_series(stack.on(source), setting("TAGS"))
        for series, source in sources.items()
    }
    total = sum((part for pair in parts.values() for part in pair), Outcome())
    _report(parts, missing)
    print(total, flush=True)
    return 0 if total.passed and not total.failed else 1


def _on_series(own: Stack, tags: str) -> tuple[Outcome, Outcome]:
    console.progress(
        f"Odoo {own.series}: {own.source.root} ({own.source.reason}), "
        f"Python {own.env.python}"
    )
    return _inside(own, tags), _outside(own, tags)


def _inside(own: Stack, tags: str) -> Outcome:
    """Odoo's own runner, on a database of its own that is removed afterwards."""
    database.sweep(own)
    name = database.temporary_name(own, "inside")
    instance = OdooInstance(own, name)
    console.progress(
        f"Odoo {own.series}: tests inside Odoo (log: {instance.log_path})…"
    )
    database.drop(own, name)
    database.copy(own, database.template(own), name)
    began = time.monotonic()
    try:
        status, log = instance.attempt(*_test_arguments(tags))
    finally:
        database.drop(own, name)
    result = outcome.of_odoo_log(log)
    if status and not result.failed:
        result.failed += 1
        result.notes.append(f"Odoo ended badly: {console.log_reason(log)}")
    if not result.failed:
        instance.forget()
    _tell(own, "inside Odoo", result, time.monotonic() - began)
    return result


def _test_arguments(tags: str) -> tuple[str, ...]:
    wanted = tags or f"/{paths.ADDON}"
    return ("-i", paths.ADDON, "--test-enable", "--test-tags", wanted)


def _outside(own: Stack, tags: str) -> Outcome:
    """pytest against servers that it starts; TAGS are Odoo's, so it stands aside."""
    if tags:
        reason = f"tests from outside on Odoo {own.series} are left out: TAGS is given"
        console.progress(reason)
        return Outcome()
    report = paths.made(paths.cache() / "reports") / f"{own.series}-{os.getpid()}.xml"
    console.progress(f"Odoo {own.series}: tests from outside (pytest)…")
    began = time.monotonic()
    done = subprocess.run(
        [
            *(str(own.env.python), "-m", "pytest", str(OUTSIDE_TESTS)),
            *("--quiet", f"--junit-xml={report}", f"--numprocesses={_processes()}"),
        ],
        cwd=paths.REPOSITORY,
        env=own.env.variables({"ODOO_SERIES": own.series}),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    result = _outside_result(report, done.returncode)
    _tell(own, "from outside", result, time.monotonic() - began)
    return result


def _processes() -> str:
    return setting("JOBS", str(PROCESSES_PER_CORE * (os.cpu_count() or 1)))


def _outside_result(report: Path, status: int) -> Outcome:
    if not report.exists():
        raise HarnessError(f"pytest ended with status {status} before any test")
    result = outcome.of_junit(report)
    if status not in (0, NO_TESTS_COLLECTED) and not result.failed:
        result.failed += 1
        result.notes.append(f"pytest ended with status {status}")
    return result


def _tell(own: Stack, kind: str, result: Outcome, seconds: float) -> None:
    for note in result.notes:
        print(f"    {note}")
    console.progress(f"Odoo {own.series}, {kind}: {result} in {seconds:.0f} s")


def _report(parts: dict[str, tuple[Outcome, Outcome]], missing: dict[str, str]) -> None:
    """One line per part, so that nothing left out goes unnoticed."""
    print()
    for series, (inside, outside) in parts.items():
        print(f"Odoo {series}   inside Odoo    {inside}")
        print(f"Odoo {series}   from outside   {outside}")
    for series, reason in missing.items():
        print(f"Odoo {series}   not run: {reason}")
