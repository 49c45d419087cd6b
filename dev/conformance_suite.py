"""The official conformance suite, run against one address, and what it said.

Its own verdicts count: a scenario fails with a failed check, a warning is a SHOULD.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev import console, paths
from dev.console import HarnessError
from dev.node_env import NodeEnv

PACKAGE = "@modelcontextprotocol/conformance"
PRELOAD = Path(__file__).resolve().parent / "node" / "conformance" / "bearer.mjs"

REQUIRED = {"2025-11-25": 30, "2026-07-28": 37}
"""Scenarios that a revision requires: fewer were not run, whatever they said."""

RUN_SECONDS = 300

SCORED = re.compile(r"^[✓✗] (?P<name>\S+): \d+ passed, \d+ failed", re.MULTILINE)
NOT_SCORED = re.compile(r"^  [✓✗] (?P<name>\S+) \(", re.MULTILINE)

# Checks of a scenario, by what they mean for a reader of the report.
WORTH_TELLING = ("FAILURE", "WARNING")


@dataclass(frozen=True)
class Check:
    """One thing that a scenario looked at and was not content with."""

    status: str
    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


@dataclass(frozen=True)
class Scenario:
    """One scenario of a run; ``checks`` are those that failed or warned."""

    name: str
    passed: bool
    scored: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Run:
    """One requirement set against one address.

    ``folder`` holds the suite's own words, with every message that went over the wire.
    """

    place: str
    revision: str
    scenarios: tuple[Scenario, ...]
    folder: Path

    @property
    def scored(self) -> list[Scenario]:
        """What the revision requires."""
        return [scenario for scenario in self.scenarios if scenario.scored]

    @property
    def passed(self) -> int:
        """Count of the required scenarios that passed."""
        return sum(scenario.passed for scenario in self.scored)

    @property
    def whole(self) -> bool:
        """Whether all that the revision requires was run and passed."""
        return self.passed >= max(REQUIRED[self.revision], len(self.scored))

    def forget(self) -> None:
        """Remove the suite's own words."""
        shutil.rmtree(self.folder, ignore_errors=True)


def run(
    env: NodeEnv, place: str, origin: str, path: str, key: str, revision: str
) -> Run:
    """Let the suite judge a server by the requirements of a revision.

    :param place: names the run in the report
    :param origin: of the server, by the name ``localhost``: rebinding takes a name
    :raise HarnessError: the suite came to no verdict
    """
    name = re.sub(r"\W+", "-", f"{place} {revision}")
    folder = paths.made(paths.cache() / "conformance") / name
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(
        [
            *(env.node, f"--import={PRELOAD}", env.package(PACKAGE) / "dist/index.js"),
            *("server", "--url", origin + path),
            *("--requirements", revision, "--output-dir", paths.made(folder)),
        ],
        env=env.variables({"MCP_KEY": key, "MCP_ORIGIN": origin}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    (folder / "suite.log").write_text(done.stdout + done.stderr)
    scenarios = _scenarios(done.stdout, folder)
    if not scenarios:
        raise HarnessError(
            f"the conformance suite came to no verdict on {place}: "
            f"{console.last_words(done.stderr or done.stdout)} (see {folder})"
        )
    return Run(place, revision, scenarios, folder)


def _scenarios(output: str, folder: Path) -> tuple[Scenario, ...]:
    """Read the summary at the end: a line for each, and which were not scored."""
    summary = output.partition("=== SUMMARY ===")[2]
    aside = {found["name"] for found in NOT_SCORED.finditer(summary)}
    return tuple(
        Scenario(
            name=found["name"],
            passed=found[0].startswith("✓"),
            scored=found["name"] not in aside,
            checks=_checks(folder, found["name"]),
        )
        for found in SCORED.finditer(summary)
    )


def _checks(folder: Path, scenario: str) -> tuple[Check, ...]:
    """What the scenario was not content with, once for each message."""
    # <scenario>-<time>: another's name may begin the same way
    written = sorted(folder.glob(f"server-{scenario}-20??-??-??T*/checks.json"))
    found = [row for path in written for row in json.loads(path.read_text())]
    return tuple(
        dict.fromkeys(
            Check(row["status"], row["id"], " ".join(_message(row).split()))
            for row in found
            if row["status"] in WORTH_TELLING
        )
    )


def _message(row: dict) -> str:
    details = row.get("details") or {}
    return row.get("errorMessage") or details.get("message") or ""
