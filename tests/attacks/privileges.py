"""What whoever holds a key does to hold more: through Odoo's own RPC."""

from typing import NamedTuple

SEALED = (
    *("mcp.tool", "mcp.toolset", "mcp.resource", "mcp.prompt", "mcp.prompt.argument"),
    *("mcp.api.key", "mcp.rate.limit", "mcp.rate.limit.counter", "mcp.audit.log"),
    *("mcp.job", "mcp.job.output", "mcp.metric", "mcp.question", "mcp.subscription"),
)
"""Models that a user and a developer write nothing of."""


class Write(NamedTuple):
    """A call of ``/web/dataset/call_kw`` that writes, on any model.

    ``{id}`` stands for a record of it, ``{values}`` for its values.
    """

    method: str
    args: list
    kwargs: dict = {}


WRITES = [
    Write("create", ["{values}"]),
    Write("create", [["{values}", "{values}"]]),
    Write("name_create", ["forged"]),
    Write("copy", [["{id}"]]),
    Write("write", [["{id}"], "{values}"]),
    Write("web_save", [["{id}"], "{values}"], {"specification": {}}),
    Write("web_save", [[], "{values}"], {"specification": {}}),
    Write("unlink", [["{id}"]]),
    Write("action_archive", [["{id}"]]),
    Write("toggle_active", [["{id}"]]),
    Write("load", [["id", "name"], [["mcp.forged", "forged"]]]),
    Write("update_field_translations", [["{id}"], "name", {"en_US": "forged"}]),
    Write("web_resequence", [["{id}"]], {"specification": {}, "field_name": "id"}),
]

VALUES = {
    "name": "forged",
    "active": False,
    "read_only": False,
    "group_ids": [[5, 0, 0]],
    "calls": 1000000,
    "status": "refused",
    "state": "done",
    "code": "action = 1",
    "read_only_hint": True,
}
"""Those that a model has are written."""


class Rpc(NamedTuple):
    """A call of ``/web/dataset/call_kw`` by a developer who is no administrator."""

    kind: str
    model: str
    method: str
    args: list
    kwargs: dict = {}


DEVELOPER = "odoo_dev_mcp.odoo_dev_mcp_group_developer"

