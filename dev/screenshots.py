"""``make screenshots``: the pictures of README and description page, taken anew.

A database of its own, with partners and calls that were really made, walked in
Chromium at the size of a small laptop and of a phone. A complaint of the browser's
console is a failure.
"""

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from dev import browser, console, database, node_env, odoo_source, paths, stack
from dev.console import HarnessError, setting
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


TRIED: Steps = [
    (".o_data_row:has-text('query_database') button[name=action_try]", "click"),
    (".modal #mcp_query", "SELECT name, city FROM res_partner ORDER BY id LIMIT 3"),
    (".modal button[type=submit]", "click"),
    (".o_mcp_try_it_result",),
]

PICTURES = (
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
    Picture(
        "tools_phone", f"{ACTION}mcp_tool_action", [(".o_kanban_record",)], "phone"
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
            return _take(env, program, server.url, folder)
    finally:
        database.drop(own, name)
        OdooInstance(own, name).forget()


def _prepare(own: stack.Stack, name: str) -> None:
    console.progress(f"Odoo {own.series}: a database with partners and calls…")
    database.demo(own, name)


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
