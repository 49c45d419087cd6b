-- a copy of a database knows no key of the original
DELETE FROM mcp_api_key;
DELETE FROM ir_config_parameter WHERE key = 'odoo_dev_mcp.anonymous_user_id';
-- and calls no registry
DELETE FROM ir_config_parameter
 WHERE key IN ('odoo_dev_mcp.phone_home_url', 'odoo_dev_mcp.phone_home_secret', 'odoo_dev_mcp.phone_home_state');
-- and logs in nowhere: the role that queries read as is the original's
DELETE FROM ir_config_parameter
 WHERE key IN ('odoo_dev_mcp.reader_role', 'odoo_dev_mcp.reader_password');
