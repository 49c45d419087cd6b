"""What the job tool takes and returns. Imported at the first MCP request."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

JobAction = Annotated[
    Literal["list", "read", "wait", "cancel"],
    Field(
        description="list: your latest jobs. read: state, output and result. wait: the "
        "same when it has ended, or the timeout is up. cancel: stop it, with all that "
        "it has started."
    ),
]
JobId = Annotated[int | None, Field(ge=1, description="For all but list.")]
JobNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
Offset = Annotated[
    int | None,
    Field(ge=0, description="Output from this character on: next_offset of before."),
]
Tail = Annotated[
    int | None,
    Field(ge=1, description="Only so many characters before the output's end."),
]
WaitTimeout = Annotated[int | None, Field(ge=1, description="Seconds. Default: 30.")]
JobLimit = Annotated[int, Field(ge=1, le=100, description="Jobs at most.")]


class Job(BaseModel):
    job_id: int
    tool: str
    arguments: str
    state: Literal["pending", "running", "done", "failed", "cancelled", "lost"]
    created_at: str
    ended_at: str | None
    duration_s: float
    progress: float | None
    progress_total: float | None
    message: str | None


class JobReport(BaseModel):
    jobs: Annotated[list[Job], Field(description="The latest first.")]
    output: Annotated[
        str | None, Field(description="From offset on; by default its last part.")
    ] = None
    offset: Annotated[int | None, Field(description="Where the output begins.")] = None
    next_offset: Annotated[int | None, Field(description="Go on from here.")] = None
    result: Annotated[Any, Field(description="What the call answers, at the end.")] = (
        None
    )
    message: str | None = None
