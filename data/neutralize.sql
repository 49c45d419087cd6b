-- a copy of a database knows no key of the original
DELETE FROM mcp_api_key;
DELETE FROM ir_config_parameter WHERE key = 'odoo_dev_mcp.anonymous_user_id';
-- and calls no registry
DELETE FROM ir_config_parameter
 WHERE key IN ('odoo_dev_mcp.phone_home_url', 'odoo_dev_mcp.phone_home_secret', 'odoo_dev_mcp.phone_home_state');
-- and logs in nowhere: the role that queries read as is the original's
DELETE FROM ir_config_parameter
 WHERE key IN ('odoo_dev_mcp.reader_role', 'odoo_dev_mcp.reader_password');
-- nor does it go on with what the original does; its process cannot tell the end here
UPDATE mcp_audit_log a
   SET status = 'lost', duration_ms = 0,
       digest = mcp_audit_log_digest(a, 'lost', NULL, NULL, 0, a.row_count, a.exit_code)
 WHERE status = 'open';
UPDATE mcp_job SET state = 'lost', ended_at = now() AT TIME ZONE 'UTC'
 WHERE state IN ('pending', 'running');