RPC = [
    # Odoo's own, that would give more: {me} is the caller, {group} the developers'
    # group, {action}, {key} and {parameter} records
    Rpc("groups", "res.users", "write", [["{me}"], {"groups_id": [[4, "{group}"]]}]),
    Rpc("groups", "res.users", "write", [["{me}"], {"group_ids": [[4, "{group}"]]}]),
    Rpc("groups", "res.users", "write", [["{me}"], {"in_group_{group}": True}]),
    Rpc("groups", "res.groups", "write", [["{group}"], {"users": [[4, "{me}"]]}]),
    Rpc("groups", "res.groups", "write", [["{group}"], {"user_ids": [[4, "{me}"]]}]),
    Rpc("groups", "res.groups", "write", [["{group}"], {"implied_ids": [[5, 0, 0]]}]),
    Rpc(
        "groups",
        "res.groups",
        "create",
        [{"name": "x", "implied_ids": [[4, "{group}"]]}],
    ),
    Rpc("groups", "res.users", "create", [{"name": "x", "login": "x"}]),
    Rpc(
        "groups",
        "res.users",
        "web_save",
        [["{me}"], {"groups_id": [[4, "{group}"]]}],
        {"specification": {}},
    ),
    Rpc("rules", "ir.rule", "create", [{"name": "x", "model_id": 1}]),
    Rpc("rules", "ir.rule", "search_read", []),
    Rpc("rules", "ir.model.access", "create", [{"name": "x", "model_id": 1}]),
    Rpc("rules", "ir.model.access", "write", [[1], {"perm_write": True}]),
    Rpc("actions", "ir.actions.server", "create", [{"name": "x", "model_id": 1}]),
    Rpc(
        "actions", "ir.actions.server", "write", [["{action}"], {"code": "action = 1"}]
    ),
    Rpc("actions", "ir.actions.server", "run", [["{action}"]]),
    Rpc("actions", "ir.actions.server", "unlink", [["{action}"]]),
    Rpc("actions", "ir.cron", "create", [{"name": "x", "model_id": 1}]),
    Rpc("actions", "base.automation", "create", [{"name": "x", "model_id": 1}]),
    Rpc("actions", "ir.ui.view", "create", [{"name": "x", "arch": "<form/>"}]),
    Rpc("modules", "ir.module.module", "button_immediate_install", [[1]]),
    Rpc("settings", "ir.config_parameter", "search_read", []),
    Rpc("settings", "ir.config_parameter", "get_param", ["database.secret"]),
    Rpc(
        "settings",
        "ir.config_parameter",
        "set_param",
        ["odoo_dev_mcp.anonymous_user_id", "{me}"],
    ),
    Rpc("settings", "ir.config_parameter", "write", [["{parameter}"], {"value": "x"}]),
    Rpc("settings", "res.config.settings", "create", [{}]),
    Rpc("settings", "res.config.settings", "execute", [[]]),
    Rpc("settings", "ir.config_parameter", "_mcp_settings", []),
    Rpc("keys", "mcp.api.key", "_generate", ["{me}", {"name": "x"}]),
    Rpc("keys", "mcp.api.key", "_authenticate", [{}]),
    Rpc("keys", "mcp.api.key", "_holder", ["x"]),
    Rpc("keys", "mcp.api.key", "_set_log_level", [["{key}"], "debug"]),
    Rpc("keys", "mcp.api.key", "read", [["{key}"], ["key_hash"]]),
    Rpc("keys", "mcp.api.key", "search", [[["key_hash", "=like", "a%"]]]),
    Rpc("keys", "mcp.api.key", "read_group", [[], ["key_hash"], ["key_hash"]]),
    Rpc("keys", "mcp.api.key", "export_data", [["{key}"], ["key_hash"]]),
    Rpc("keys", "mcp.api.key", "action_resume", [["{key}"]]),
    Rpc("keys", "mcp.api.key", "action_revoke", [["{key}"]]),
    Rpc("keys", "res.users.apikeys", "search_read", [[], ["key"]]),
    Rpc("keys", "res.users", "search", [[["mcp_api_key_ids.key_hash", "!=", False]]]),
    Rpc("audit", "mcp.audit.log", "_open", [[]]),
    Rpc("audit", "mcp.audit.log", "_close", [1, "success"]),
    Rpc("audit", "mcp.audit.log", "_gc_audit_log", []),
    Rpc("audit", "mcp.audit.log", "_request_cancel", [[1]]),
    Rpc("audit", "mcp.audit.log", "init", [[]]),
    Rpc("jobs", "mcp.job", "_start", [[]]),
    Rpc("jobs", "mcp.job", "_end", [[1], "success", {}]),
    Rpc("limits", "mcp.rate.limit.counter", "search_read", []),
    *(
        Rpc("toolsets", f"mcp.toolset.{model}", method, [], arguments)
        for model, method, arguments in (
            ("database", "query_database", {"query": "SELECT 1"}),
            ("database", "execute_sql", {"statement": "SELECT 1"}),
            ("database", "get_db_schema", {"action": "list_tables"}),
            ("shell", "odoo_shell", {"code": "1"}),
            ("terminal", "execute_command", {"command": "true"}),
            ("filesystem", "read_file", {"path": "/etc/passwd"}),
            ("filesystem", "write_file", {"path": "/tmp/mcp_attack", "content": "x"}),
            ("filesystem", "read_whole_file", {"path": "/etc/passwd"}),
            ("config", "read_config", {}),
            ("modules", "install_module", {"module_name": "base"}),
            ("modules", "upgrade_module", {"module_name": "base"}),
            ("service", "service_status", {}),
            ("jobs", "job", {"action": "list"}),
            ("prompts", "init", {}),
            ("orm", "search_records", {"model": "res.users"}),
            ("orm", "write_records", {"model": "res.users", "operation": "unlink"}),
            ("orm", "tell_access", {"model": "res.users", "operation": "read"}),
            ("code", "inspect_model", {"model": "res.users"}),
            ("code", "search_code", {"pattern": "password"}),
            ("views", "render", {"target": "/web"}),
            ("views", "inspect_view", {"view": "base.view_users_form"}),
            ("tests", "run_tests", {"tags": "/base"}),
            ("quality", "scaffold_module", {"kind": "module", "name": "mcp_attack"}),
            ("filesystem", "edit_file", {"path": "/etc/hosts"}),
            ("filesystem", "list_files", {"path": "/etc"}),
            ("database", "explain_query", {"query": "SELECT 1"}),
            ("database", "database_activity", {}),
            ("service", "read_logs", {}),
        )
    ),
]
"""Each is refused, to a plain MCP user and to a developer."""

