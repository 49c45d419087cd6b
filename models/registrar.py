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
from dataclasses import replace

from psycopg2 import DatabaseError
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
    STATUS_READY,
)

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError

from .caller import Call, Caller, Credentials, Feature, LiveCall, Outcome
from .exceptions import ArgumentError, LimitReached, Refusal, ToolError
from .parameters import apply_log_level
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
        self, uid: int = SUPERUSER_ID, *, feature: Feature | None = None
    ) -> Iterator[api.Environment]:
        """Open a transaction, committed at the end or rolled back by an exception.

        READ COMMITTED for our own: counters are shared by all servers. For a feature
        Odoo's REPEATABLE READ, and READ ONLY where it says that it only reads.
        """
        with self.registry.cursor() as cr:
            # a transaction that has begun already keeps its mode
            if cr.connection.status == STATUS_READY:
                cr.connection.set_session(
                    isolation_level=ISOLATION_LEVEL_REPEATABLE_READ
                    if feature
                    else ISOLATION_LEVEL_READ_COMMITTED,
                    readonly=bool(feature and feature.read_only),
                )
            yield api.Environment(cr, uid, {})

    def authenticate(self, credentials: Credentials) -> Caller:
        """Return who calls.

        :raise NotAuthenticated, NotAllowed: see ``mcp.api.key``
        """
        with self.transaction() as env:
            return env["mcp.api.key"]._authenticate(credentials)

    def offered(self, credentials: Credentials, model: str) -> list[dict]:
        """Return what the caller may use of ``model``, as MCP describes it, by name.

        :param model: ``mcp.tool`` or ``mcp.resource``
        """
        with self.transaction() as env:
            caller = env["mcp.api.key"]._authenticate(credentials)
            features = env[model].with_user(caller.uid)._permitted(caller)
            return [feature.described for feature in features]

    def complete(
        self, credentials: Credentials, uri: str, argument: dict, budget: float | None
    ) -> list[str]:
        """Return proposals for a variable of a resource template.

        :param argument: ``name`` of the variable, and the ``value`` typed so far
        :raise UnknownResource: there is no such template for this caller
        """
        with self.transaction() as env:
            caller = env["mcp.api.key"]._authenticate(credentials)
            resources = env["mcp.resource"].with_user(caller.uid)
            feature = resources._completion(uri, caller)
        if not feature.action_id:
            return []
        return self._run(caller, feature, argument, LiveCall(timeout=budget)) or []

    def call_tool(self, credentials: Credentials, call: Call) -> Outcome:
        """Run one tool call, at most once.

        :raise NotAuthenticated, NotAllowed, UnknownTool: it was refused
        """
        return self._live(credentials, call, "mcp.tool")

    def read_resource(self, credentials: Credentials, call: Call) -> Outcome:
        """Read one resource.

        :raise NotAuthenticated, NotAllowed, UnknownResource: it was refused
        """
        return self._live(credentials, call, "mcp.resource")

    def _live(self, credentials: Credentials, call: Call, model: str) -> Outcome:
        """Let the call in, run it, and close its entry."""
        try:
            entry, caller, feature, arguments = self._admit(credentials, call, model)
        except LimitReached as refusal:
            return Outcome(str(refusal), is_error=True, retry_after=refusal.retry_after)
        started = time.monotonic()
        live = LiveCall(
            timeout=min(filter(None, (feature.timeout, call.budget)), default=None)
        )
        result = error = None
        try:
            result = self._run(caller, feature, arguments, live)
            outcome = replace(_render(result), afterwards=tuple(live.afterwards))
        except Exception as exception:
            error = exception
            outcome = Outcome(self._explain(error, feature, entry), is_error=True)
        duration = round((time.monotonic() - started) * 1000)
        status = "error" if outcome.is_error else "success"
        _logger.debug("%s: %s in %s ms", call.name, status, duration)
        with self.transaction() as env:
            env.cr.execute("SET LOCAL synchronous_commit = off")
            env["mcp.audit.log"]._close(
                entry,
                status,
                error,
                duration_ms=duration,
                row_count=getattr(result, "row_count", None),
                exit_code=getattr(result, "exit_code", None),
            )
        return replace(outcome, mime_type=feature.described.get("mimeType", ""))

    def _admit(
        self, credentials: Credentials, call: Call, model: str
    ) -> tuple[int, Caller, Feature, dict]:
        """Let the call in and open its audit entry, or refuse it.

        Committed before anything else happens. What cannot be written down does
        not happen: an error here ends the call.
        """
        refusal = None
        with self.transaction() as env:
            apply_log_level(env)
            caller = env["mcp.api.key"]._authenticate(credentials)
            audit = env["mcp.audit.log"]
            try:
                features = env[model].with_user(caller.uid)
                feature, arguments = features._find(call, caller)
                if feature.limit_id:
                    env["mcp.rate.limit"].browse(feature.limit_id)._consume(caller)
                entry = audit._open(caller, call, durable=not feature.read_only)
            except Refusal as reason:
                refusal = reason
                audit._refuse(caller, call, refusal)
        if refusal:
            raise refusal
        return entry, caller, feature, arguments

    def _run(self, caller: Caller, feature: Feature, arguments: dict, live: LiveCall):
        """Run a feature in a transaction of its own, as the caller."""
        arguments = self._arguments(feature, arguments)
        try:
            with self.transaction(caller.uid, feature=feature) as env:
                user = env["res.users"].browse(caller.uid)
                env = env(context=user.context_get())
                if live.timeout:
                    env.cr.execute(
                        "SELECT set_config('statement_timeout', %s, true)",
                        [f"{live.timeout * 1000:.0f}"],
                    )
                result = self._run_action(env, feature, arguments, live)
        except Exception:
            self.registry.reset_changes()
            raise
        self.registry.signal_changes()
        return result

    def _arguments(self, feature: Feature, arguments: dict) -> dict:
        if feature.method:
            method = getattr(self.registry[feature.model], feature.method)
            return signature(method).parse(arguments)
        if faults := explain_arguments(feature.input_schema, arguments):
            raise ArgumentError(faults)
        return arguments

    def _run_action(
        self, env: api.Environment, feature: Feature, arguments: dict, live: LiveCall
    ):
        """Call the method that the action names, or evaluate its code as the caller.

        Not through ``run()``: it wants write access to the model and loses empty
        results. The eval context is the caller's, so nothing runs in sudo.
        """
        if feature.method:
            model = env[feature.model].with_context(mcp_call=live)
            return getattr(model, feature.method)(**arguments)
        action = env["ir.actions.server"].sudo().browse(feature.action_id)
        context = action.sudo(False)._get_eval_context(action)
        context["arguments"] = arguments
        return action._run_action_code_multi(context)

    def _explain(self, error: Exception, feature: Feature, entry: int) -> str:
        """Say what went wrong, as far as the caller may know it."""
        if isinstance(error, UserError):
            return str(error)
        if isinstance(error, ValueError) and PSYCOPG2_NUL in str(error):
            return NO_NUL
        if isinstance(error, DatabaseError) and error.diag.message_primary:
            return f"PostgreSQL: {error.diag.message_primary} ({error.pgcode})"
        _logger.exception("%s failed, audit entry %s", feature.name, entry)
        return (
            f"{feature.name} failed with an internal error. The server's log tells "
            f"more: look for 'audit entry {entry}'."
        )


def _render(result) -> Outcome:
    """Return a result as text and as a JSON object, if it is one.

    The text is the JSON of the object, exactly: clients differ in which of the two
    they show to the model. A result that has ``failed`` is told as an error, whole.
    """
    if isinstance(result, bytes):
        return Outcome("", blob=result)
    failed = bool(getattr(result, "failed", False))
    if hasattr(result, "model_dump"):
        result = result.model_dump(mode="json", exclude_unset=True)
    elif isinstance(result, list | tuple):
        result = {"result": list(result)}
    if not isinstance(result, dict):
        return Outcome("" if result is None else str(result))
    try:
        text = json.dumps(
            result, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ToolError(f"The tool's result is no JSON: {error}") from error
    return Outcome(text, result, is_error=failed)
