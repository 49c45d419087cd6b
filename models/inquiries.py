"""What a caller may ask beside calling: who they are, what there is, how jobs stand."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from odoo import api

from .caller import Call, Caller, Credentials, Outcome
from .exceptions import Refusal
from .jobs import job_outcome
from .parameters import parameter
from .transactions import Transactions


class Inquiries(Transactions):
    """Answers in short transactions of its own; nothing of it is a call."""

    @contextmanager
    def _caller(
        self, credentials: Credentials
    ) -> Iterator[tuple[api.Environment, Caller]]:
        """Open a transaction of our own, and say who calls."""
        with self.transaction() as env:
            yield env, env["mcp.api.key"]._authenticate(credentials)

    def authenticate(self, credentials: Credentials) -> Caller:
        """Return who calls.

        :raise NotAuthenticated, NotAllowed: see ``mcp.api.key``
        """
        with self.statements() as env:
            return env["mcp.api.key"]._authenticate(credentials)

    def offered(self, credentials: Credentials, model: str) -> list[dict]:
        """Return what the caller may use of ``model``, as MCP describes it, by name.

        :param model: ``mcp.tool``, ``mcp.resource`` or ``mcp.prompt``
        """
        with self.statements() as env:
            caller = env["mcp.api.key"]._authenticate(credentials)
            features = env[model].with_user(caller.uid)._permitted(caller)
            return [feature.described for feature in features]

    def cancel(self, credentials: Credentials, call: Call) -> None:
        """Stop the call with this request id, if it is the caller's and runs.

        Nobody is told whether there was one.

        :raise NotAuthenticated, NotAllowed: see ``mcp.api.key``
        """
        with self._caller(credentials) as (env, caller):
            env["mcp.audit.log"]._cancel(caller, call)

    def answer(self, credentials: Credentials, number: object, answer: dict) -> None:
        """Hand a client's answer to the call that has asked for it, wherever it runs.

        Nobody is told whether there is one.

        :param number: the JSON-RPC id of the request that it answers
        :param answer: ``result`` or ``error``
        """
        with self._caller(credentials) as (env, caller):
            env["mcp.question"]._answer(caller, number, answer)

    def set_log_level(self, credentials: Credentials, level: str) -> None:
        """Keep from which level on the clients of this key want log messages."""
        with self._caller(credentials) as (env, caller):
            env["mcp.api.key"].browse(caller.key_id)._set_log_level(level)

    def setting(self, name: str):
        """Return the value of a setting, of the type of its default."""
        with self.transaction() as env:
            return parameter(env, name)

    def find_job(
        self, credentials: Credentials, task: str
    ) -> tuple[dict, Outcome] | None:
        """Return a job by its task, and how its call stands.

        :return: None: the caller has no such job, or may not call its tool with
            this key
        """
        with self._caller(credentials) as (env, caller):
            job = self._job(env, caller, task)
            if not job:
                return None
            row, _text, _position = job.sudo()._look(job.id, -1)
        return row, job_outcome(row)

    def cancel_job(self, credentials: Credentials, task: str) -> None:
        """Ask for the end of a job that :meth:`find_job` finds."""
        with self._caller(credentials) as (env, caller):
            self._job(env, caller, task).action_cancel()

    @staticmethod
    def _job(env, caller: Caller, task: str):
        jobs = env["mcp.job"].with_user(caller.uid)
        tools = env["mcp.tool"].with_user(caller.uid)._permitted(caller)
        names = [tool.name for tool in tools]
        return jobs.search([("task", "=", task), ("tool", "in", names)])

    def may_read(self, credentials: Credentials, uri: str) -> bool:
        """Tell whether the caller may read a resource."""
        with self._caller(credentials) as (env, caller):
            resources = env["mcp.resource"].with_user(caller.uid)
            try:
                resources._find(Call("resources/read", {"uri": uri}), caller)
            except Refusal:
                return False
        return True

    def subscribed(self, credentials: Credentials) -> list[str]:
        """Return the URIs that clients with this key have subscribed to."""
        with self._caller(credentials) as (env, caller):
            found = env["mcp.subscription"].search([("key_id", "=", caller.key_id)])
            return found.mapped("uri")

    def subscribe(self, credentials: Credentials, uri: str, most: int) -> None:
        """Have the streams of this key tell when a resource changes.

        :param most: subscriptions that a key may have; the oldest one makes room
        """
        self.unsubscribe(credentials, uri)
        with self._caller(credentials) as (env, caller):
            subscriptions = env["mcp.subscription"]
            if caller.key_id:
                subscriptions.create({"key_id": caller.key_id, "uri": uri})
                mine = [("key_id", "=", caller.key_id)]
                subscriptions.search(mine, offset=most, order="id desc").unlink()

    def unsubscribe(self, credentials: Credentials, uri: str) -> None:
        """Tell the streams of this key no more of a resource."""
        with self._caller(credentials) as (env, caller):
            wanted = [("key_id", "=", caller.key_id), ("uri", "=", uri)]
            env["mcp.subscription"].search(wanted).unlink()


class AnswerBox:
    """Where the answers of one caller's client arrive, from any server.

    :param inquiries: of the database
    """

    def __init__(self, inquiries: Inquiries, caller: Caller) -> None:
        self.inquiries = inquiries
        self.caller = caller

    def prepare(self, questions: Collection[str]) -> dict[str, str]:
        """Return the JSON-RPC ids to ask these questions with."""
        with self.inquiries.transaction() as env:
            tokens = env["mcp.question"]._prepare(self.caller, len(questions))
        return dict(zip(questions, tokens, strict=True))

    def look(self, tokens: Iterable[str]) -> dict[str, dict]:
        """Return the answers that have arrived, by JSON-RPC id."""
        with self.inquiries.transaction() as env:
            return env["mcp.question"]._look(list(tokens))

    def clear(self, tokens: Iterable[str]) -> None:
        """Wait for these no more."""
        with self.inquiries.transaction() as env:
            env["mcp.question"]._clear(list(tokens))
