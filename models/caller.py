"""Who calls and what: what the door saw, and what the registrar made of it."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .content import Content
from .live_call import Client
from .narrowing import Narrowing
from .questions import Asking


@dataclass(frozen=True)
class Credentials:
    """What a door knows of the sender of a request.

    :param key: the bearer token, or None
    :param address: IP address of the peer
    :param forwarded: a proxy passed the request on, so that the address of the
        connection says nothing about where it comes from
    :param narrowings: what the request leaves of what the key allows; all apply
    :param uid: a user whom Odoo has let in by a session of its own, who needs no key
    """

    key: str | None
    address: str
    forwarded: bool = False
    narrowings: tuple[Narrowing, ...] = ()
    uid: int | None = None

    @property
    def local(self) -> bool:
        """Whether the sender is on this host, as far as one can tell: a proxy on it
        that says nothing of whom it speaks for looks the same."""
        return not self.forwarded and ipaddress.ip_address(self.address).is_loopback


class Feature(NamedTuple):
    """All that a call needs to know of a tool, resource or prompt, cached by user.

    :param kind: its model, e.g. ``mcp.tool``
    :param name: what clients call it: a tool's or prompt's name, a resource's URI
    :param action_id: the server action; 0 or False: it has no code
    :param toolset: code of its toolset
    :param method: the method of ``model`` that its action calls; None: other code
    :param described: as the protocol's lists tell it
    :param input_schema: of a record's own code; a method has its signature
    :param needs_confirmation: a person at the client must say yes first
    """

    kind: str
    id: int
    name: str
    toolset_id: int
    toolset: str
    action_id: int
    model: str
    method: str | None
    read_only: bool
    timeout: int
    limit_id: int | None
    described: dict
    input_schema: dict | None = None
    needs_confirmation: bool = False


@dataclass(frozen=True)
class Caller:
    """A user, and what their key and this request leave of what they may do.

    :param key_id: None for the anonymous user, and for one with a session
    :param narrowed: the key is for ``toolset_ids`` and ``tool_ids`` alone
    :param narrowings: what the request leaves of it; all apply
    :param memory: what this process has found out for this key, and forgets when Odoo
        clears its caches: see :meth:`remember`
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
    log_level: str = ""
    narrowings: tuple[Narrowing, ...] = ()
    memory: dict = field(default_factory=dict, compare=False, repr=False)

    def remember(self, name: object, find: Callable[[], Any]) -> Any:
        """Return what ``find`` found when it was first asked for under this name.

        Odoo's own caches, where the memory lives, cost 18.0 a sixth of a call's time:
        a call looks once, for its key.
        """
        try:
            return self.memory[name]
        except KeyError:
            found = self.memory[name] = find()
            return found

    def at_level(self, level: str) -> "Caller":
        """Return the same, whose clients want log messages from this level on."""
        return replace(self, log_level=level) if level else self

    def permits(self, feature: Feature) -> bool:
        """Tell whether key and request leave ``feature`` to the user.

        Neither adds to what the user may, nor the request to what the key may.
        """
        return self._key_permits(feature) and all(
            narrowing.permits(feature) for narrowing in self.narrowings
        )

    def _key_permits(self, feature: Feature) -> bool:
        if self.read_only and not feature.read_only:
            return False
        if not self.narrowed or feature.toolset_id in self.toolset_ids:
            return True
        return feature.kind == "mcp.tool" and feature.id in self.tool_ids


@dataclass(frozen=True)
class Call:
    """One call of a tool, a resource or a prompt, as the protocol hands it down.

    :param name: the tool's name, or the method: ``resources/read``, ``prompts/get``
    :param arguments: the tool's arguments, or the parameters of that method
    :param request_id: the JSON-RPC id, as JSON
    :param client: name and version that the client gave, for the audit
    :param budget: seconds until the door must have answered; None: no end
    :param waiting: who hears how the call goes
    :param capabilities: what the client has declared, as MCP's ClientCapabilities
    :param rounds: what it is asked, it answers by calling again (from 2026-07-28 on)
    :param answers: of such a call: MCP's InputResponses
    :param state: of such a call: MCP's requestState
    :param examine: what the door has to say against the tool, once it is known: called
        with the tool as the lists tell it, raises what ends the call before it begins
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    request_id: str = ""
    client: str = ""
    revision: str = ""
    budget: float | None = None
    waiting: Client | None = None
    capabilities: dict = field(default_factory=dict)
    rounds: bool = False
    answers: dict = field(default_factory=dict)
    state: str | None = None
    examine: Callable[[dict], None] | None = None


class Admitted(NamedTuple):
    """A call that was let in, and not run yet.

    :param entry: id of its audit entry, which is open
    :param patience: seconds after which it goes on as a job; None: it is none
    :param asking: how it can ask its client
    """

    entry: int
    caller: Caller
    feature: Feature
    arguments: dict
    patience: float | None
    call: Call
    asking: Asking


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    :param text: what a model reads: compact JSON of ``structured`` where there is one
    :param structured: a JSON object, or None
    :param blob: the content of a binary resource
    :param mime_type: of a resource
    :param retry_after: seconds, when a rate limit refused the call
    :param afterwards: what the door does when the answer has been sent
    :param status: of the audit entry; empty: ``error`` or ``success``
    :param job: the job that the call goes on as: its row
    :param content: what a model reads, if it is more than ``text``
    :param questions: to the client, by key: the call is to be made again with answers
    :param state: what the client sends back with them
    :param missing: the client capability that the call would have needed
    :param mark: nobody can know it before, and it stands around what the client is
        told, for others have written that; empty: they have not
    """

    text: str
    structured: dict | None = None
    blob: bytes | None = None
    mime_type: str = ""
    is_error: bool = False
    retry_after: int | None = None
    afterwards: tuple[Callable[[], None], ...] = ()
    status: str = ""
    job: dict | None = None
    content: tuple[Content, ...] = ()
    questions: dict[str, dict] = field(default_factory=dict)
    state: str = ""
    missing: str = ""
    mark: str = ""
