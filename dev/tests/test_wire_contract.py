"""Clients of 1.0 find the tools, arguments and result fields that they know."""

from dataclasses import dataclass

import pytest

from dev.tests.client import LEGACY, McpClient


@dataclass(frozen=True)
class Contract:
    """A tool as 1.0 had it: what it takes, what is required, what comes back."""

    tool: str
    sent: dict
    arguments: set[str]
    required: set[str]
    fields: set[str]


MODULE = {"name", "display_name", "version", "state", "author", "summary"}
COMMAND = {"stdout", "stderr", "exit_code", "timed_out", "duration_ms"}
SERVICE = {"service", "active", "status", "pid", "memory_mb", "uptime", "description"}
CONTRACTS = [
    Contract(
        "execute_command",
        {"command": "true", "timeout": 30, "env_vars": {"A": "b"}},
        {"command", "working_directory", "timeout", "env_vars"},
        {"command"},
        COMMAND,
    ),
    Contract(
        "execute_sql",
        {"statement": "DELETE FROM res_partner WHERE id = %s", "params": [-1]},
        {"statement", "params"},
        {"statement"},
        {"affected_rows", "status_message", "duration_ms"},
    ),
    Contract(
        "read_file",
        {"path": __file__, "encoding": "utf-8", "offset": 1, "limit": 5},
        {"path", "encoding", "offset", "limit"},
        {"path"},
        {"path", "content", "size_bytes", "lines_returned", "total_lines"}
        | {"truncated", "encoding"},
    ),
    Contract(
        "write_file",
        {"path": "/tmp/mcp_test_contract", "content": "x", "mode": "overwrite"},
        {"path", "content", "encoding", "mode", "create_directories"},
        {"path", "content"},
        {"path", "bytes_written", "created"},
    ),
    Contract(
        "odoo_shell",
        {"code": "1 + 1", "timeout": 30},
        {"code", "timeout"},
        {"code"},
        {"output", "return_value", "error", "duration_ms"},
    ),
    Contract(
        "service_status",
        {"service": "odoo", "action": "status"},
        {"service", "action", "log_lines"},
        set(),
        SERVICE,
    ),
    Contract(
        "service_status",
        {"action": "logs", "log_lines": 5},
        {"service", "action", "log_lines"},
        set(),
        {"service", "source", "log_lines", "line_count"},
    ),
    Contract(
        "read_config",
        {},
        {"key"},
        set(),
        {"config_path", "values"},
    ),
    Contract(
        "read_config",
        {"key": "workers"},
        {"key"},
        set(),
        {"config_path", "key", "value"},
    ),
    Contract(
        "query_database",
        {"query": "SELECT 1 AS n"},
        {"query", "params", "limit"},
        {"query"},
        {"columns", "rows", "row_count", "truncated", "duration_ms"},
    ),
    Contract(
        "get_db_schema",
        {"action": "list_tables"},
        {"action", "table_name", "schema_name"},
        {"action"},
        {"tables"},
    ),
    *(
        Contract(
            "get_db_schema",
            {"action": action, "table_name": "res_partner", "schema_name": "public"},
            {"action", "table_name", "schema_name"},
            {"action"},
            {"table_name", found},
        )
        for action, found in (
            ("describe_table", "columns"),
            ("list_indexes", "indexes"),
            ("list_constraints", "constraints"),
        )
    ),
    Contract(
        "list_modules",
        {"state": "installed", "search": "web", "limit": 5},
        {"state", "search", "limit"},
        set(),
        {"modules", "total_count", "returned_count", "filter_applied"},
    ),
    Contract(
        "get_module_info",
        {"module_name": "web"},
        {"module_name"},
        {"module_name"},
        MODULE
        | {"description", "category", "website", "dependencies", "installed_version"},
    ),
]


@pytest.fixture(
    params=CONTRACTS,
    ids=lambda own: f"{own.tool}-{next(iter(own.sent.values()), None)}",
)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Each promise of 1.0 in turn."""
    return request.param


def test_arguments_of_1_0_are_taken(client: McpClient, contract: Contract) -> None:
    tools = {tool["name"]: tool for tool in client.call("tools/list").result["tools"]}
    schema = tools[contract.tool]["inputSchema"]
    assert set(schema["properties"]) >= contract.arguments
    assert set(schema.get("required", [])) == contract.required


def test_fields_of_1_0_come_back_to_a_client_without_a_handshake(
    client: McpClient, contract: Contract
) -> None:
    params = {"name": contract.tool, "arguments": contract.sent}
    headers = {"MCP-Protocol-Version": None}
    answer = client.call("tools/call", params, revision=LEGACY, headers=headers)
    assert not answer.result.get("isError")
    assert set(answer.result["structuredContent"]) >= contract.fields


def test_modules_of_1_0_have_their_fields(client: McpClient) -> None:
    result = client.tool("list_modules", search="web", limit=1)
    [module] = result["structuredContent"]["modules"]
    assert set(module) >= MODULE


def test_capabilities_of_1_0_are_told(client: McpClient) -> None:
    headers = {"Authorization": f"Bearer {client.key}"}
    answer = client.session.get(
        f"{client.url}/capabilities", headers=headers, timeout=60
    )
    told = answer.json()
    assert set(told) >= {"version", "transport", "tools", "resources"}
    assert {contract.tool for contract in CONTRACTS} <= set(told["tools"])
    assert {"install_module", "upgrade_module"} <= set(told["tools"])
    assert set(told["resources"]) >= {
        *("odoo://config", "odoo://logs/{service}", "odoo://schema/{table}"),
        *("odoo://modules", "odoo://system"),
    }


def test_capabilities_want_a_key(client: McpClient) -> None:
    answer = client.session.get(f"{client.url}/capabilities", timeout=60)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
