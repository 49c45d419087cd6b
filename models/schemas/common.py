"""What resources and completions take. Imported at the first MCP request."""

from typing import Annotated

from pydantic import BaseModel, Field

Name = Annotated[str, Field(description="A variable of the template.")]
Value = Annotated[str, Field(description="Its value, or what was typed of it.")]

Background = Annotated[
    bool,
    Field(description="Start it as a job and return its id at once: see the tool job."),
]


class JobHandle(BaseModel):
    """What a tool that may go on as a job tells of it; all else is left out then."""

    job_id: Annotated[
        int | None, Field(description="It goes on as this job: see the tool job.")
    ] = None
    job_state: str | None = None
    hint: str | None = None
