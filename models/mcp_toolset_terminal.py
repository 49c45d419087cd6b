from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from odoo import models

from . import command
from .exceptions import ArgumentError
from .live_call import live
from .parameters import asked_time, parameter, time_left
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.terminal import (
        Background,
        Command,
        CommandResult,
        CommandTimeout,
        Variables,
        WorkingDirectory,
    )


class McpToolsetTerminal(models.AbstractModel):
    """Commands on the server, with the power of its own account."""

    _name = "mcp.toolset.terminal"
    _description = "MCP Toolset Terminal"

    @tool(types=".schemas.terminal", writes=True, job=True, foreign=True)
    def execute_command(
        self,
        command: Command,
        working_directory: WorkingDirectory = None,
        timeout: CommandTimeout = None,
        env_vars: Variables = None,
        background: Background = False,
    ) -> CommandResult:
        """Run a shell command to its end, or to its timeout.

        :raise ArgumentError: there is nothing to run, or nowhere to run it
        """
        self._check_command(command, working_directory, env_vars or {})
        asked = asked_time(self.env, timeout)
        seconds = time_left(self.env, asked)
        return self._run_command(command, working_directory, env_vars, seconds, asked)

    def _check_command(self, text: str, directory: str | None, added: dict) -> None:
        if not text.strip():
            raise ArgumentError("Argument 'command': expected a command, got nothing.")
        if "\0" in text or any("\0" in part for pair in added.items() for part in pair):
            raise ArgumentError("A command and its environment cannot hold NUL.")
        if wrong := [name for name in added if not name or "=" in name]:
            raise ArgumentError(f"Argument 'env_vars': {wrong[0]!r} is no name.")
        if directory is None:
            return
        if not os.path.isabs(directory):
            raise ArgumentError(
                f"Argument 'working_directory': {directory!r} is not absolute."
            )
        if not os.path.isdir(directory) or not os.access(directory, os.X_OK):
            raise ArgumentError(
                f"Argument 'working_directory': {directory!r} is no directory that the "
                "server may enter. Create it, or leave it out."
            )

    def _run_command(self, text, directory, added, seconds, asked) -> CommandResult:
        from .schemas.terminal import CommandResult

        started = time.monotonic()
        shell = shutil.which("bash") or "/bin/sh"
        ended = command.run(
            [shell, "-c", text],
            timeout=seconds,
            keep=parameter(self.env, "command_output"),
            cwd=directory,
            env=command.harmless_environment(added or {}),
            call=live(self.env),
        )
        result = CommandResult(
            stdout=ended.stdout,
            stderr=ended.stderr,
            exit_code=ended.code,
            timed_out=ended.timed_out,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        if ended.timed_out:
            result.hint = self._timeout_hint(seconds, asked)
        elif ended.error:
            result.hint = (
                f"Not started: {ended.error}. What is too long for a command goes into "
                "a file with write_file."
            )
        return result

    def _timeout_hint(self, seconds: float, asked: float) -> str:
        said = f"Stopped after {seconds:g} s, with all that it had started."
        if seconds < asked:
            return f"{said} {asked:g} s were asked for: the tool's own timeout is less."
        most = parameter(self.env, "command_maximum")
        return f"{said} A timeout of up to {most} s can be asked for."
