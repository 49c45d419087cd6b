"""The life of a call: who, which, how often, what happened.

Knows records, not HTTP. Every transaction is its own: admission is committed before
the tool runs, so that a call that takes the server down has left its trace; the tool
runs in a second one, as the caller, once; a third closes the entry.
"""

import json
import logging
import time
from dataclasses import replace

from psycopg2 import DatabaseError

from odoo import api
from odoo.exceptions import UserError

from .call_watcher import watching
from .caller import Admitted, Call, Caller, Credentials, Feature, Outcome
from .exceptions import (
    ArgumentError,
    Cancelled,
    LimitReached,
    Lost,
    Refusal,
    ToolError,
)
from .inquiries import Inquiries
from .jobs import Jobs
from .live_call import LiveCall, RecordCall
from .parameters import apply_log_level, asked_time, parameter
from .sql_errors import NO_NUL
from .tool_signature import explain_arguments, signature

_logger = logging.getLogger(__name__)

PEEK_SECONDS = 10

PSYCOPG2_NUL = "cannot contain NUL (0x00) characters"


class Registrar(Inquiries):
    """Lets callers in, runs their tools, and keeps the book."""

    def complete(
        self, credentials: Credentials, uri: str, argument: dict, budget: float | None
    ) -> list[str]:
        """Return proposals for a variable of a resource template.

        :param argument: ``name`` of the variable, and the ``value`` typed so far
        :raise UnknownResource: there is no such template for this caller
        """
        with self._caller(credentials) as (env, caller):
            resources = env["mcp.resource"].with_user(caller.uid)
            feature = resources._completion(uri, caller)
        return self._propose(caller, feature, argument, budget)

    def complete_prompt(
        self, credentials: Credentials, name: str, argument: dict, budget: float | None
    ) -> list[str]:
        """Return proposals for an argument of a prompt.

        :param argument: its ``name``, the ``value`` typed so far, and the other
            arguments as ``context``
        :raise UnknownPrompt: there is no such prompt for this caller
        :raise InvalidArguments: it has no such argument
        """
        with self._caller(credentials) as (env, caller):
            prompts = env["mcp.prompt"].with_user(caller.uid)
            feature = prompts._completion(name, argument["name"], caller)
        return self._propose(caller, feature, argument, budget)

    def _propose(self, caller, feature: Feature, argument: dict, budget) -> list[str]:
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

    def get_prompt(self, credentials: Credentials, call: Call) -> Outcome:
        """Put one prompt together; ``structured`` has its messages.

        :raise NotAuthenticated, NotAllowed, UnknownPrompt, InvalidArguments: it was
            refused
        """
        return self._live(credentials, call, "mcp.prompt")

    def peek(self, credentials: Credentials, uri: str) -> list | None:
        """Return what a resource is now, to see whether it has changed.

        It is the server that looks, with the caller's rights: no call, so neither
        limited nor in the audit.

        :return: text, object and bytes of it; None: it cannot be read
        """
        with self._caller(credentials) as (env, caller):
            resources = env["mcp.resource"].with_user(caller.uid)
            try:
                feature, arguments = resources._find(
                    Call("resources/read", {"uri": uri}), caller
                )
            except Refusal:
                return None
        try:
            found = _render(
                self._run(caller, feature, arguments, LiveCall(timeout=PEEK_SECONDS))
            )
        except Exception as error:
            _logger.debug("%s: %s", uri, error)
            return None
        return [found.text, found.blob and found.blob.hex()]

    def _live(self, credentials: Credentials, call: Call, model: str) -> Outcome:
        """Let the call in and run it, here or as a job."""
        try:
            admitted = self._admit(credentials, call, model)
        except LimitReached as refusal:
            return Outcome(str(refusal), is_error=True, retry_after=refusal.retry_after)
        live = LiveCall(
            admitted.entry,
            timeout=min(
                filter(None, (admitted.feature.timeout, call.budget)), default=None
            ),
            client=call.waiting,
        )
        live.client.obey(admitted.caller.log_level)
        with watching(live, self.registry.db_name):
            if admitted.patience is None:
                outcome = self.carry_out(admitted, live)
            else:
                outcome = Jobs(self).carry_out(admitted, live)
        mime_type = admitted.feature.described.get("mimeType", "")
        return replace(outcome, mime_type=mime_type)

    def carry_out(
        self, admitted: Admitted, live: LiveCall, job: int | None = None
    ) -> Outcome:
        """Run an admitted call, and close its entry.

        :param job: id of the job that it is, which ends in the same transaction
        """
        started = time.monotonic()
        result = error = None
        try:
            result = self._run(
                admitted.caller, admitted.feature, admitted.arguments, live
            )
            outcome = replace(_render(result), afterwards=tuple(live.afterwards))
        except Exception as exception:
            error = exception
            text = self._explain(error, admitted.feature, admitted.entry)
            outcome = Outcome(text, is_error=True, status=_status(error))
        duration = (time.monotonic() - started) * 1000
        status = outcome.status or ("error" if outcome.is_error else "success")
        _logger.debug("%s: %s in %.0f ms", admitted.feature.name, status, duration)
        live.client.finish()
        with self.transaction() as env:
            if job:
                env["mcp.job"]._end(job, status, outcome)
            else:
                env.cr.execute("SET LOCAL synchronous_commit = off")
            env["mcp.audit.log"]._close(
                admitted.entry,
                status,
                error,
                duration_ms=duration,
                row_count=getattr(result, "row_count", None),
                exit_code=getattr(result, "exit_code", None),
            )
        return outcome

    def _admit(self, credentials: Credentials, call: Call, model: str) -> Admitted:
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
                patience = self._patience(env, feature, arguments, call)
            except Refusal as reason:
                refusal = reason
                audit._refuse(caller, call, refusal)
        if refusal:
            raise refusal
        return Admitted(entry, caller, feature, arguments, patience, call)

    def _patience(self, env, feature: Feature, arguments: dict, call: Call):
        """Return the seconds after which a call goes on as a job.

        :return: None: it cannot, or will have ended before
        """
        method = feature.method and getattr(
            self.registry[feature.model], feature.method
        )
        if not getattr(method, "_mcp_job", False):
            return None
        try:
            parsed = signature(method).parse(arguments)
            if parsed.get("background"):
                return 0
            asked = parameter(env, "command_maximum")
            if "timeout" in signature(method).input_schema["properties"]:
                asked = asked_time(env, parsed.get("timeout"))
        except ArgumentError:
            return None
        patience = parameter(env, "handover_seconds")
        if call.budget:
            # the answer needs a moment of its own
            patience = min(patience, max(0.1, call.budget - 1))
        asked = min(asked, feature.timeout or asked)
        return patience if asked > patience else None

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
                if feature.kind == "mcp.prompt":
                    result = env["mcp.prompt"]._answer(feature, arguments, result)
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
        if not feature.action_id:
            return None
        action = env["ir.actions.server"].sudo().browse(feature.action_id)
        context = action.sudo(False)._get_eval_context(action)
        context["arguments"] = arguments
        context["mcp"] = RecordCall(live)
        with live.stopping(env.cr.connection.cancel):
            try:
                result = action._run_action_code_multi(context)
            except Exception:
                # whatever safe_eval has made of a query that was cancelled
                live.check()
                raise
        live.check()
        return result

    def _explain(self, error: Exception, feature: Feature, entry: int) -> str:
        """Say what went wrong, as far as the caller may know it."""
        if isinstance(error, UserError | Cancelled):
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


def _status(error: Exception) -> str:
    """Return how the audit tells a call that ended so."""
    if isinstance(error, Lost):
        return "lost"
    return "cancelled" if isinstance(error, Cancelled) else "error"


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
