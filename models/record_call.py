"""What the code of a record finds as ``mcp``, by plain calls, as safe_eval wants."""

from . import content, questions
from .content import Content, ToolResult
from .exceptions import ToolError
from .live_call import LiveCall


class RecordCall:
    """The call that the code is part of.

    A question may end the code where it stands: from MCP 2026-07-28 on it is run again
    from its start with the answers, and what it had written is rolled back. So ask
    first, then act. Each question of a call has a key of its own.

    :param call: the call
    """

    text = staticmethod(content.text)
    image = staticmethod(content.image)
    audio = staticmethod(content.audio)
    resource = staticmethod(content.resource)
    resource_link = staticmethod(content.resource_link)
    elicitation = staticmethod(questions.elicitation)
    sampling = staticmethod(questions.sampling)
    listing_roots = staticmethod(questions.listing_roots)

    def __init__(self, call: LiveCall) -> None:
        self.progress = call.progress
        self.log = call.log
        self.ask = call.ask
        self.can = call.asking.can

    @staticmethod
    def result(*blocks: Content, structured: dict | None = None) -> ToolResult:
        """Return a whole result: content blocks, and a JSON object for programs."""
        return ToolResult(blocks, structured)

    @staticmethod
    def error(text: str) -> None:
        """End the call as failed.

        :param text: what went wrong, and what to do about it
        """
        raise ToolError(text)

    def elicit(self, message: str, schema: dict, key: str = "elicitation") -> dict:
        """Show a person a form.

        :param schema: JSON Schema of a flat object with primitive properties
        :return: ``action`` (``accept``, ``decline`` or ``cancel``), and ``content``
            when it was accepted
        """
        return self.ask({key: questions.elicitation(message, schema)})[key]

    def sample(
        self,
        messages: str | list[dict],
        max_tokens: int,
        key: str = "sampling",
        **params,
    ) -> dict:
        """Ask the client's model, and return its CreateMessageResult."""
        return self.ask({key: questions.sampling(messages, max_tokens, **params)})[key]

    def roots(self, key: str = "roots") -> list[dict]:
        """Return the folders that the client works in: ``uri`` and ``name``."""
        return self.ask({key: questions.listing_roots()})[key]["roots"]
