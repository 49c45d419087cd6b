from . import (
    ir_actions_server,
    mcp_api_key,
    mcp_audit_log,
    mcp_catalog_mixin,
    mcp_rate_limit,
    mcp_rate_limit_counter,
    mcp_tool,
    mcp_toolset,
    mcp_toolset_database,
    mcp_toolset_modules,
    res_groups,
    res_users,
)
