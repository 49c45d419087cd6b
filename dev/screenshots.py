"""``make screenshots``: the pictures of README and description page, taken anew.

A database of its own, with partners and calls that were really made, spread over a week
afterwards; walked in Chromium at the size of a small laptop and of a phone. A complaint
of the browser's console is a failure.
"""

import contextlib
import itertools
import json
import subprocess
import urllib.error
from dataclasses import asdict, dataclass
from pathlib import Path

from dev import browser, console, database, node_env, odoo_source, paths, stack
from dev.console import HarnessError, setting
from dev.mcp_request import ask
from dev.odoo_instance import OdooInstance
from dev.odoo_server import OdooServer

SCRIPT = Path(__file__).with_suffix(".mjs")
FOLDER = paths.REPOSITORY / "static" / "description"
ACTION = "/odoo/action-odoo_dev_mcp."

Steps = list[tuple[str, ...]]


@dataclass(frozen=True)
class Picture:
    """One picture.

    :param path: of the page
    :param steps: what is waited for, clicked and filled in before
    """

    name: str
    path: str
    steps: Steps
    size: str = "desktop"


KEYS_SCRIPT = """
import json
admin = env.ref("base.user_admin")
keys = env["mcp.api.key"]
names = ["Claude Code on my laptop", "Cursor", "Nightly checks"]
narrowed = [{}, {}, {"read_only": True}]
made = [keys._generate(admin, {"name": n, **w}) for n, w in zip(names, narrowed)]
env.ref("odoo_dev_mcp.mcp_rate_limit_queries").period = 600
print("keys:", json.dumps(made))
"""

CLIENTS = ("claude-code", "cursor-vscode", "checks")
PARTNERS = "SELECT id, name, city FROM res_partner ORDER BY id LIMIT 20"
COUNTRIES = "SELECT country_id, count(*) FROM res_partner GROUP BY 1 ORDER BY 2 DESC"
LONG = """
import time
for step in range(1000):
    print("partner", step + 1, flush=True)
    time.sleep(0.2)
"""
CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("query_database", {"query": PARTNERS}),
    ("query_database", {"query": COUNTRIES}),
    ("query_database", {"query": "SELECT * FROM res_partners"}),
    ("get_db_schema", {"action": "describe_table", "table_name": "res.partner"}),
    ("list_modules", {"state": "installed"}),
    ("get_module_info", {"module_name": "contacts"}),
    ("read_config", {}),
    ("odoo_shell", {"code": "env['res.partner'].search_count([])"}),
    ("odoo_shell", {"code": "env['res.partner'].browse(1).nmae"}),
    ("execute_command", {"command": "uname -a"}),
    ("execute_sql", {"statement": "UPDATE res_partner SET ref = id", "dry_run": True}),
    ("service_status", {"action": "status"}),
)
TURNS = 9
"""So often all calls are made, by one client after the other."""

SPREAD = (
    "ALTER TABLE mcp_audit_log DISABLE TRIGGER USER;"
    "UPDATE mcp_audit_log SET create_date = create_date - (id * 7919 % 7) * "
    "interval '1 day' - (id * 104729 % 600) * interval '1 minute' "
    "WHERE status <> 'open';"
    "UPDATE mcp_audit_log a SET digest = mcp_audit_log_digest(a, a.status, "
    "a.error_class, a.message, a.duration_ms, a.row_count, a.exit_code) "
    "WHERE status <> 'open';"
    "ALTER TABLE mcp_audit_log ENABLE TRIGGER USER"
)

TRIED: Steps = [
    (".o_data_row:has-text('query_database') button[name=action_try]", "click"),
    (".modal #mcp_query", "SELECT name, city FROM res_partner ORDER BY id LIMIT 3"),
    (".modal button[type=submit]", "click"),
    (".o_mcp_try_it_result",),
]
FIRST_ROW = (".o_data_row td.o_data_cell", "click")

