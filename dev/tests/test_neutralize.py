"""A copy of a database that is neutralized knows no key, no anonymous user, no registry
and no read-only role, and none of the original's jobs goes on in it."""

from collections.abc import Callable

from dev import console
from dev import database as databases
from dev.odoo_instance import LOOPBACK, OdooInstance
from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually

SETTING = ("SELECT value FROM ir_config_parameter WHERE key = 'odoo_dev_mcp.' || %s",)

JOBS = "SELECT state FROM mcp_job"
OPEN = "SELECT id FROM mcp_audit_log WHERE status = 'open'"


def status(server: OdooServer, key: str | None) -> int:
    with McpClient(server.url, key) as client:
        return client.call("tools/list").status


def neutralize(stack: Stack, name: str) -> None:
    instance = OdooInstance(stack, name)
    console.run(
        instance.argv(command=["neutralize"]),
        env=stack.variables(),
        cwd=instance.folder,
        failure="neutralize failed",
    )


def test_neutralized_copy_knows_no_key_no_anonymous_user_no_registry_and_no_job(
    make_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    stack: Stack,
    mark: str,
) -> None:
    original = make_server(database=make_database("original"))
    backend = Backend(original)
    key = backend.key("admin")
    [admin] = backend.execute("res.users", "search", [("login", "=", "admin")])
    backend.parameter("anonymous_user_id", admin)
    backend.parameter("phone_home_secret", "hush")
    backend.parameter("phone_home_url", f"http://{LOOPBACK}:9")
    backend.parameter("reader_role", "original_mcp_reader")
    backend.parameter("reader_password", "hush")
    eventually(lambda: backend.rows(*SETTING, "phone_home_state"), "it calls")
    assert status(original, key) == 200
    assert status(original, None) == 200
    with McpClient(original.url, key) as client:
        client.tool("execute_command", command=f"sleep {mark}", background=True)
    eventually(lambda: backend.rows(JOBS) == [{"state": "running"}], "a job runs")
    original.stop()
    copied = databases.temporary_name(stack, "neutral")
    databases.drop(stack, copied)
    databases.copy(stack, original.database, copied)
    try:
        neutralize(stack, copied)
        with OdooServer(stack, copied) as server:
            assert status(server, key) == 401
            assert status(server, None) == 401
            assert Backend(server).rows("SELECT id FROM mcp_api_key") == []
            for name in (
                *("phone_home_url", "phone_home_secret", "phone_home_state"),
                *("reader_role", "reader_password"),
            ):
                assert Backend(server).rows(*SETTING, name) == []
            assert Backend(server).execute("mcp.tool", "search_count", []) >= 4
            # nobody has looked: its crons are off
            assert Backend(server).rows(JOBS) == [{"state": "lost"}]
            assert Backend(server).rows(OPEN) == []
    finally:
        databases.drop(stack, copied)
        OdooInstance(stack, copied).forget()