WRITING = {
    "execute_sql": {"statement": "UPDATE mcp_victim SET name = 'changed'"},
    "odoo_shell": {"code": "env['res.partner'].create({'name': 'made by a reader'})"},
    "execute_command": {"command": "touch {file}"},
    "write_file": {"path": "{file}", "content": "x"},
    "install_module": {"module_name": "calendar"},
    "upgrade_module": {"module_name": "base"},
    "service_status": {"action": "restart"},
    "job": {"action": "cancel", "job_id": 1},
    "write_records": {
        "model": "res.partner",
        "operation": "create",
        "values": {"name": "made by a reader"},
    },
    "edit_file": {"path": "{file}", "old_text": "x", "new_text": "y"},
    "database_activity": {"cancel": 1},
    "scaffold_module": {"kind": "module", "name": "mcp_made_by_a_reader"},
    "run_tests": {"tags": "/base:TestNothing"},
    "render": {"target": "/web/login", "format": "html"},
    "made_by_code": {},
}
"""What a read-only key calls in vain, by every way to call it."""

READING = {
    "query_database": [
        {"query": "DELETE FROM mcp_victim"},
        {"query": "SELECT mcp_victim_empty()"},
        {"query": "WITH d AS (DELETE FROM mcp_victim RETURNING *) SELECT * FROM d"},
        {"query": "SELECT nextval('mcp_victim_seq')"},
        {"query": "COPY mcp_victim TO '{file}'"},
    ],
    "get_db_schema": [
        {
            "action": "describe_table",
            "table_name": "mcp_victim; DELETE FROM mcp_victim",
        },
        {"action": "list_tables", "schema_name": "x'; DELETE FROM mcp_victim; --"},
        {"action": "list_tables", "search": "x'; DELETE FROM mcp_victim; --"},
        {"action": "list_indexes", "table_name": "mcp_victim' OR '1'='1"},
    ],
    "read_file": [{"path": "{file}"}, {"path": "{file}", "mode": "overwrite"}],
    "list_modules": [{"search": "x'); DELETE FROM mcp_victim; --"}],
    "get_module_info": [{"module_name": "x'; DELETE FROM mcp_victim; --"}],
    "read_config": [{"key": "x"}, {"set": {"admin_passwd": "x"}}],
    "search_records": [
        {
            "model": "res.partner",
            "domain": [["name", "=", "x'; DELETE FROM mcp_victim"]],
        },
        {"model": "res.partner", "order": "id; DELETE FROM mcp_victim"},
    ],
    "check_access": [{"model": "res.partner", "operation": "unlink", "ids": [1]}],
    "inspect_model": [{"model": "res.partner"}, {"model": "x'; DROP TABLE mcp_victim"}],
    "find_definition": [{"name": "base.view_partner_form"}, {"name": "../{file}"}],
    "search_code": [{"pattern": "x'; DELETE FROM mcp_victim", "glob": "../../{file}"}],
    "inspect_view": [
        {
            "view": "base.view_partner_form",
            "candidate": "<form><field name='ref'/></form>",
        },
    ],
    "lint_module": [{"module": "odoo_dev_mcp"}, {"module": "../{file}"}],
    "list_files": [{"path": "/tmp", "pattern": "mcp_none*"}],
    "explain_query": [
        {"query": "DELETE FROM mcp_victim", "analyze": True},
        {"query": "SELECT mcp_victim_empty()", "analyze": True},
    ],
    "read_logs": [{"level": "critical"}],
    "reads_by_code": [{}],
}
"""What it calls and may: nothing is changed by it."""


