"""What the shell tool takes and returns. Imported at the first MCP request."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from .common import Background, JobHandle  # noqa: F401

Code = Annotated[
    str,
    Field(
        description="Python. env, self (the user), cr, uid, context, Command and odoo "
        "are there. The value of a last expression is returned."
    ),
]
ShellTimeout = Annotated[
    int | None,
    Field(ge=1, description="Seconds. Default and maximum are settings: 30, 600."),
]
DryRun = Annotated[
    bool, Field(description="Roll back, and tell what would have changed.")
]


class TableChange(BaseModel):
    table: str
    created: list[int]
    updated: list[int]
    deleted: list[int]
    rows: Annotated[
        int, Field(description="All of them; the ids are the first hundred of each.")
    ]


class ShellResult(JobHandle):
    output: Annotated[str, Field(description="Standard output and error.")] = ""
    return_value: Annotated[
        Any, Field(description="JSON where it is; else the value's repr.")
    ] = None
    error: Annotated[
        str | None, Field(description="Traceback; nothing was committed.")
    ] = None
    duration_ms: int = 0
    changes: Annotated[list[TableChange] | None, Field(description="Of a dry run.")] = (
        None
    )

    @property
    def failed(self) -> bool:
        """Whether the code failed, or was stopped."""
        return self.error is not None
