-- a copy of a database knows no key of the original
DELETE FROM mcp_api_key;
DELETE FROM ir_config_parameter WHERE key = 'odoo_dev_mcp.anonymous_user_id';
