INSERT INTO ir_config_parameter (key, value) VALUES
    ('odoo_dev_mcp.listener_enabled', '1'),
    ('odoo_dev_mcp.listener_port', '{listener_port}'),
    ('odoo_dev_mcp.query_rows', '10000'),
    ('odoo_dev_mcp.query_bytes', '10000000');
-- counted all the same
UPDATE mcp_rate_limit SET calls = 100000000;
INSERT INTO res_partner
       (name, complete_name, email, active, type, company_id, commercial_partner_id,
        create_uid, write_uid, create_date, write_date)
SELECT 'Partner ' || n, 'Partner ' || n, 'partner' || n || '@example.com', true,
       'contact', NULL, NULL, 1, 1, now(), now()
  FROM generate_series(1, 10000) n;
UPDATE res_partner SET commercial_partner_id = id WHERE commercial_partner_id IS NULL;
-- two years of a busy server
INSERT INTO mcp_audit_log
       (create_date, user_id, user_login, key_id, key_name, tool, arguments, status,
        error_class, message, row_count, duration_ms, client, address, revision,
        request_id, process)
SELECT now() AT TIME ZONE 'UTC' - (1000000 - n) * interval '63 seconds',
       2, 'admin', (SELECT min(id) FROM mcp_api_key), 'bench',
       (ARRAY['query_database', 'query_database', 'query_database', 'read_file',
              'get_db_schema', 'odoo_shell', 'execute_command', 'write_file'])
           [1 + n % 8],
       '{"query": "SELECT id, name FROM res_partner WHERE id = ' || n || '"}',
       CASE WHEN n % 50 = 0 THEN 'error' WHEN n % 101 = 0 THEN 'refused'
            ELSE 'success' END,
       CASE WHEN n % 50 = 0 THEN 'ToolError' END,
       CASE WHEN n % 50 = 0 THEN 'PostgreSQL: relation does not exist' END,
       n % 1000, 1 + n % 97, 'claude-code 2.1.0', '127.0.0.1', '2025-11-25',
       n::text, 'bench 1 1'
  FROM generate_series(1, 1000000) n;
VACUUM ANALYZE mcp_audit_log;
VACUUM ANALYZE res_partner;
