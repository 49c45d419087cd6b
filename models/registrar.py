"""The life of a call: who, which, how often, what happened.

Knows records, not HTTP. Every transaction is its own: admission is committed before
the tool runs, so that a call that takes the server down has left its trace; the tool
runs in a second one, as the caller, once; a third closes the entry.
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import DatabaseError
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
    STATUS_READY,
)

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError

from .caller import Caller, Credentials, ToolCall, ToolOutcome
from .exceptions import ArgumentError, LimitReached, Refusal, ToolError
from .mcp_tool import Tool
from .sql_errors import NO_NUL
from .tool_signature import explain_arguments, signature

_logger = logging.getLogger(__name__)

PSYCOPG2_NUL = "cannot contain NUL (0x00) characters"


class Registrar:
    """Lets callers in, runs their tools, and keeps the book.

    :param registry: the registry of the database that is served
    """

    def __init__(self, registry) -> None:
        self.registry = registry

    @contextmanager
    def transaction(
        self, uid: int = SUPERUSER_ID, *, tool: Tool | None = None
    ) -> Iterator[api.Environment]:
        """Open a transaction, committed at the end or rolled back by an exception.

        READ COMMITTED for our own: counters are shared by all servers. For a tool
        Odoo's REPEATABLE READ, and READ ONLY where the tool says that it only reads.
        """
        with self.registry.cursor() as cr:
            # a transaction that has begun already keeps its mode
            if cr.connection.status == STATUS_READY:
                cr.connection.set_session(
                    isolation_level=ISOLATION_LEVEL_REPEATABLE_READ
                    if tool
                    else ISOLATION_LEVEL_READ_COMMITTED,
                    readonly=bool(tool and tool.read_only),
                )
            yield api.Environment(cr, uid, {})

    def authenticate(self, credentials: Credentials) -> Caller:
        """Return who calls.

        :raise NotAuthenticated, NotAllowed: see ``mcp.api.key``
        """
        with self.transaction() as env:
            return env["mcp.api.key"]._authenticate(credentials)

    def list_tools(self, credentials: Credentials) -> list[dict]:
        """Return the tools that the caller may call, by name, as MCP describes them."""
        with self.transaction() as env:
            caller = env["mcp.api.key"]._authenticate(credentials)
            return env["mcp.tool"].with_user(caller.uid)._offered(caller)

    def call_tool(self, credentials: Credentials, call: ToolCall) -> ToolOutcome:
        """Run one tool call, at most once.

        :raise NotAuthenticated, NotAllowed, UnknownTool: it was refused
        """
        try:
            entry, caller, tool = self._admit(credentials, call)
        except LimitReached as refusal:
            return ToolOutcome(
                str(refusal), is_error=True, retry_after=refusal.retry_after
            )
        started = time.monotonic()
        result = error = None
        try:
            result = self._run(caller, tool, call)
            outcome = ToolOutcome(*_render(result))
        except Exception as exception:
            error = exception
            outcome = ToolOutcome(self._explain(error, tool, entry), is_error=True)
        duration = round((time.monotonic() - started) * 1000)
        with self.transaction() as env:
            env.cr.execute("SET LOCAL synchronous_commit = off")
            env["mcp.audit.log"]._close(
                entry,
                "error" if error else "success",
                error,
                duration_ms=duration,
                row_count=getattr(result, "row_count", None),
                exit_code=getattr(result, "exit_code", None),
            )
        return outcome

    def _admit(
        self, credentials: Credentials, call: ToolCall
    ) -> tuple[int, Caller, Tool]:
        """Let the call in and open its audit entry, or refuse it.

        Committed before anything else happens. What cannot be written down does
        not happen: an error here ends the call.
        """
        refusal = None
        with self.transaction() as env:
            caller = env["mcp.api.key"]._authenticate(credentials)
            audit = env["mcp.audit.log"]
            try:
                tool = env["mcp.tool"].with_user(caller.uid)._find(call.name, caller)
                if tool.limit_id:
                    env["mcp.rate.limit"].browse(tool.limit_id)._consume(caller)
                entry = audit._open(caller, call, durable=not tool.read_only)
            except Refusal as reason:
                refusal = reason
                audit._refuse(caller, call, refusal)
        if refusal:
            raise refusal
        return entry, caller, tool

    def _run(self, caller: Caller, tool: Tool, call: ToolCall):
        """Run the tool in a transaction of its own, as the caller."""
        arguments = self._arguments(tool, call.arguments)
        limits = [limit for limit in (tool.timeout, call.budget) if limit]
        try:
            with self.transaction(caller.uid, tool=tool) as env:
                user = env["res.users"].browse(caller.uid)
                env = env(context=user.context_get())
                if limits:
                    env = env(context={**env.context, "mcp_timeout": min(limits)})
                    env.cr.execute(
                        "SELECT set_config('statement_timeout', %s, true)",
                        [f"{min(limits) * 1000:.0f}"],
                    )
                result = self._run_action(env, tool, arguments)
        except Exception:
            self.registry.reset_changes()
            raise
        self.registry.signal_changes()
        return result

    def _arguments(self, tool: Tool, arguments: dict) -> dict:
        if tool.method:
            method = getattr(self.registry[tool.model], tool.method)
            return signature(method).parse(arguments)
        if faults := explain_arguments(tool.input_schema, arguments):
            raise ArgumentError(faults)
        return arguments

    def _run_action(self, env: api.Environment, tool: Tool, arguments: dict):
        """Call the method that the action names, or evaluate its code as the caller.

        Not through ``run()``: it wants write access to the model and loses empty
        results. The eval context is the caller's, so nothing runs in sudo.
        """
        if tool.method:
            model = env[tool.model].with_context(mcp_call=True)
            return getattr(model, tool.method)(**arguments)
        action = env["ir.actions.server"].sudo().browse(tool.action_id)
        context = action.sudo(False)._get_eval_context(action)
        context["arguments"] = arguments
        return action._run_action_code_multi(context)

    def _explain(self, error: Exception, tool: Tool, entry: int) -> str:
        """Say what went wrong, as far as the caller may know it."""
        if isinstance(error, UserError):
            return str(error)
        if isinstance(error, ValueError) and PSYCOPG2_NUL in str(error):
            return NO_NUL
        if isinstance(error, DatabaseError) and error.diag.message_primary:
            return f"PostgreSQL: {error.diag.message_primary} ({error.pgcode})"
        _logger.exception("tool %s failed, audit entry %s", tool.name, entry)
        return (
            f"{tool.name} failed with an internal error. The server's log tells more: "
            f"look for 'audit entry {entry}'."
        )


def _render(result) -> tuple[str, dict | None]:
    """Return a tool's result as text and as a JSON object, if it is one.

    The text is the JSON of the object, exactly: clients differ in which of the two
    they show to the model.
    """
    if hasattr(result, "model_dump"):
        result = result.model_dump(mode="json", exclude_unset=True)
    elif isinstance(result, list | tuple):
        result = {"result": list(result)}
    if not isinstance(result, dict):
        return "" if result is None else str(result), None
    try:
        text = json.dumps(
            result, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ToolError(f"The tool's result is no JSON: {error}") from error
    return text, result
