from __future__ import annotations

import os
import platform
import re
from typing import TYPE_CHECKING

from odoo import models, release

from .. import compat
from .access_facts import OPERATIONS, AccessFacts
from .addon_facts import AddonFacts, module_row
from .addon_source import delivered, module_of
from .exceptions import ToolError
from .log_traceback import Frame, newest
from .module_folder import own_addons_paths
from .nearest import no_model
from .record_errors import explained
from .tool_signature import tool
from .upgrade_facts import UpgradeFacts
from .user_named import user_named

if TYPE_CHECKING:
    from .schemas.prompts import Context, Name, Text, Value

MOST_FRAMES = 20


class McpToolsetPrompts(models.AbstractModel):
    """What the built-in prompts know of this Odoo: values of their templates.

    Who may call them is decided on the prompts' records.
    """

    _name = "mcp.toolset.prompts"
    _description = "MCP Toolset Prompts"

    @tool(types=".schemas.prompts")
    def fix_last_error(self, search: Text = "") -> dict:
        """Tell the newest traceback of Odoo's log, and where it passes through.

        :raise ToolError: there is none
        """
        service = self.env["mcp.toolset.service"]
        unit = service._units().get("odoo", "odoo")
        source, pieces = service._log_pieces("odoo", unit)
        found = newest(pieces, search)
        if found is None:
            about = f" with {search!r}" if search else ""
            raise ToolError(f"There is no error{about} at the end of {source}.")
        places = [self._place(frame) for frame in found.frames[-MOST_FRAMES:]]
        names = dict.fromkeys(place["module"] for place in places if place["module"])
        modules = [module_row(self.env, name) for name in names]
        self.env.cr.execute("SHOW server_version")
        return {
            **found._asdict(),
            "source": source,
            "places": places,
            "modules": modules,
            "own": [row["name"] for row in modules if row["origin"] == "own"],
            "odoo": release.version,
            "python": platform.python_version(),
            "postgresql": self.env.cr.fetchone()[0],
        }

    def _place(self, frame: Frame) -> dict:
        module, path = module_of(frame.path) or ("", frame.path)
        where = f"{module}/{path}" if module else path
        return {"module": module, "told": f"{where}:{frame.line} in {frame.function}"}

    @tool(types=".schemas.prompts")
    def review_addon(self, module: Text) -> dict:
        """Tell what there is to review in an addon.

        :raise ToolError: there is no such module, or no folder of it
        """
        record = self.env["mcp.toolset.modules"]._find(module)
        path = compat.module_path(module)
        if not path:
            raise ToolError(f"{module!r} has no folder here: there is no source.")
        return AddonFacts(record, path).told()

    @tool(types=".schemas.prompts")
    def plan_upgrade(self, target: Text) -> dict:
        """Tell what an upgrade to a later series has to carry over.

        :raise ToolError: it is no later series
        """
        match = re.fullmatch(r"(?:saas[-~])?(\d{2})(?:\.\d)?", target.strip())
        if not match or int(match[1]) <= release.version_info[0]:
            raise ToolError(
                f"{target!r} is no series after {release.series}: say e.g. "
                f"{release.version_info[0] + 1}.0."
            )
        major = int(match[1])
        facts = UpgradeFacts(self.env, major).told()
        return {"major": major, "target": f"{major}.0", **facts}

    @tool(types=".schemas.prompts")
    def write_module(self, name: Text, purpose: Text = "", depends: Text = "") -> dict:
        """Tell where a new module is written, and what it builds on.

        :raise ToolError: the name is taken or none, or a dependency does not exist
        """
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,60}", name):
            raise ToolError(
                f"{name!r} is no name of a module: small letters, digits and _."
            )
        if path := compat.module_path(name):
            raise ToolError(f"There is a module {name!r} already: {path}.")
        wanted = [part.strip() for part in depends.split(",") if part.strip()]
        for dependency in wanted:
            self.env["mcp.toolset.modules"]._find(dependency)
        modules = self.env["ir.module.module"].sudo()
        own = modules.search([("state", "=", "installed")]).filtered(
            lambda module: not delivered(compat.module_path(module.name) or "")
        )
        return {
            "paths": self._writable(),
            "depends": [module_row(self.env, dependency) for dependency in wanted],
            "authors": sorted({m.author for m in own if m.author})[:5],
            "licences": sorted({m.license for m in own if m.license})[:5],
            "examples": own.mapped("name")[:10],
        }

    def _writable(self) -> list[dict]:
        """Return the addons paths that write_file reaches, those in use first."""
        found = []
        for path in own_addons_paths(self.env["mcp.toolset.filesystem"]._reachable):
            names = [entry.name for entry in os.scandir(path) if entry.is_dir()]
            found.append({"path": path, "modules": len(names)})
        return sorted(found, key=lambda row: -row["modules"])

    @tool(types=".schemas.prompts")
    def explain_access(
        self, user: Text, model: Text, operation: Text, record: Text = ""
    ) -> dict:
        """Tell all that decides whether a user may do something.

        :raise ToolError: there is no such user, model, operation or record
        """
        found = user_named(self.env, user)
        if model not in self.env or self.env[model]._abstract:
            raise ToolError(no_model(self.env.registry, model))
        if operation not in OPERATIONS:
            raise ToolError(f"{operation!r} is none of {', '.join(OPERATIONS)}.")
        if record and not record.isdecimal():
            raise ToolError(
                f"{record!r} is no id of a record: leave it out, or a number."
            )
        ids = [int(record)] if int(record or 0) else []
        facts = AccessFacts(self.env, found, model, operation, ids)
        with explained(self.env, facts.blame):
            return facts.told()

    def _models(self) -> list[str]:
        registry = self.env.registry
        return sorted(name for name in registry if not registry[name]._abstract)

    @tool(types=".schemas.prompts")
    def complete_module(
        self, name: Name, value: Value, context: Context | None = None
    ) -> list[str]:
        """Return the modules that were meant; of a list the last one."""
        if name not in ("module", "depends"):
            return []
        before, comma, part = value.rpartition(",")
        typed = part.strip()
        begin = f"{before}{comma}" + (" " if comma and part[:1] == " " else "")
        modules = self.env["ir.module.module"].sudo()
        pattern = typed.replace("\\", "\\\\").replace("_", r"\_").replace("%", r"\%")
        found = modules.search(
            [("name", "=like", f"{pattern}%"), ("state", "!=", "uninstallable")],
            order="name",
        )
        # installed ones are meant more often
        ordered = found.sorted(
            lambda module: (module.state != "installed", module.name)
        )
        return [begin + module.name for module in ordered]

    @tool(types=".schemas.prompts")
    def complete_series(
        self, name: Name, value: Value, context: Context | None = None
    ) -> list[str]:
        """Return the series that one can upgrade to."""
        major = release.version_info[0]
        series = [f"{number}.0" for number in (major + 1, major + 2)]
        return [row for row in series if row.startswith(value)]

    @tool(types=".schemas.prompts")
    def complete_access(
        self, name: Name, value: Value, context: Context | None = None
    ) -> list[str]:
        """Return logins, models or operations that begin with what was typed."""
        if name == "user":
            users = self.env["res.users"].sudo()
            domain = [("login", "ilike", value)]
            return users.search(domain, order="login").mapped("login")
        names = {"model": self._models(), "operation": OPERATIONS}.get(name, [])
        return [known for known in names if known.startswith(value)]
