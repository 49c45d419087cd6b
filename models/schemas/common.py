"""What resources and completions take. Imported at the first MCP request."""

from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(description="A variable of the template.")]
Value = Annotated[str, Field(description="Its value, or what was typed of it.")]
