from __future__ import annotations

from typing import TYPE_CHECKING

from odoo import api, models

from .exceptions import ToolError
from .guardrails import guardrails
from .live_call import live
from .module_folder import module_folder
from .parameters import let_go, parameter, time_left
from .tests_database import connected
from .tests_process import TestRun
from .tests_wanted import Spec, TestFiles, of_modules, parsed
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.tests import (
        Background,
        Coverage,
        Tags,
        TestDatabase,
        TestModules,
        TestsResult,
    )


class McpToolsetTests(models.AbstractModel):
    """Odoo's own tests, on a database that is made for them."""

    _name = "mcp.toolset.tests"
    _description = "MCP Toolset Tests"

    @tool(types=".schemas.tests", writes=True, job=True, foreign=True)
    def run_tests(
        self,
        tags: Tags = None,
        modules: TestModules = None,
        database: TestDatabase = "copy",
        coverage: Coverage = False,
        background: Background = False,
    ) -> TestsResult:
        """Run tests from the files as they are now, on another database.

        :raise ToolError: there is no such module, class or test; or nothing was run
        """
        # it runs what is in modules, as an upgrade does
        guardrails().require("upgrade_module", writes=True)
        specs = of_modules(parsed(tags or ""), modules or [])
        names = self._names(specs, modules or [])
        files = {name: TestFiles(name, module_folder(self.env, name)) for name in names}
        expected = 0
        for spec in specs:
            if spec.sign != "-" and spec.of_module in files:
                files[spec.of_module].require(spec)
                expected += files[spec.of_module].count(spec)
        installed = self._installed(names) if database == "copy" else set()
        run = TestRun(
            source=self.env.cr.dbname,
            tags=",".join(map(str, specs)),
            modules={
                name: str(found.folder.resolve()) for name, found in files.items()
            },
            init=[name for name in names if name not in installed],
            update=[name for name in names if name in installed],
            expected=expected,
            fresh=database == "fresh",
            coverage=coverage,
            seconds=time_left(self.env, parameter(self.env, "command_maximum")),
            call=live(self.env),
        )
        let_go(self.env)
        return run.perform()

    def _names(self, specs: list[Spec], modules: list[str]) -> list[str]:
        """Return the modules that are meant.

        :raise ToolError: none is, or not for each tag
        """
        meant = [spec.of_module for spec in specs if spec.sign != "-"]
        if not meant or not all(meant):
            raise ToolError(
                "Say whose tests: modules=['sale'], or a module in each tag, as in "
                "tags='/sale:TestSale.test_a'."
            )
        return list(dict.fromkeys([*modules, *meant]))

    def _installed(self, names: list[str]) -> set[str]:
        modules = self.env["ir.module.module"].sudo()
        domain = [("name", "in", names), ("state", "in", ("installed", "to upgrade"))]
        return set(modules.search(domain).mapped("name"))

    @api.autovacuum
    def _gc_tests_databases(self):
        """Remove the databases and files that killed processes have left."""
        with connected(self.env.cr.dbname):
            pass
