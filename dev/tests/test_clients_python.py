"""Python's clients as people install them, each in an environment of its own."""

from pathlib import Path
from typing import Any

import pytest

from dev.python_env import PythonEnv
from dev.tests import real_clients
from dev.tests.backend import Backend
from dev.tests.real_clients import DRIVERS, REVISIONS, Door

UNKNOWN_KEY = "This key is not known here. Check it for typos."

Sessions = dict[str, dict[str, Any]]


def sessions(
    env: PythonEnv, driver: str, door: Door, key: str, backend: Backend
) -> Sessions:
    variables = env.variables(real_clients.facts(door, key, backend))
    return real_clients.sessions([env.python, DRIVERS / driver], variables)


@pytest.fixture(scope="module")
def sdk(door: Door, key: str, client_env: PythonEnv, asked: Backend) -> Sessions:
    return sessions(client_env, "python_sdk.py", door, key, asked)


@pytest.fixture(scope="module")
def fastmcp(door: Door, key: str, fastmcp_env: PythonEnv, asked: Backend) -> Sessions:
    return sessions(fastmcp_env, "fastmcp_client.py", door, key, asked)


@pytest.mark.parametrize("mode", REVISIONS)
@pytest.mark.parametrize("client_name", ["sdk", "fastmcp"])
def test_client_gets_all_that_it_asks_for(
    client_name: str, mode: str, door: Door, request: pytest.FixtureRequest
) -> None:
    told = request.getfixturevalue(client_name)[mode]
    real_clients.require(told, REVISIONS[mode])
    assert told["wrong_key"] == UNKNOWN_KEY


@pytest.mark.parametrize("mode", REVISIONS)
def test_official_sdk_is_told_of_a_change(mode: str, door: Door, sdk: Sessions) -> None:
    before, *changed = sdk[mode]["titles"]
    assert changed == ([before + "!"] if door.tells_changes else [])


def test_lines_of_the_readme_read_real_rows(
    door: Door, key: str, client_env: PythonEnv, asked: Backend, tmp_path: Path
) -> None:
    script = tmp_path / "readme.py"
    script.write_text(real_clients.snippet("Python", door, key))
    variables = client_env.variables(real_clients.facts(door, key, asked))
    done = real_clients.run([client_env.python, script], variables)
    assert done.returncode == 0, done.stderr
    [counted] = asked.rows("SELECT count(*) FROM res_partner")
    assert f"'rows': [{counted}]" in done.stdout
