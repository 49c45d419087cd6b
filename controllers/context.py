"""What a method of MCP may need beside its parameters."""

from dataclasses import dataclass, field

from ..models.caller import Credentials
from ..models.live_call import Client
from ..models.registrar import Registrar
from .revision import Envelope

CAPABILITIES = {
    "tools": {},
    "resources": {},
    "prompts": {},
    "completions": {},
    "logging": {},
}
"""No listChanged, no subscribe: a client would hold a worker's connection open. The
listener adds them."""


@dataclass(frozen=True)
class Context:
    """What a method may need beside its parameters."""

    registrar: Registrar
    credentials: Credentials
    envelope: Envelope
    request_id: object
    user_agent: str = ""
    budget: float | None = None
    waiting: Client | None = None
    capabilities: dict = field(default_factory=lambda: CAPABILITIES)
    headers: dict[str, str] = field(default_factory=dict)
    """Of the response, beside what every one has."""