PICTURES = (
    Picture("dashboard", f"{ACTION}mcp_dashboard_action", [(".o_form_view",)]),
    Picture("tools", f"{ACTION}mcp_tool_action", [(".o_data_row",)]),
    Picture(
        "tools_kanban",
        f"{ACTION}mcp_tool_action",
        [(".o_switch_view.o_kanban", "click"), (".o_kanban_record",)],
    ),
    Picture(
        "tool",
        f"{ACTION}mcp_tool_action",
        [
            (".o_data_row:has-text('query_database') td[name=name]", "click"),
            (".o_field_widget[name=parameters] table",),
        ],
    ),
    Picture(
        "tool_new",
        f"{ACTION}mcp_tool_action",
        [
            (".o_list_button_add", "click"),
            (".o_notebook .nav-link[name=code]", "click"),
            (".ace_line",),
        ],
    ),
    Picture("try_it", f"{ACTION}mcp_tool_action", TRIED),
    Picture("resources", f"{ACTION}mcp_resource_action", [(".o_data_row",)]),
    Picture("prompts", f"{ACTION}mcp_prompt_action", [(".o_data_row",)]),
    Picture("keys", f"{ACTION}mcp_api_key_action", [(".o_data_row",)]),
    Picture(
        "connect", f"{ACTION}mcp_client_connect_action", [(".modal .o_form_view",)]
    ),
    Picture(
        "connected",
        f"{ACTION}mcp_client_connect_action",
        [
            (".modal button[name=generate_key]", "click"),
            (".modal input[type=password]", "admin"),
            (".modal:has(input[type=password]) button.btn-primary", "click"),
            (".modal .o_mcp_first_call",),
        ],
    ),
    Picture("jobs", f"{ACTION}mcp_job_action", [(".o_data_row",)]),
    Picture("job", f"{ACTION}mcp_job_action", [FIRST_ROW, (".o_form_view",)]),
    Picture("audit", f"{ACTION}mcp_audit_log_action", [(".o_data_row",)]),
    Picture("entry", f"{ACTION}mcp_audit_log_action", [FIRST_ROW, (".o_form_view",)]),
    Picture(
        "audit_graph",
        f"{ACTION}mcp_call_report_action",
        [(".o_graph_canvas_container canvas",)],
    ),
    Picture(
        "export", f"{ACTION}mcp_audit_log_export_action", [(".modal .o_form_view",)]
    ),
    Picture(
        "seals",
        f"{ACTION}mcp_audit_seal_action",
        [
            ("button:has-text('Verify Seals')", "click"),
            (".modal button[name=action_verify]", "click"),
            (".modal .alert:visible",),
        ],
    ),
    Picture("limits", f"{ACTION}mcp_rate_limit_action", [(".o_data_row",)]),
    Picture(
        "limit",
        f"{ACTION}mcp_rate_limit_action",
        [
            (".o_data_row:has-text('Queries') td.o_data_cell", "click"),
            (".o_form_view",),
        ],
    ),
    Picture("settings", f"{ACTION}res_config_settings_action", [(".settings",)]),
    Picture(
        "tools_phone", f"{ACTION}mcp_tool_action", [(".o_kanban_record",)], "phone"
    ),
    Picture(
        "dashboard_phone", f"{ACTION}mcp_dashboard_action", [(".o_form_view",)], "phone"
    ),
    Picture(
        "audit_phone",
        f"{ACTION}mcp_audit_log_action",
        [(".o_view_controller",)],
        "phone",
    ),
    Picture(
        "settings_phone",
        f"{ACTION}res_config_settings_action",
        [(".settings",)],
        "phone",
    ),
    Picture(
        "connect_phone",
        f"{ACTION}mcp_client_connect_action",
        [(".modal .o_form_view",)],
        "phone",
    ),
)


def main() -> int:
    """Take all pictures, or those that ``ONLY`` names."""
    program = browser.program()
    if not program:
        raise HarnessError("the pictures need Chromium: install the package chromium")
    own = stack.on(odoo_source.choose(setting("ODOO")))
    env = node_env.environment("screenshots")
    database.sweep(own)
    name = database.temporary_name(own, "screenshots")
    folder = paths.made(Path(setting("FOLDER") or FOLDER))
    try:
        _prepare(own, name)
        with OdooServer(own, name) as server:
            _call(server)
            return _take(env, program, server.url, folder)
    finally:
        database.drop(own, name)
        OdooInstance(own, name).forget()


def _prepare(own: stack.Stack, name: str) -> None:
    console.progress(f"Odoo {own.series}: a database with partners and calls…")
    database.with_addon(own, name)
    OdooInstance(own, name).shell(database.DEMO_SCRIPT.read_text())


def _call(server: OdooServer) -> None:
    """Make the calls that the pictures show, the first of them a job that goes on."""
    keys = json.loads(server.shell(KEYS_SCRIPT).rpartition("keys: ")[2])
    arguments = {"code": LONG, "background": True, "timeout": 600}
    _one(server, keys[0], CLIENTS[0], "odoo_shell", arguments)
    callers = itertools.cycle(zip(keys, CLIENTS, strict=True))
    for _turn, (key, client) in zip(range(TURNS), callers, strict=False):
        for tool, arguments in CALLS:
            _one(server, key, client, tool, arguments)
    server.stack.sql(server.database, SPREAD)


def _one(server: OdooServer, key: str, client: str, tool: str, arguments: dict) -> None:
    params = {"name": tool, "arguments": arguments}
    # a tool that the key may not use is refused: that is one of the pictures, too
    with contextlib.suppress(urllib.error.HTTPError):
        ask(f"{server.url}/mcp/v1", key, "tools/call", params, client=client)


def _take(env: node_env.NodeEnv, program: str, url: str, folder: Path) -> int:
    only = setting("ONLY").split()
    wanted = [asdict(one) for one in PICTURES if not only or one.name in only]
    done = subprocess.run(
        [str(env.node), str(SCRIPT), program, url, str(folder)],
        input=json.dumps(wanted),
        text=True,
        cwd=env.root,
        env=env.variables(),
        check=False,
    )
    console.progress(f"pictures are in {folder}")
    return done.returncode
