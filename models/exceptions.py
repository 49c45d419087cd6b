"""What can go wrong between a caller and a tool.

::

    Exception
    ├── Suspended            nobody is let in until an administrator says so
    ├── Refusal              told no before anything happened
    │   ├── NotAuthenticated     no key, or none that is valid
    │   ├── NotAllowed           a valid key, but not from here, or not for this
    │   ├── UnknownTool          no such tool for this caller
    │   ├── UnknownResource      no such resource for this caller
    │   ├── InvalidState         answers to questions that were not asked here
    │   ├── UnknownPrompt        no such prompt for this caller
    │   ├── InvalidArguments     not those that the prompt takes
    │   └── LimitReached         a rate-limit rule, and when to come back
    └── Cancelled            stopped while it ran
        └── Lost                 because the server ended
    odoo.exceptions.UserError
    └── ToolError            the tool says why not, and what to send instead
        ├── ArgumentError        the arguments do not fit the input schema
        └── CannotAsk            the client has not declared that it can be asked
    BaseException
    ├── InputRequired        the call ends with questions to its client
    └── Behind               another process has changed what this one remembers

Tool errors are user errors because ``safe_eval`` keeps the type of Odoo's own
exceptions only: a record tool's code can raise one and it arrives as it was.
"""

from odoo.exceptions import UserError


class Refusal(Exception):
    """A call that is refused before the tool runs. The text is for the caller."""


class Suspended(Exception):
    """An administrator has suspended all access: HTTP 503."""

    def __init__(self) -> None:
        super().__init__(
            "All MCP access to this server is suspended. An administrator can resume "
            "it in Settings > MCP Server."
        )


class KeyIsBad(Exception):
    """A key that this process remembers as good is so no more."""


class NotAuthenticated(Refusal):
    """No key, or one that is unknown, expired, suspended or revoked: HTTP 401."""


class NotAllowed(Refusal):
    """The key is valid, but not from this address or for this purpose: HTTP 403."""


class UnknownTool(Refusal):
    """A tool that does not exist, or that this caller may not know of.

    Both read the same, so that names cannot be probed.
    """


class UnknownResource(Refusal):
    """A resource that does not exist, or that this caller may not know of."""


class InvalidState(Refusal):
    """What a client sends back is not what it was given, for this call, or too late."""


class UnknownPrompt(Refusal):
    """A prompt that does not exist, or that this caller may not know of."""


class InvalidArguments(Refusal):
    """An argument that a prompt needs is missing, or it does not know one."""


class LimitReached(Refusal):
    """A rate-limit rule is used up.

    :param retry_after: whole seconds until a call can succeed again, at least 1
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Cancelled(Exception):
    """A call that was stopped while it ran: nothing of its transaction is kept."""


class Lost(Cancelled):
    """A job that ends with the Odoo server that it belongs to."""


class ToolError(UserError):
    """The tool could not do its work; the text hands over the remedy."""


class ArgumentError(ToolError):
    """The arguments do not fit the tool's input schema."""


class CannotAsk(ToolError):
    """The call has a question that this client has not declared to answer.

    :param capability: of the client, as MCP names it
    """

    def __init__(self, capability: str) -> None:
        super().__init__(
            f"This needs a client that supports {capability}, and yours has not "
            "declared it."
        )
        self.capability = capability


class Behind(BaseException):
    """Another process has changed what this one remembers: to be begun again.

    Nothing has been done yet. No ``except Exception`` is to make an answer of it.
    """


class InputRequired(BaseException):
    """The call ends here, with questions; it is made again with the answers.

    No ``except Exception`` of a record's code is to swallow it and go on.

    :param questions: by key, as MCP's InputRequests
    :param answers: what earlier rounds have brought, by key
    """

    def __init__(self, questions: dict[str, dict], answers: dict[str, dict]) -> None:
        super().__init__("The call has questions to its client.")
        self.questions = questions
        self.answers = answers
