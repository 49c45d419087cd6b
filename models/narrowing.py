"""What a client leaves of what its key allows, for one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .caller import Feature


@dataclass(frozen=True)
class Narrowing:
    """What a request names. It never adds: what the key withholds stays withheld.

    The same rule as a key's own: the features of ``toolsets``, and beside them
    ``tools``; resources and prompts by their toolset alone.

    :param toolsets: codes of ``mcp.toolset``; None: it says nothing of toolsets
    :param tools: names of ``mcp.tool``; None: it says nothing of tools
    :param read_only: only features that say they change nothing
    """

    toolsets: frozenset[str] | None = None
    tools: frozenset[str] | None = None
    read_only: bool = False

    def permits(self, feature: Feature) -> bool:
        """Tell whether the request leaves ``feature``. A name that is none matches
        nothing, and so does an empty list."""
        if self.read_only and not feature.read_only:
            return False
        if self.toolsets is None and self.tools is None:
            return True
        if feature.toolset in (self.toolsets or ()):
            return True
        return feature.kind == "mcp.tool" and feature.name in (self.tools or ())
