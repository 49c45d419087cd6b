"""The process that runs Odoo's tests: another Odoo, from the files as they are now."""

import os
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import command, odoo_child, tests_coverage
from .exceptions import ToolError
from .guardrails import SECTION, guardrails
from .live_call import LiveCall
from .tests_database import TestsDatabase, tests_database
from .tests_report import STATS_LOGGER, Reader

KEEP = 20_000
"""Bytes of its log that are kept; all of it is the job's output."""

REPORT_SECONDS = 60

LONGEST_SAID = 2500

NOTHING_RUN = (
    "No test was run with the tags {tags}. Odoo runs methods test_* of classes that "
    "tests/__init__.py imports and whose @tagged fits: without a tag, 'standard' is "
    "meant; a class that is tagged -standard needs its own."
)


TOO_LONG = (
    "stopped after {seconds} s, before the first. The setting for the longest command "
    "allows no more."
)


@dataclass(frozen=True)
class TestRun:
    """Tests that are to be run.

    :param source: name of this server's database
    :param modules: folders of the modules, by name
    :param init: those that are to be installed
    :param update: those that are to be upgraded
    :param expected: how many tests there are, as far as the files say
    :param seconds: that all of it may take
    """

    source: str
    tags: str
    modules: Mapping[str, str]
    init: Sequence[str]
    update: Sequence[str]
    expected: int
    fresh: bool
    coverage: bool
    seconds: float
    call: LiveCall
    began: float = field(default_factory=time.monotonic)

    def perform(self) -> dict:
        """Run them, and return what ``TestsResult`` tells.

        :raise ToolError: there was nothing to run, or it could not be run
        :raise Cancelled: the call was stopped
        """
        if self.coverage:
            tests_coverage.require()
        with tests_database(self.source) as database:
            self.call.progress(0, self.expected, "Making the database")
            if self.fresh:
                database.make_fresh()
            else:
                database.make_copy(self.left(), self.call)
            with tempfile.TemporaryDirectory() as folder:
                return self._run(database, Path(folder))

    def left(self) -> float:
        """Return the seconds that are left."""
        return max(1, self.began + self.seconds - time.monotonic())

    def _run(self, database: TestsDatabase, folder: Path) -> dict:
        reader = Reader(
            self.modules,
            lambda done, test: self.call.progress(done, max(done, self.expected), test),
        )
        self.call.progress(0, self.expected, "Loading the modules")

        def hear(data: bytes) -> None:
            self.call.output(data)
            reader.feed(data)

        data = folder / "coverage"
        # its log and what tests print are one stream
        argv = ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh"]
        ended = command.run(
            [*argv, *self._argv(database, folder, data)],
            timeout=self.left(),
            keep=KEEP,
            env=os.environ,
            call=self.call,
            hear=hear,
        )
        reader.finish()
        found = reader.outcome()
        if ended.timed_out:
            self._require_any(reader, TOO_LONG.format(seconds=f"{self.seconds:g}"))
            found["stopped"] = (
                f"After {self.seconds:g} s, in {reader.current}: the setting for the "
                "longest command allows no more. Run fewer at once."
            )
        elif not found["run"] and not reader.failures:
            last = ended.stdout.strip().rpartition("\n")[2]
            self._require_any(reader, f"Odoo ended with {ended.code}: {last}")
        elif not reader.totals:
            # killed, by want of memory as a rule, or by a test
            where = f" in {reader.current}" if reader.current else ""
            found["stopped"] = f"Odoo ended with {ended.code}{where}."
        if ended.code and not found["failed"] + found["errors"] and reader.complaints:
            found["log"] = complained(reader)
        if self.coverage:
            python = odoo_child.program()[0]
            found["coverage"] = tests_coverage.report(
                python, data, REPORT_SECONDS, self.call
            )
        failed = found["failed"] + found["errors"]
        return {
            "success": not (ended.code or failed or "stopped" in found),
            **found,
            "duration_s": round(time.monotonic() - self.began, 1),
        }

    def _require_any(self, reader: Reader, otherwise: str) -> None:
        """Refuse to tell of no test as if all were well.

        :raise ToolError: the modules were not loaded, or the tags mean no test
        """
        if reader.complaints and not reader.begun:
            place = reader.place(reader.complaints[-1])
            where = f" at {place}" if place else ""
            raise ToolError(
                f"No test was run: Odoo failed to load{where}.\n{complained(reader)}"
            )
        if reader.totals and not reader.begun:
            raise ToolError(NOTHING_RUN.format(tags=self.tags))
        if not reader.begun:
            raise ToolError(f"No test was run: {otherwise}")

    def _argv(self, database: TestsDatabase, folder: Path, data: Path) -> list[str]:
        config = folder / "odoo.conf"
        own = {"data_dir": str(database.folder)}
        # a page of a test may call tools there
        rails = {SECTION: guardrails().options()}
        odoo_child.write_config(str(config), *odoo_child.OPTIONS, options=own, **rails)
        program = odoo_child.program()
        if self.coverage:
            folders = list(self.modules.values())
            program = tests_coverage.measured(program, folders, data)
        chosen = (("--init", self.init), ("--update", self.update))
        return [
            *program,
            *("--config", str(config), "--database", database.name),
            *(f"{option}={','.join(names)}" for option, names in chosen if names),
            *("--test-enable", f"--test-tags={self.tags}", "--stop-after-init"),
            *("--workers=0", "--max-cron-threads=0", "--http-interface=127.0.0.1"),
            *(f"--http-port={free_port()}", f"--log-handler={STATS_LOGGER}:DEBUG"),
        ]


def complained(reader: Reader) -> str:
    """Return what Odoo said when it failed: the traceback once, for all tell it."""
    *before, last = list(reader.complaints)[-3:]
    heads = [text.partition("\n")[0] for text in before]
    return "\n".join([*heads, last[-LONGEST_SAID:]])


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
