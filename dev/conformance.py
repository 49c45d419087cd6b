"""``make conformance``: the official suite at both doors, on every series present."""

import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dev import console, database, node_env, odoo_source, stack, tool_tokens
from dev.conformance_suite import REQUIRED, Run, Scenario, run
from dev.console import HarnessError, setting
from dev.node_env import NodeEnv
from dev.odoo_instance import LOOPBACK, OdooInstance, free_port
from dev.odoo_server import OdooServer
from dev.stack import Stack

ENDPOINT = "/mcp/v1"
LISTENER_SECONDS = 60
POLL_SECONDS = 0.2

KEY_SCRIPT = """
admin = env.ref("base.user_admin")
print("secret:", env["mcp.api.key"]._generate(admin, {"name": "conformance"}))
"""
DATA_SCRIPT = Path(__file__).with_name("conformance_data.py")

LISTENER = (
    "INSERT INTO ir_config_parameter (key, value) VALUES "
    "('odoo_dev_mcp.listener_enabled', '1'), ('odoo_dev_mcp.listener_port', '{port}')"
)

TASKS = "they want tools of a record's own code as tasks, and jobs are built-in tools'"
LEFT_FAILING = {
    "tasks-lifecycle": TASKS,
    "tasks-capability-negotiation": TASKS,
    "tasks-wire-fields": TASKS,
    "tasks-request-state-removal": TASKS,
    "tasks-mrtr-input": TASKS,
    "tasks-request-headers": TASKS,
    "tasks-dispatch-and-envelope": TASKS,
    "tasks-required-task-error": TASKS,
    "tasks-mrtr-composition": TASKS,
}
"""Why scenarios that no revision requires are left failing."""


@dataclass(frozen=True)
class Verdict:
    """What came of one series: the runs, and the size of the list of tools."""

    series: str
    runs: list[Run]
    tools: int
    tokens: int

    @property
    def good(self) -> bool:
        """Whether all is as it must be."""
        unexplained = [
            scenario
            for one in self.runs
            for scenario in _failing(one, scored=False)
            if scenario.name not in LEFT_FAILING
        ]
        whole = all(one.whole for one in self.runs)
        return whole and not unexplained and self.tokens <= tool_tokens.BUDGET


def main() -> int:
    """Run what can be run, say what cannot, and report; status 1 if anything fails."""
    began = time.monotonic()
    sources, missing = odoo_source.asked_for(setting("ODOO"))
    env = node_env.environment("conformance")
    verdicts = [_on_series(stack.on(source), env) for source in sources.values()]
    _report(verdicts, missing)
    console.progress(f"conformance took {time.monotonic() - began:.0f} s")
    return 0 if verdicts and all(verdict.good for verdict in verdicts) else 1


def _on_series(own: Stack, env: NodeEnv) -> Verdict:
    console.progress(f"Odoo {own.series}: a server with both doors…")
    database.sweep(own)
    name = database.temporary_name(own, "conformance")
    try:
        verdict = _at_doors(own, env, name)
    finally:
        database.drop(own, name)
    if verdict.good:
        OdooInstance(own, name).forget()
        for one in verdict.runs:
            one.forget()
    return verdict


def _at_doors(own: Stack, env: NodeEnv, name: str) -> Verdict:
    database.with_addon(own, name)
    port = free_port()
    own.sql(name, LISTENER.format(port=port))
    with _served(OdooServer(own, name)) as (server, key):
        tools, tokens = tool_tokens.count(env, server.url + ENDPOINT, key)
        server.shell(DATA_SCRIPT.read_text())
        doors = {"Odoo's port": server.port, "listener": port}
        _wait_for(f"http://{LOOPBACK}:{port}{ENDPOINT}/health")
        runs = []
        for door, number in doors.items():
            for revision in REQUIRED:
                place = f"Odoo {own.series}, {door}"
                console.progress(f"{place}: requirements of {revision}…")
                origin = f"http://localhost:{number}"
                runs.append(run(env, place, origin, ENDPOINT, key, revision))
    return Verdict(own.series, runs, tools, tokens)


@contextlib.contextmanager
def _served(server: OdooServer) -> Iterator[tuple[OdooServer, str]]:
    """Start a server, and make a developer key of the administrator meanwhile."""
    with ThreadPoolExecutor() as pool:
        key = pool.submit(_key, server)
        with server:
            yield server, key.result()


def _key(server: OdooServer) -> str:
    instance = OdooInstance(server.stack, server.database)
    lines = instance.shell(KEY_SCRIPT).splitlines()
    secrets = [line.split()[1] for line in lines if line.startswith("secret: ")]
    if not secrets:
        raise HarnessError("the addon gave no key: mcp.api.key._generate printed none")
    return secrets[-1]


def _wait_for(url: str) -> None:
    # A proxy of the environment is never asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + LISTENER_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError):
            opener.open(url, timeout=10).close()
            return
        time.sleep(POLL_SECONDS)
    raise HarnessError(f"the listener does not answer on {url}")


def _report(verdicts: list[Verdict], missing: dict[str, str]) -> None:
    print("\nRequired scenarios that passed")
    for verdict in verdicts:
        for one in verdict.runs:
            count = f"{one.passed}/{max(len(one.scored), REQUIRED[one.revision])}"
            print(f"  {one.place:<24} {one.revision}   {count}")
            _tell(_failing(one, scored=True))
            _warn(one.scored)
            if not one.whole:
                print(f"      the suite's own words: {one.folder}")
    print("\nScenarios that no revision requires")
    for verdict in verdicts:
        for one in verdict.runs:
            _tell_unscored(one)
    print("\nTokens of tools/list as shipped (o200k)")
    for verdict in verdicts:
        size = f"{verdict.tokens:,} of at most {tool_tokens.BUDGET:,}"
        print(f"  Odoo {verdict.series}   {verdict.tools} tools, {size}")
    for series, reason in missing.items():
        print(f"\nOdoo {series}   not run: {reason}")
    print(flush=True)


def _failing(one: Run, *, scored: bool) -> list[Scenario]:
    return [
        scenario
        for scenario in one.scenarios
        if scenario.scored == scored and not scenario.passed
    ]


def _tell(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        print(f"      failed: {scenario.name}")
        for check in scenario.checks:
            print(f"        {check}")


def _warn(scenarios: list[Scenario]) -> None:
    """What should be and is not: the suite lets it pass."""
    for scenario in scenarios:
        if scenario.passed:
            for check in scenario.checks:
                print(f"      warned: {scenario.name}: {check}")


def _tell_unscored(one: Run) -> None:
    unscored = [scenario for scenario in one.scenarios if not scenario.scored]
    passed = [scenario.name for scenario in unscored if scenario.passed]
    print(f"  {one.place:<24} {one.revision}   {len(passed)}/{len(unscored)}")
    print(f"      passed: {', '.join(passed) or 'none'}")
    left: dict[str, list[str]] = {}
    for scenario in _failing(one, scored=False):
        if reason := LEFT_FAILING.get(scenario.name):
            left.setdefault(reason, []).append(scenario.name)
        else:
            _tell([scenario])
    for reason, names in left.items():
        print(f"      left failing, for {reason}: {', '.join(names)}")
