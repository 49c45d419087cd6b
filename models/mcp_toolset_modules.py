from __future__ import annotations

import time
from typing import TYPE_CHECKING

from odoo import models

from .. import compat
from .exceptions import ToolError
from .module_operation import Operation
from .nearest import nearest
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.modules import (
        Background,
        ModuleInfo,
        ModuleLimit,
        ModuleList,
        ModuleName,
        ModuleOperation,
        ModuleSearch,
        ModuleState,
    )

LONGEST_DESCRIPTION = 4000


class McpToolsetModules(models.AbstractModel):
    """The modules of this Odoo: what there is, and what is installed."""

    _name = "mcp.toolset.modules"
    _description = "MCP Toolset Modules"

    @tool(types=".schemas.modules")
    def list_modules(
        self,
        state: ModuleState = "all",
        search: ModuleSearch = None,
        limit: ModuleLimit = 100,
    ) -> ModuleList:
        """Return the modules that Odoo knows, by name."""
        from .schemas.modules import ModuleList

        domain = []
        if state != "all":
            domain.append(("state", "=", state.replace("_", " ")))
        if search:
            names = ("name", "shortdesc", "summary")
            domain += ["|", "|"] + [(name, "ilike", search) for name in names]
        # who may call this tool is decided on its record
        modules = self.env["ir.module.module"].sudo()
        found = modules.search(domain, limit=limit, order="name")
        return ModuleList(
            modules=[self._describe(module) for module in found],
            total_count=modules.search_count(domain),
            returned_count=len(found),
            filter_applied=state,
        )

    def _describe(self, module) -> dict:
        """Return what is told of every module.

        ``ir.module.module`` names its versions the other way round: installed_version
        is the manifest's, latest_version the database's.
        """
        return {
            "name": module.name,
            "display_name": module.shortdesc or module.name,
            "version": module.installed_version or None,
            "state": module.state,
            "author": module.author or "",
            "summary": module.summary or "",
        }

    @tool(types=".schemas.modules")
    def get_module_info(self, module_name: ModuleName) -> ModuleInfo:
        """Tell all of one module.

        :raise ToolError: there is no such module; the nearest names
        """
        from .schemas.modules import ModuleInfo

        compat.forget_manifests()
        module = self._find(module_name)
        description = module.description or ""
        return ModuleInfo(
            **self._describe(module),
            installed_version=module.latest_version or None,
            description=description[:LONGEST_DESCRIPTION],
            category=module.category_id.display_name or "",
            website=module.website or "",
            license=module.license or "",
            application=module.application,
            path=compat.module_path(module.name),
            dependencies=[
                {"name": dependency.name, "state": dependency.state}
                for dependency in module.dependencies_id
            ],
            dependents=self._dependents(module),
        )

    @tool(types=".schemas.modules")
    def installed_modules(self) -> ModuleList:
        """Tell all installed modules, for ``odoo://modules``."""
        return self.list_modules("installed", limit=2000)

    @tool(types=".schemas.modules", writes=True, job=True)
    def install_module(
        self, module_name: ModuleName, background: Background = False
    ) -> ModuleOperation:
        """Install a module, with what it depends on, from the files as they are now.

        :raise ToolError: there is no such module, or it cannot be installed
        """
        return self._operate(module_name, "install")

    @tool(types=".schemas.modules", writes=True, job=True)
    def upgrade_module(
        self, module_name: ModuleName, background: Background = False
    ) -> ModuleOperation:
        """Upgrade an installed module and what depends on it.

        :raise ToolError: it is not installed
        """
        return self._operate(module_name, "upgrade")

    def _operate(self, name: str, verb: str) -> ModuleOperation:
        from .schemas.modules import ModuleOperation

        started = time.monotonic()
        if not compat.module_path(name):
            self._find(name)
        told = Operation(self.env, name, verb).perform()
        duration = round((time.monotonic() - started) * 1000)
        return ModuleOperation(**told, duration_ms=duration)

    def _dependents(self, module) -> list[str]:
        dependencies = self.env["ir.module.module.dependency"].sudo()
        rows = dependencies.search([("name", "=", module.name)])
        return sorted(
            row.module_id.name for row in rows if row.module_id.state == "installed"
        )

    def _find(self, name: str):
        modules = self.env["ir.module.module"].sudo()
        module = modules.search([("name", "=", name)])
        if not module:
            names = [known for (known,) in modules._read_group([], ["name"])]
            raise ToolError(
                f"There is no module {name!r}."
                + nearest(name, names, "See list_modules.")
                + " A new one is a folder with __manifest__.py and __init__.py in one "
                "of the addons paths, which odoo://system tells; install_module finds "
                "it."
            )
        return module
