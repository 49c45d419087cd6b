"""The official SDK as it is installed by people, in an environment of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from dev import paths
from dev.odoo_server import OdooServer
from dev.python_env import PythonEnv
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT

OPERATIONS = {"install_module", "upgrade_module", "run_tests", "scaffold_module"}
BUILT_IN = OPERATIONS | {
    *("execute_command", "execute_sql", "get_db_schema", "get_module_info"),
    *("list_modules", "odoo_shell", "query_database", "read_config", "read_file"),
    *("job", "service_status", "write_file", "edit_file", "list_files", "read_logs"),
    *("search_records", "write_records", "check_access", "inspect_model"),
    *("find_definition", "search_code", "inspect_view", "render", "lint_module"),
    *("explain_query", "database_activity"),
}
NAMES = ("Ada of the check", "Grace of the check", "Radia of the check")
SDK_CLIENT = Path(__file__).with_name("sdk_client.py")


def run(
    script: Path, env: PythonEnv, server: OdooServer, key: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    facts = {"MCP_URL": server.url + ENDPOINT, "MCP_KEY": key}
    # A proxy of the environment is never asked for a loopback address.
    facts["NO_PROXY"] = ",".join(
        filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"])
    )
    return subprocess.run(
        [str(env.python), str(script), *arguments],
        env=env.variables(facts),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def people(backend: Backend) -> tuple[str, ...]:
    """Partners with e-mail addresses, the first in the order of ids."""
    with backend.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET email = NULL")
    values = [{"name": name, "email": f"{name[:3]}@example.com"} for name in NAMES]
    backend.execute("res.partner", "create", values)
    return NAMES


def test_check_of_make_run_reads_real_rows_as_both_kinds_of_client(
    server: OdooServer, key: str, client_env: PythonEnv, people: tuple[str, ...]
) -> None:
    script = paths.REPOSITORY / "dev" / "check.py"
    done = run(script, client_env, server, key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 connections succeeded" in done.stdout
    for told in (*BUILT_IN, *people, "2026-07-28", "2025-11-25"):
        assert told in done.stdout
    assert key not in done.stdout


def test_check_fails_with_a_wrong_key(
    server: OdooServer, client_env: PythonEnv
) -> None:
    script = paths.REPOSITORY / "dev" / "check.py"
    done = run(script, client_env, server, "odoo_mcp_wrong")
    assert done.returncode == 1
    assert "0 of 2 connections succeeded" in done.stdout


@pytest.mark.parametrize(
    ("mode", "revision", "introduced"),
    [
        ("auto", "2026-07-28", "odoo_dev_mcp"),
        # told the revision, the SDK asks nothing before the first call
        ("2026-07-28", "2026-07-28", None),
        ("legacy", "2025-11-25", "odoo_dev_mcp"),
    ],
)
def test_sdk_validates_all_that_the_tools_answer(
    mode: str,
    revision: str,
    introduced: str | None,
    either_server: OdooServer,
    key: str,
    client_env: PythonEnv,
) -> None:
    done = run(SDK_CLIENT, client_env, either_server, key, mode)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["revision"] == revision
    assert told["server"] == introduced
    assert set(told["tools"]) >= BUILT_IN
    assert told["results"] == dict.fromkeys(told["results"], False)
    # those two have a database of their own, in test_module_operations.py
    assert set(told["results"]) == BUILT_IN - OPERATIONS
    assert told["resources"] == [
        *("odoo://config", "odoo://guidelines", "odoo://modules", "odoo://system"),
        *("odoo://files/{path}", "odoo://jobs/{job_id}"),
        *("odoo://logs/{service}", "odoo://schema/{table}"),
    ]
    assert "postgresql_version" in told["system"]
    assert told["completed"] == ["res_partner"]
    assert "review_addon" in told["prompts"]
    assert "`base_setup`" in told["prompt"]
    assert told["module"] == ["base_setup"]
    assert told["rows"] == [{"n": 1}, {"n": 2}]
    assert told["refused"]["is_error"] is True
    assert "42601" in told["refused"]["text"]
    assert told["parallel"] == list(range(8))
