"""Who is let in: the key, the tool, the limit, and the audit entry that says so."""

from typing import TYPE_CHECKING

from .caller import Admitted, Call, Caller, Credentials, Feature
from .exceptions import ArgumentError, Refusal
from .inquiries import AnswerBox, Inquiries
from .parameters import apply_log_level, asked_time, parameter, settings
from .questions import Asking, Nobody, OverStream, Rounds
from .request_state import unseal
from .tool_signature import signature

if TYPE_CHECKING:
    from .mcp_rate_limit import Rule


class Admission(Inquiries):
    """Lets calls in, each with all that is to be known before it runs."""

    def _admit(self, credentials: Credentials, call: Call, model: str) -> Admitted:
        """Let the call in and open its audit entry, or refuse it.

        Committed before anything else happens. What cannot be written down does
        not happen: an error here ends the call.
        """
        with self.statements() as env:
            keys = env["mcp.api.key"]
            caller = keys._recall(credentials)
            apply_log_level(caller.remember("settings", lambda: settings(env)))
            try:
                features = env[model].with_user(caller.uid)
                feature, arguments = features._find(call, caller)
                asking = self._asking(env, caller, feature, call)
                patience = self._patience(env, feature, arguments, call)
                entry, level = env["mcp.audit.log"]._open(
                    caller,
                    call,
                    rule=self._rule(env, caller, feature),
                    durable=not feature.read_only,
                )
            except Refusal as reason:
                refusal = reason
            except Exception:
                # whoever has no key learns nothing but that
                keys._authenticate(credentials)
                raise
            else:
                caller = caller.at_level(level)
                return Admitted(
                    entry, caller, feature, arguments, patience, call, asking
                )
        with self.transaction() as env:
            caller = env["mcp.api.key"]._authenticate(credentials)
            env["mcp.audit.log"]._refuse(caller, call, refusal)
        raise refusal

    def _rule(self, env, caller: Caller, feature: Feature) -> "Rule | None":
        if not feature.limit_id:
            return None
        rules = env["mcp.rate.limit"]
        name = ("limit", feature.limit_id)
        return caller.remember(name, lambda: rules._rule(feature.limit_id))

    def _asking(self, env, caller: Caller, feature: Feature, call: Call) -> Asking:
        """Return how the call can ask its client.

        :raise InvalidState: it brings answers that nobody has asked for here
        """
        if call.rounds:
            kept, asked = unseal(env, caller, call)
            if asked is None and feature.needs_confirmation:
                # nothing says that a person was asked at all
                asked = []
            return Rounds(call.capabilities, call.answers, kept, asked)
        if call.waiting and call.waiting.listens:
            box = AnswerBox(self, caller)
            return OverStream(call.capabilities, call.waiting, box)
        return Nobody()

    def _method(self, feature: Feature):
        """Return the method that a feature's action names; None: it has other code."""
        if not feature.method:
            return None
        return getattr(self.registry[feature.model], feature.method)

    def _patience(self, env, feature: Feature, arguments: dict, call: Call):
        """Return the seconds after which a call goes on as a job.

        :return: None: it cannot, or will have ended before
        """
        method = self._method(feature)
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
