from __future__ import annotations

import time
from typing import TYPE_CHECKING

from odoo import models

from . import forked, shell_code
from .exceptions import ToolError
from .live_call import live
from .parameters import asked_time, let_go, parameter, time_left
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.shell import (
        Background,
        Code,
        DryRun,
        ShellResult,
        ShellTimeout,
    )


class McpToolsetShell(models.AbstractModel):
    """Python with Odoo's environment, in a process that can be stopped."""

    _name = "mcp.toolset.shell"
    _description = "MCP Toolset Shell"

    @tool(types=".schemas.shell", writes=True, job=True, foreign=True)
    def odoo_shell(
        self,
        code: Code,
        timeout: ShellTimeout = None,
        dry_run: DryRun = False,
        background: Background = False,
    ) -> ShellResult:
        """Run Python code; all of it is committed, or nothing.

        :raise ToolError: no process could be started; nothing has run
        """
        from .schemas.shell import ShellResult

        asked = asked_time(self.env, timeout)
        seconds = time_left(self.env, asked)
        started = time.monotonic()
        ended = self._run_code(code, seconds, dry_run)
        duration = round((time.monotonic() - started) * 1000)
        if ended.result:
            return ShellResult(
                output=ended.output, duration_ms=duration, **ended.result
            )
        return ShellResult(
            output=ended.output,
            return_value=None,
            error=self._no_result(ended, seconds, asked),
            duration_ms=duration,
        )

    def _run_code(self, code: str, seconds: float, dry_run: bool) -> forked.Forked:
        database, uid = self.env.cr.dbname, self.env.uid
        context = dict(self.env.context)
        context.pop("mcp_call", None)
        keep = parameter(self.env, "command_output")
        let_go(self.env)

        def work(tell):
            return shell_code.run(tell, database, uid, context, code, dry_run=dry_run)

        try:
            return forked.run(
                work, database, timeout=seconds, keep=keep, call=live(self.env)
            )
        except forked.ForkError as error:
            raise ToolError(f"{error}. Try again.") from error

    @staticmethod
    def _no_result(ended: forked.Forked, seconds: float, asked: float) -> str:
        """Say why the code told nothing."""
        nothing = "Nothing was committed."
        if ended.committed:
            nothing = "All is committed; what runs after a commit was stopped."
        if ended.timed_out and seconds < asked:
            return (
                f"Stopped after {seconds:g} s, the tool's own timeout; {asked:g} s "
                f"were asked for. {nothing}"
            )
        if ended.timed_out:
            return f"Stopped after {seconds:g} s. {nothing} Ask for a longer timeout."
        if ended.status < 0:
            return f"The process was killed by signal {-ended.status}. {nothing}"
        return f"The code ended its process (exit status {ended.status}). {nothing}"