class Grant(NamedTuple):
    """A step by which a tool would widen what it may.

    :param sql: for execute_sql and for ``cr.execute`` of a record's code
    :param code: for odoo_shell
    """

    kind: str
    sql: str = ""
    code: str = ""


_TOOLS = "env['mcp.tool'].sudo().search([('name', '=', 'list_modules')])"
_KEYS = "env['mcp.api.key'].sudo().search([])"

OWN_GRANTS = [
    Grant(
        "governors",
        "UPDATE res_users SET password = 'x' WHERE login = 'admin'",
        "env.ref('base.user_admin').sudo().password = 'x'",
    ),
    Grant("governors", "UPDATE res_users SET login = 'other' WHERE login = 'admin'"),
    Grant(
        "governors",
        "INSERT INTO res_users_apikeys (name, user_id, scope, key, index) "
        "SELECT 'x', id, NULL, 'x', 'x' FROM res_users WHERE login = 'admin'",
    ),
    Grant(
        "governors",
        "UPDATE ir_model_data d SET res_id = u.res_id FROM ir_model_data u "
        "WHERE d.module = 'base' AND d.name = 'group_system' "
        "AND u.module = 'base' AND u.name = 'group_user'",
    ),
    Grant(
        "tools",
        "UPDATE mcp_tool SET active = NOT active",
        f"{_TOOLS}.write({{'active': False}})",
    ),
    Grant(
        "tools", "UPDATE mcp_tool SET read_only_hint = true WHERE name = 'execute_sql'"
    ),
    Grant("tools", "UPDATE mcp_tool SET needs_confirmation = false, timeout = 9999"),
    Grant("tools", "UPDATE mcp_tool SET rate_limit_id = NULL"),
    Grant("tools", "UPDATE mcp_tool SET name = 'x' WHERE name = 'odoo_shell'"),
    Grant("tools", "DELETE FROM mcp_tool WHERE name = 'list_modules'"),
    Grant("tools", "DELETE FROM mcp_tool_res_groups_rel"),
    Grant(
        "tools",
        "INSERT INTO mcp_tool_res_groups_rel SELECT t.id, g.id "
        "FROM mcp_tool t, res_groups g ON CONFLICT DO NOTHING",
    ),
    Grant(
        "tools", "WITH x AS (UPDATE mcp_tool SET active = false RETURNING 1) TABLE x"
    ),
    Grant(
        "tools",
        "MERGE INTO mcp_tool t USING (SELECT 1) s ON t.name = 'odoo_shell' "
        "WHEN MATCHED THEN UPDATE SET active = false",
    ),
    Grant(
        "tools",
        "DO $$ BEGIN EXECUTE 'UPDATE mcp_' || 'tool SET active = false'; END $$",
    ),
    Grant("tools", "TRUNCATE mcp_tool CASCADE"),
    Grant(
        "tools",
        "ALTER TABLE mcp_tool DISABLE TRIGGER ALL; UPDATE mcp_tool SET active = false",
    ),
    Grant("tools", "ALTER TABLE mcp_tool RENAME TO mcp_tool_x"),
    Grant("tools", "DROP TABLE mcp_tool CASCADE"),
    Grant(
        "tools",
        "SET session_replication_role = replica; UPDATE mcp_tool SET active = false",
    ),
    Grant("tools", code=f"{_TOOLS}.group_ids = [(5, 0, 0)]"),
    Grant("tools", code=f"{_TOOLS}.server_action_id.code = 'action = 1'"),
    Grant("tools", code=f"{_TOOLS}.code = 'action = 1'"),
    Grant("tools", code=f"{_TOOLS}.copy({{'name': 'copied'}})"),
    Grant("tools", code=f"{_TOOLS}.unlink()"),
    Grant("tools", code=f"{_TOOLS}.toolset_id.active = False"),
    Grant(
        "resources",
        "UPDATE mcp_resource SET active = false",
        "env['mcp.resource'].sudo().search([], limit=1).active = False",
    ),
    Grant("resources", "DELETE FROM mcp_resource_res_groups_rel"),
    Grant(
        "prompts",
        "UPDATE mcp_prompt SET active = false",
        "env['mcp.prompt'].sudo().search([], limit=1).active = False",
    ),
    Grant(
        "keys",
        "UPDATE mcp_api_key SET read_only = NOT read_only, narrowed = false, "
        "networks = NULL, expiration_date = NULL, revoked_date = NULL",
    ),
    Grant("keys", "UPDATE mcp_api_key SET user_id = 1"),
    Grant(
        "keys",
        "UPDATE mcp_api_key SET key_hash = repeat('a', 64) WHERE id = "
        "(SELECT min(id) FROM mcp_api_key)",
    ),
    Grant(
        "keys",
        "INSERT INTO mcp_api_key (name, user_id, key_hash, hint) "
        "VALUES ('forged', 2, repeat('b', 64), 'x')",
    ),
    Grant("keys", "DELETE FROM mcp_api_key"),
    Grant(
        "keys",
        "DELETE FROM mcp_api_key_mcp_tool_rel; "
        "DELETE FROM mcp_api_key_mcp_toolset_rel; DELETE FROM mcp_api_key",
    ),
    Grant("keys", code=f"{_KEYS}[:1]._generate(env.user, {{'name': 'forged'}})"),
    Grant("keys", code=f"{_KEYS}._set_log_level('debug')"),
    Grant("keys", code=f"{_KEYS}.action_revoke()"),
    Grant("keys", code='cr.execute("UPDATE mcp_api_key SET read_only = true")'),
    Grant(
        "limits",
        "UPDATE mcp_rate_limit SET calls = 9999999",
        "env['mcp.rate.limit'].sudo().search([]).calls = 9999999",
    ),
    Grant(
        "limits",
        "DELETE FROM mcp_rate_limit",
        "env['mcp.rate.limit'].sudo().search([]).unlink()",
    ),
    Grant("limits", "UPDATE mcp_rate_limit SET active = false, period = 1"),
    Grant(
        "audit", "DELETE FROM mcp_audit_log", "cr.execute('DELETE FROM mcp_audit_log')"
    ),
    Grant("audit", "UPDATE mcp_audit_log SET tool = 'list_modules', arguments = '{}'"),
    Grant(
        "audit", "INSERT INTO mcp_audit_log (tool, status) VALUES ('forged', 'success')"
    ),
    Grant("audit", "TRUNCATE mcp_audit_log CASCADE"),
    Grant(
        "audit", "UPDATE mcp_audit_log SET create_date = create_date - interval '1 y'"
    ),
    Grant("audit", code="env['mcp.audit.log'].sudo().search([], limit=1).unlink()"),
    Grant("audit", code="env['mcp.audit.log'].sudo().search([], limit=1).status = 'x'"),
    Grant(
        "audit",
        code="from odoo import models\n"
        "models.BaseModel.unlink(env['mcp.audit.log'].sudo().search([]))",
    ),
    Grant(
        "audit",
        code="from odoo import models\nmodels.BaseModel.write("
        "env['mcp.audit.log'].sudo().search([], limit=1), {'tool': 'forged'})",
    ),
    Grant(
        "audit",
        code="env['mcp.audit.log'].sudo()._close_lost()\n"
        "cr.execute(\"UPDATE mcp_audit_log SET status = 'lost'\")",
    ),
    Grant("audit", "DROP FUNCTION mcp_audit_log_open CASCADE"),
    Grant(
        "audit",
        "CREATE OR REPLACE FUNCTION mcp_suspended() RETURNS boolean "
        "LANGUAGE sql AS 'SELECT false'",
    ),
]
"""Each is refused, and leaves all of ``mcp_…`` as it was."""
