"""One session of the official MCP client; run in the client environment.

Address and key come in MCP_URL and MCP_KEY, the mode as argument; what the client got
is printed as JSON. The SDK itself validates every answer, outputs by their schemas.
"""

import asyncio
import json
import os
import sys
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import PromptReference, ResourceTemplateReference

SECONDS = 60
CALLS = {
    "execute_command": {"command": "echo $0"},
    "execute_sql": {"statement": "DELETE FROM res_partner_category", "dry_run": True},
    "odoo_shell": {"code": "env.user", "dry_run": True},
    "read_config": {},
    "read_file": {"path": __file__, "limit": 3},
    "service_status": {},
    "write_file": {"path": "/tmp/mcp_test_sdk_client", "content": "written"},
    "query_database": {"query": "SELECT n FROM generate_series(1, 2) n"},
    "get_db_schema": {"action": "describe_table", "table_name": "res_partner"},
    "list_modules": {"state": "installed"},
    "get_module_info": {"module_name": "web"},
    "job": {"action": "list"},
    "edit_file": {
        "path": "/tmp/mcp_test_sdk_client",
        "old_text": "written",
        "new_text": "written again",
    },
    "list_files": {"path": "/tmp", "pattern": "mcp_test_sdk_client"},
    "read_logs": {"level": "critical"},
    "search_records": {"model": "res.partner", "fields": ["name"], "limit": 2},
    "write_records": {
        "model": "res.partner.category",
        "operation": "create",
        "values": {"name": "tried"},
        "dry_run": True,
    },
    "check_access": {"model": "res.partner", "operation": "write"},
    "inspect_model": {"model": "res.partner", "name": "email"},
    "find_definition": {"name": "base.view_partner_form"},
    "search_code": {"pattern": '_name = "res.partner"', "module": "base"},
    "inspect_view": {"view": "base.view_partner_form", "node": "email"},
    "render": {"target": "/web/login", "format": "html"},
    "lint_module": {"module": "odoo_dev_mcp"},
    "explain_query": {"query": "SELECT count(*) FROM res_partner"},
    "database_activity": {},
}


async def main(mode: str) -> None:
    """Connect, use every tool, and tell."""
    headers = {"Authorization": f"Bearer {os.environ['MCP_KEY']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
        transport = streamable_http_client(os.environ["MCP_URL"], http_client=http)
        async with Client(transport, mode=mode) as client:
            print(json.dumps(await told(client)))


async def told(client: Client) -> dict[str, Any]:
    """What the client sees."""
    tools = (await client.list_tools()).tools
    results = {name: await client.call_tool(name, CALLS[name]) for name in CALLS}
    refused = await client.call_tool("query_database", {"query": "SELEC 1"})
    parallel = await asyncio.gather(*(number(client, turn) for turn in range(8)))
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    system = await client.read_resource("odoo://system")
    completed = await client.complete(
        ResourceTemplateReference(type="ref/resource", uri="odoo://schema/{table}"),
        {"name": "table", "value": "res_partner"},
    )
    prompts = (await client.list_prompts()).prompts
    prompt = await client.get_prompt("review_addon", {"module": "base_setup"})
    module = await client.complete(
        PromptReference(type="ref/prompt", name="review_addon"),
        {"name": "module", "value": "base_se"},
    )
    return {
        "prompts": [prompt.name for prompt in prompts],
        "prompt": prompt.messages[0].content.text,
        "module": module.completion.values,
        "resources": [
            *(str(resource.uri) for resource in resources),
            *(template.uri_template for template in templates),
        ],
        "system": system.contents[0].text,
        "completed": completed.completion.values[:1],
        "revision": client.protocol_version,
        "server": client.server_info and client.server_info.name,
        "tools": [tool.name for tool in tools],
        "results": {name: result.is_error for name, result in results.items()},
        "rows": results["query_database"].structured_content["rows"],
        "refused": {"is_error": refused.is_error, "text": refused.content[0].text},
        "parallel": parallel,
    }


async def number(client: Client, wanted: int) -> int:
    """The number that the database gives back."""
    query = {"query": "SELECT %s::int AS n", "params": [wanted]}
    result = await client.call_tool("query_database", query)
    return result.structured_content["rows"][0]["n"]


asyncio.run(main(sys.argv[1]))
