from . import (
    mcp_api_key_generate,
    mcp_api_key_show,
    mcp_audit_log_export,
    mcp_audit_log_verify,
    mcp_client_connect,
)
