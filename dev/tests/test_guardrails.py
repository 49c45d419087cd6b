"""The configuration file beats every record, and no call changes it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient

READING = {
    "get_db_schema",
    "get_module_info",
    "list_modules",
    "query_database",
    "read_config",
    "read_file",
    "search_records",
    "check_access",
    "inspect_model",
    "find_definition",
    "search_code",
    "inspect_view",
    "lint_module",
    "list_files",
    "explain_query",
    "read_logs",
}


def offered(server: OdooServer, key: str) -> set[str]:
    with McpClient(server.url, key) as client:
        tools = client.call("tools/list").result["tools"]
    return {tool["name"] for tool in tools} & {
        *READING,
        *("execute_command", "execute_sql", "odoo_shell", "write_file"),
        *("service_status", "install_module", "upgrade_module", "write_records"),
        *("edit_file", "run_tests", "scaffold_module", "render", "database_activity"),
    }


@pytest.fixture
def guarded(make_server: Callable[..., OdooServer]) -> Callable[..., OdooServer]:
    """Starts servers with a section of their own in the configuration file."""

    def start(**section: str) -> OdooServer:
        return make_server(sections={"odoo_dev_mcp": section})

    return start


def test_disabled_tool_does_not_exist_whatever_its_record_says(
    guarded: Callable[..., OdooServer], backend: Backend, key: str
) -> None:
    own = guarded(disabled_tools="execute_command, odoo_shell")
    assert not offered(own, key) & {"execute_command", "odoo_shell"}
    assert offered(own, key) >= {"execute_sql", "write_file"}
    with McpClient(own.url, key) as client:
        answer = client.call(
            "tools/call", {"name": "odoo_shell", "arguments": {"code": "1"}}
        )
    assert answer.error["code"] == -32602
    assert "Unknown tool" in answer.error["message"]


def test_disabled_work_stays_disabled_under_another_name(
    guarded: Callable[..., OdooServer], backend: Backend, key: str
) -> None:
    own = guarded(disabled_tools="execute_command")
    model = "env['mcp.toolset.terminal']"
    backend.tool("by_code", f"action = {model}.execute_command('id').stdout")
    rename = "UPDATE mcp_tool SET name = %s WHERE name = %s"
    with McpClient(own.url, key) as client:
        result = client.tool("by_code")
        assert result["isError"] is True
        assert "configuration file forbids" in result["content"][0]["text"]
        client.tool("execute_sql", statement=rename, params=["sh", "execute_command"])
        try:
            answer = client.call(
                "tools/call", {"name": "sh", "arguments": {"command": "id"}}
            )
            assert answer.error["code"] == -32602
        finally:
            client.tool(
                "execute_sql", statement=rename, params=["execute_command", "sh"]
            )


def test_read_only_server_offers_what_changes_nothing(
    guarded: Callable[..., OdooServer], key: str
) -> None:
    assert offered(guarded(read_only="yes"), key) == READING


def test_path_roots_hold_against_the_settings(
    guarded: Callable[..., OdooServer], key: str, tmp_path: Path, backend: Backend
) -> None:
    (tmp_path / "file").write_text("x")
    own = guarded(path_roots=str(tmp_path))
    backend.parameter("path_roots", "/")
    try:
        with McpClient(own.url, key) as client:
            assert not client.tool("read_file", path=f"{tmp_path}/file").get("isError")
            assert client.tool("read_file", path="/etc/passwd")["isError"] is True
    finally:
        backend.parameter("path_roots", False)


@pytest.mark.parametrize(
    "section",
    [
        {"read_only": "perhaps"},
        {"read_only": ""},
        {"path_roots": "relative/path"},
        {"disabled_tool": "odoo_shell"},
    ],
)
def test_what_cannot_be_understood_is_read_as_the_strictest(
    section: dict, guarded: Callable[..., OdooServer], key: str
) -> None:
    own = guarded(**section)
    assert offered(own, key) == READING
    with McpClient(own.url, key) as client:
        assert client.tool("read_file", path="/etc/passwd")["isError"] is True
    assert "tools that change something are off" in own.log()


def test_call_that_changes_the_file_changes_nothing(
    guarded: Callable[..., OdooServer], key: str
) -> None:
    own = guarded(disabled_tools="odoo_shell")
    with McpClient(own.url, key) as client:
        path = str(own.config_path)
        for tool, arguments in (
            ("write_file", {"path": path, "content": "[options]"}),
            ("read_file", {"path": path}),
        ):
            result = client.tool(tool, **arguments)
            assert "read_config" in result["content"][0]["text"]
        # who has commands has the account's own power over the file
        client.tool("execute_command", command=f"sed -i /disabled_tools/d {path}")
        assert "disabled_tools" not in own.config_path.read_text()
        assert "odoo_shell" not in offered(own, key)


def test_section_is_told_by_read_config(
    guarded: Callable[..., OdooServer], key: str
) -> None:
    own = guarded(disabled_tools="odoo_shell")
    with McpClient(own.url, key) as client:
        found = client.tool("read_config")["structuredContent"]
    assert found["file"]["odoo_dev_mcp"] == {"disabled_tools": "odoo_shell"}
    assert found["config_path"] == str(own.config_path)
    assert found["file"]["options"]["admin_passwd"] == "***MASKED***"
    assert found["values"]["admin_passwd"] == "***MASKED***"
    assert found["sources"]["admin_passwd"] == "file"
    assert found["values"]["http_port"] == own.port
