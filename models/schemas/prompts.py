"""What the built-in prompts take. Imported at the first MCP request."""

from typing import Annotated

from pydantic import Field

from .common import Name, Value  # noqa: F401

Text = Annotated[str, Field(description="As the prompt's record describes it.")]
Context = Annotated[
    dict[str, str], Field(description="The other arguments, as far as they are given.")
]
