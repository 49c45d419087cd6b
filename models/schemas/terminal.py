"""What the terminal tools take and return. Imported at the first MCP request."""

from typing import Annotated

from pydantic import Field

from .common import Background, JobHandle  # noqa: F401

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


class CommandResult(JobHandle):
    stdout: str = ""
    stderr: str = ""
    exit_code: Annotated[
        int, Field(description="-1: stopped at the timeout; -2: not started.")
    ] = 0
    timed_out: bool = False
    duration_ms: int = 0

    @property
    def failed(self) -> bool:
        """Whether there is no exit status to judge by."""
        return self.exit_code < 0
