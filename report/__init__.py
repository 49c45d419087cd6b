from . import (
    mcp_audit_log_report,
    mcp_call_report,
    mcp_dashboard,
    mcp_dashboard_tables,
)
