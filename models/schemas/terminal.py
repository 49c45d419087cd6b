"""What the terminal tools take and return. Imported at the first MCP request."""

from typing import Annotated

from pydantic import BaseModel, Field

Command = Annotated[
    str, Field(description="Shell command. Its standard input is empty.")
]
WorkingDirectory = Annotated[
    str | None, Field(description="Absolute path. Default: the server's own.")
]
CommandTimeout = Annotated[
    int | None,
    Field(ge=1, description="Seconds. Default and maximum are settings: 30, 600."),
]
Variables = Annotated[
    dict[str, str] | None, Field(description="Added to the environment.")
]
Background = Annotated[bool, Field(description="Not yet available.")]


class CommandResult(BaseModel):
    stdout: str
    stderr: str
    exit_code: Annotated[
        int, Field(description="-1: stopped at the timeout; -2: not started.")
    ]
    timed_out: bool
    duration_ms: int
    hint: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no exit status to judge by."""
        return self.exit_code < 0
