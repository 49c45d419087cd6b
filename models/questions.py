"""What a call asks its client while it runs: a form, a model's answer, its roots.

From 2026-07-28 on a call that has a question ends, and is made again with the answers:
what it did until then is rolled back. Before, the question goes over the event stream
of the call, and the answer comes with another POST, at whatever server of the database
it arrives.

https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
"""

import time

from .exceptions import CannotAsk, InputRequired, ToolError

PATIENCE = 300
"""Seconds that a person may take to answer."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Seconds between two looks for an answer."""

CAPABILITIES = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
"""By the method of a question: what the client must have declared."""


def elicitation(message: str, schema: dict) -> dict:
    """Return the question that shows a person a form.

    :param schema: JSON Schema of a flat object with primitive properties
    """
    params = {"mode": "form", "message": message, "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


def sampling(messages: str | list[dict], max_tokens: int, **params) -> dict:
    """Return the question that is put to the client's model.

    :param messages: a user's text, or ``role`` and ``content`` of each message
    :param params: more of ``CreateMessageRequestParams``, as MCP writes them
    """
    if isinstance(messages, str):
        content = {"type": "text", "text": messages}
        messages = [{"role": "user", "content": content}]
    params = {"messages": messages, "maxTokens": max_tokens, **params}
    return {"method": "sampling/createMessage", "params": params}


def listing_roots() -> dict:
    """Return the question for the folders that the client works in."""
    return {"method": "roots/list", "params": {}}


def check_question(key: str, question: dict) -> None:
    """Make sure that a question is one that MCP knows.

    :raise ToolError: it is none
    """
    from mcp_types import (
        CreateMessageRequestParams,
        ElicitRequestFormParams,
    )
    from pydantic import ValidationError

    models = {
        "elicitation/create": ElicitRequestFormParams,
        "sampling/createMessage": CreateMessageRequestParams,
    }
    try:
        if question["method"] in models:
            models[question["method"]].model_validate(question["params"])
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ToolError(f"Question {key!r}: {where}: {fault['msg']}.") from error


def fits(question: dict, answer: object) -> bool:
    """Tell whether an answer is one to this question, and a form is filled as asked."""
    from jsonschema import Draft202012Validator
    from mcp_types import CreateMessageResultWithTools, ElicitResult, ListRootsResult
    from pydantic import ValidationError

    models = {
        "elicitation/create": ElicitResult,
        "sampling/createMessage": CreateMessageResultWithTools,
        "roots/list": ListRootsResult,
    }
    try:
        models[question["method"]].model_validate(answer)
    except ValidationError:
        return False
    if question["method"] != "elicitation/create" or answer["action"] != "accept":
        return True
    schema = question["params"]["requestedSchema"]
    return Draft202012Validator(schema).is_valid(answer.get("content") or {})


class Asking:
    """Puts the questions of one call to its client.

    :param capabilities: what the client has declared, as MCP's ClientCapabilities
    """

    def __init__(self, capabilities: dict) -> None:
        self.capabilities = capabilities

    def can(self, capability: str) -> bool:
        """Tell whether the client can be asked so.

        :param capability: ``elicitation``, ``sampling`` or ``roots``
        """
        found = self.capabilities.get(capability)
        if not isinstance(found, dict):
            return False
        # revision 2025-11-25, client/elicitation: an empty object means forms
        return capability != "elicitation" or not found or "form" in found

    def ask(self, questions: dict[str, dict], live) -> dict[str, dict]:
        """Return the answers by the keys of the questions.

        :raise CannotAsk: the client has not declared that it can be asked so
        :raise ToolError: a question is none, or an answer does not fit it
        :raise InputRequired: the call ends, to be made again with the answers
        """
        for key, question in questions.items():
            check_question(key, question)
        for question in questions.values():
            capability = CAPABILITIES[question["method"]]
            if not self.can(capability):
                raise CannotAsk(capability)
        return self._ask(questions, live)

    def _ask(self, questions: dict[str, dict], live) -> dict[str, dict]:
        raise NotImplementedError


class Nobody(Asking):
    """There is no client, or none that can be asked."""

    def __init__(self) -> None:
        super().__init__({})


class Rounds(Asking):
    """Ends the call with its questions; the next one brings the answers.

    :param answers: what this call has brought, by key
    :param kept: what earlier rounds have brought: sealed, so certain
    :param asked: keys that the round before has asked for; None: nothing says so
    """

    def __init__(
        self, capabilities: dict, answers: dict, kept: dict, asked: list[str] | None
    ) -> None:
        super().__init__(capabilities)
        self.answers = kept | {
            key: answer
            for key, answer in answers.items()
            if asked is None or key in asked
        }

    def _ask(self, questions, live):
        missing = {
            key: question
            for key, question in questions.items()
            if key not in self.answers or not fits(question, self.answers[key])
        }
        if missing:
            known = {k: a for k, a in self.answers.items() if k not in missing}
            raise InputRequired(missing, known)
        return {key: self.answers[key] for key in questions}


class OverStream(Asking):
    """Sends the questions over the event stream of the call, and waits.

    :param client: hears the questions
    :param box: where the answers arrive, an :class:`.inquiries.AnswerBox`
    """

    def __init__(self, capabilities: dict, client, box) -> None:
        super().__init__(capabilities)
        self.client = client
        self.box = box

    def _ask(self, questions, live):
        ids = self.box.prepare(questions)
        answers: dict[str, dict] = {}
        try:
            for key, question in questions.items():
                self.client.ask(ids[key], question["method"], question["params"])
            answers = self._wait(ids, live)
        finally:
            for key, number in ids.items():
                self.client.settle(number, answered=key in answers)
            self.box.clear(ids.values())
        for key, answer in answers.items():
            if "error" in answer:
                error = answer["error"]
                said = error.get("message", "") if isinstance(error, dict) else error
                raise ToolError(f"The client did not answer: {str(said)[:300]}")
            if not fits(questions[key], answer["result"]):
                raise ToolError(f"The client's answer to {key!r} is not as asked for.")
        return {key: answer["result"] for key, answer in answers.items()}

    def _wait(self, ids: dict[str, str], live) -> dict[str, dict]:
        """Return what the client says to each question."""
        began = time.monotonic()
        patience = min(PATIENCE, live.time_left() or PATIENCE)
        pause = FIRST_PAUSE
        while True:
            found = self.box.look(ids.values())
            if len(found) == len(ids):
                return {key: found[number] for key, number in ids.items()}
            live.check()
            if time.monotonic() > began + patience:
                raise ToolError(f"The client did not answer within {patience:.0f} s.")
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 1.5)
