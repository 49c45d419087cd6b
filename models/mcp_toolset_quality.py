from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from odoo import models

from . import pylint_run
from .exceptions import ToolError
from .guardrails import guardrails
from .live_call import live
from .module_folder import module_folder
from .module_lint import Finding, ModuleLint
from .parameters import let_go, parameter, time_left
from .scaffold import Scaffold
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.quality import (
        AddonsPath,
        FirstModel,
        Kind,
        Linted,
        LintedModule,
        Scaffolded,
        ScaffoldName,
        ToModule,
    )

MOST_FINDINGS = 60
LONGEST_MESSAGE = 500
SEVERITIES = ("error", "warning", "info")


class McpToolsetQuality(models.AbstractModel):
    """Modules as files: new ones, and what is wrong with them."""

    _name = "mcp.toolset.quality"
    _description = "MCP Toolset Quality"

    @tool(types=".schemas.quality", writes=True)
    def scaffold_module(
        self,
        kind: Kind,
        name: ScaffoldName,
        module: ToModule = None,
        model: FirstModel = None,
        addons_path: AddonsPath = None,
    ) -> Scaffolded:
        """Write a module, or add a model or a test to one.

        :raise ToolError: a file is there already, or it cannot be written
        """
        # it writes files as that tool does
        guardrails().require("write_file", writes=True)
        scaffold = Scaffold(self.env, self.env["mcp.toolset.filesystem"]._reachable)
        if kind == "module":
            return scaffold.module(name, model, addons_path)
        if not module:
            raise ToolError(f"Argument 'module': say to which one the {kind} is added.")
        return getattr(scaffold, kind)(name, module)

    @tool(types=".schemas.quality", foreign=True)
    def lint_module(self, module: LintedModule) -> Linted:
        """Tell what is wrong with a module's files as they are now.

        :raise ToolError: there is no such module
        """
        files = self.env["mcp.toolset.filesystem"]
        folder = Path(files._reachable(str(module_folder(self.env, module))))
        own = ModuleLint(self.env, module, str(folder)).all()
        seconds = time_left(self.env, parameter(self.env, "command_timeout") * 2)
        let_go(self.env)
        found, linter, hint = pylint_run.findings(folder, seconds, live(self.env))
        rows = sorted(
            {*own, *found},
            key=lambda row: (SEVERITIES.index(row.severity), *row),
        )
        linters = ["Odoo's own rules for Python, manifest, XML and CSV"]
        told = {
            "module": module,
            "linters": linters + ([linter] if linter else []),
            "findings": [_told(row, folder) for row in rows[:MOST_FINDINGS]],
        }
        if len(rows) > MOST_FINDINGS:
            told["more"] = len(rows) - MOST_FINDINGS
        if hint:
            told["hint"] = hint
        return told


def _told(row: Finding, folder: Path) -> dict:
    return {
        "at": f"{folder / row.path}:{row.line}",
        "code": row.code,
        "severity": row.severity,
        "message": row.message[:LONGEST_MESSAGE],
    }
