"""Runs what a record is bound to, in a transaction of its own, as the caller."""

from contextlib import nullcontext

from odoo import api

from .admission import Admission
from .caller import Caller, Feature
from .exceptions import ArgumentError, InputRequired
from .live_call import LiveCall
from .own_grants import kept_grants
from .record_call import RecordCall
from .tool_signature import explain_arguments, signature


class ActionRunner(Admission):
    """Runs features: the method that an action names, or the action's own code."""

    def _run(self, caller: Caller, feature: Feature, arguments: dict, live: LiveCall):
        """Run a feature in a transaction of its own, as the caller."""
        arguments = self._arguments(feature, arguments)
        try:
            with self.transaction(caller.uid, feature=feature) as env:
                user = env["res.users"].browse(caller.uid)
                context = caller.remember("context", user.context_get)
                if feature.method:
                    context = {**context, "mcp_call": live}
                env = env(context=context)
                timed = getattr(self._method(feature), "_mcp_timed", False)
                if live.timeout and not timed:
                    env.cr.execute(
                        "SELECT set_config('statement_timeout', %s, true)",
                        [f"{live.timeout * 1000:.0f}"],
                    )
                result = self._run_action(env, feature, arguments, live)
                if feature.kind == "mcp.prompt":
                    result = env["mcp.prompt"]._answer(feature, arguments, result)
        except (Exception, InputRequired):
            self.registry.reset_changes()
            raise
        self.registry.signal_changes()
        return result

    def _arguments(self, feature: Feature, arguments: dict) -> dict:
        if method := self._method(feature):
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
            return getattr(env[feature.model], feature.method)(**arguments)
        if not feature.action_id:
            return None
        action = env["ir.actions.server"].sudo().browse(feature.action_id)
        context = action.sudo(False)._get_eval_context(action)
        context["arguments"] = arguments
        context["mcp"] = RecordCall(live)
        grants = nullcontext() if feature.read_only else kept_grants(env)
        with grants, live.stopping(env.cr.connection.cancel):
            try:
                result = action._run_action_code_multi(context)
            except Exception:
                # whatever safe_eval has made of a query that was cancelled
                live.check()
                raise
        live.check()
        return result
