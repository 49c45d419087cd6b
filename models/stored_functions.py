"""Our functions in PostgreSQL: made with their models, and gone with the addon.

What hangs on one, a trigger, goes with it.
"""

NAMES = (
    "mcp_api_key_level",
    "mcp_audit_log_close",
    "mcp_audit_log_digest",
    "mcp_audit_log_open",
    "mcp_audit_refuse",
    "mcp_audit_retire",
    "mcp_audit_seal_hash",
    "mcp_audit_seal_make",
    "mcp_metric_count",
    "mcp_query_open",
    "mcp_rate_limit_count",
    "mcp_signals",
    "mcp_suspended",
)

DROP = """
DO $$
DECLARE found regprocedure;
BEGIN
    FOR found IN SELECT oid FROM pg_proc
                  WHERE proname = %s
                    AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || found || ' CASCADE';
    END LOOP;
END $$
"""


def define(cr, name: str, definition: str) -> None:
    """Make a function, instead of all of its name: with other arguments PostgreSQL
    would keep the one of before beside it."""
    drop(cr, name)
    cr.execute(definition)


def drop(cr, *names: str) -> None:
    """Remove functions, whatever their arguments are."""
    for name in names:
        cr.execute(DROP, [name])
