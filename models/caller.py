"""Who calls: what the door saw, and what the registrar made of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Credentials:
    """What a door knows of the sender of a request.

    :param key: the bearer token, or None
    :param address: IP address of the peer
    :param forwarded: a proxy passed the request on, so that the address of the
        connection says nothing about where it comes from
    """

    key: str | None
    address: str
    forwarded: bool = False


@dataclass(frozen=True)
class Caller:
    """A user, and what their key leaves of what they may do.

    :param key_id: None for the anonymous user
    :param narrowed: the key is for ``toolset_ids`` and ``tool_ids`` alone
    """

    uid: int
    login: str
    address: str
    key_id: int | None = None
    key_name: str = ""
    read_only: bool = False
    narrowed: bool = False
    toolset_ids: frozenset[int] = frozenset()
    tool_ids: frozenset[int] = frozenset()

    def permits(self, tool) -> bool:
        """Tell whether the key leaves ``tool`` to the user. It never adds to it."""
        if self.read_only and not tool.read_only:
            return False
        if not self.narrowed:
            return True
        return tool.toolset_id in self.toolset_ids or tool.id in self.tool_ids


@dataclass(frozen=True)
class ToolCall:
    """One tools/call as the protocol hands it down.

    :param request_id: the JSON-RPC id, as JSON
    :param client: name and version that the client gave, for the audit
    :param budget: seconds until the door must have answered; None: no end
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    request_id: str = ""
    client: str = ""
    revision: str = ""
    budget: float | None = None


@dataclass(frozen=True)
class ToolOutcome:
    """What became of a tool call.

    :param text: what a model reads: compact JSON of ``structured`` where there is one
    :param structured: a JSON object, or None
    :param retry_after: seconds, when a rate limit refused the call
    """

    text: str
    structured: dict | None = None
    is_error: bool = False
    retry_after: int | None = None
