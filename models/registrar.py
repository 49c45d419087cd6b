"""The life of a call: who, which, how often, what happened.

Knows records, not HTTP. Every transaction is its own: admission is committed before
the tool runs, so that a call that takes the server down has left its trace; the tool
runs in a second one, as the caller, once; a third closes the entry.
"""

import logging
import secrets
import time
from dataclasses import replace
from typing import NamedTuple

import psycopg2

from .action_runner import ActionRunner
from .call_watcher import watching
from .caller import Admitted, Call, Credentials, Feature, Outcome
from .confirmation import confirm
from .exceptions import InputRequired, LimitReached, Refusal, ToolError
from .jobs import Jobs
from .late_ends import Close, owe
from .live_call import LiveCall
from .outcomes import failure, success, with_attached
from .request_state import seal

_logger = logging.getLogger(__name__)

PEEK_SECONDS = 10

NOT_YET = object()


class Attempt(NamedTuple):
    """What came of doing the work of a call.

    :param need: it has questions to its client
    :param duration: milliseconds
    """

    outcome: Outcome
    result: object
    error: Exception | None
    need: InputRequired | None
    duration: float


class Registrar(ActionRunner):
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
            found = success(
                self._run(caller, feature, arguments, LiveCall(timeout=PEEK_SECONDS))
            )
        except Exception as error:
            _logger.debug("%s: %s", uri, error)
            return None
        return [found.text, found.blob and found.blob.hex()]

    def _live(self, credentials: Credentials, call: Call, model: str) -> Outcome:
        """Let the call in and run it, here or as a job."""
        with self.kept():
            return self._live_on(credentials, call, model)

    def _live_on(self, credentials: Credentials, call: Call, model: str) -> Outcome:
        try:
            admitted = self._admit(credentials, call, model)
        except LimitReached as refusal:
            return Outcome(str(refusal), is_error=True, retry_after=refusal.retry_after)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            # nobody can tell whether its entry was committed
            owe(self.registry.db_name)
            raise
        live = LiveCall(
            admitted.entry,
            timeout=min(
                filter(None, (admitted.feature.timeout, call.budget)), default=None
            ),
            client=call.waiting,
        )
        live.asking = admitted.asking
        live.client.obey(admitted.caller.log_level)
        with watching(live, self.registry.db_name):
            outcome = self._unconfirmed(admitted, live) or self._carry(admitted, live)
        if outcome.mime_type:
            return outcome
        mime_type = admitted.feature.described.get("mimeType")
        return replace(outcome, mime_type=mime_type) if mime_type else outcome

    def _carry(self, admitted: Admitted, live: LiveCall) -> Outcome:
        if admitted.patience is None:
            return self.carry_out(admitted, live)
        return Jobs(self).carry_out(admitted, live)

    def _unconfirmed(self, admitted: Admitted, live: LiveCall) -> Outcome | None:
        """Return the outcome of a call that nobody has confirmed, and close its entry.

        :return: None: it may run
        """
        if not admitted.feature.needs_confirmation:
            return None

        def work():
            confirm(admitted, live, self.registry.db_name)
            return NOT_YET

        attempt = self._attempt(admitted, work)
        if attempt.result is NOT_YET:
            return None
        if isinstance(attempt.error, ToolError):
            attempt = attempt._replace(
                outcome=replace(attempt.outcome, status="refused")
            )
        return self._close(admitted, live, attempt)

    def carry_out(
        self, admitted: Admitted, live: LiveCall, job: int | None = None
    ) -> Outcome:
        """Run an admitted call, and close its entry.

        :param job: id of the job that it is, which ends in the same transaction
        """

        def work():
            return self._run(
                admitted.caller, admitted.feature, admitted.arguments, live
            )

        attempt = self._attempt(admitted, work)
        outcome = with_attached(attempt.outcome, live.attached)
        if self._is_foreign(admitted.feature, outcome):
            outcome = replace(outcome, mark=secrets.token_hex(8))
        if live.afterwards and not attempt.error:
            outcome = replace(outcome, afterwards=tuple(live.afterwards))
        return self._close(admitted, live, attempt._replace(outcome=outcome), job)

    def _is_foreign(self, feature: Feature, outcome: Outcome) -> bool:
        """Tell whether others than this server's code have written what is told.

        A method says so itself. The JSON of a record's code is; what its code puts
        into words or blocks of its own is its own.
        """
        if method := self._method(feature):
            return method._mcp_foreign
        return outcome.structured is not None and feature.kind != "mcp.prompt"

    def _attempt(self, admitted: Admitted, work) -> Attempt:
        """Do the work, and tell what came of it."""
        started = time.monotonic()
        result = error = need = None
        try:
            result = work()
            outcome = success(result)
        except InputRequired as required:
            need = required
            outcome = Outcome("", questions=need.questions, status="input_required")
        except Exception as exception:
            error = exception
            outcome = failure(error, admitted.feature, admitted.entry)
        duration = (time.monotonic() - started) * 1000
        return Attempt(outcome, result, error, need, duration)

    def _close(
        self,
        admitted: Admitted,
        live: LiveCall,
        attempt: Attempt,
        job: int | None = None,
    ) -> Outcome:
        """Close the entry of a call that has ended, and return its outcome."""
        outcome = attempt.outcome
        status = outcome.status or ("error" if outcome.is_error else "success")
        name = admitted.feature.name
        _logger.debug("%s: %s in %.0f ms", name, status, attempt.duration)
        live.client.finish()

        def close(env) -> None:
            env["mcp.audit.log"]._close(
                admitted.entry,
                status,
                attempt.error,
                duration_ms=attempt.duration,
                row_count=getattr(attempt.result, "row_count", None),
                exit_code=getattr(attempt.result, "exit_code", None),
                durable=bool(job),
            )

        if job:
            with self.transaction() as env:
                close(env)
                env["mcp.job"]._end(job, status, outcome)
        else:
            self._close_entry(name, close)
        if attempt.need:
            with self.statements() as env:
                state = seal(env, admitted.caller, admitted.call, attempt.need)
            outcome = replace(outcome, state=state)
        return outcome

    def _close_entry(self, name: str, close: Close) -> None:
        """Close an entry now, or as soon as PostgreSQL can be told: the call has ended
        all the same, and its client hears how."""
        try:
            with self.statements() as env:
                close(env)
        except psycopg2.Error as error:
            _logger.warning("the end of %s is told later: %s", name, error)
            owe(self.registry.db_name, close)
