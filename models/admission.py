"""Who is let in: the key, the tool, the limit, and the audit entry that says so."""

from .caller import Admitted, Call, Caller, Credentials, Feature
from .exceptions import ArgumentError, Refusal
from .inquiries import AnswerBox, Inquiries
from .parameters import apply_log_level, asked_time, parameter
from .questions import Asking, Nobody, OverStream, Rounds
from .request_state import unseal
from .tool_signature import signature


class Admission(Inquiries):
    """Lets calls in, each with all that is to be known before it runs."""

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
                asking = self._asking(env, caller, feature, call)
                if feature.limit_id:
                    env["mcp.rate.limit"].browse(feature.limit_id)._consume(caller)
                entry = audit._open(caller, call, durable=not feature.read_only)
                patience = self._patience(env, feature, arguments, call)
            except Refusal as reason:
                refusal = reason
                audit._refuse(caller, call, refusal)
        if refusal:
            raise refusal
        return Admitted(entry, caller, feature, arguments, patience, call, asking)

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
