"""What the service tool takes and returns. Imported at the first MCP request."""

from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, Field

Service = Annotated[
    str, Field(description="odoo, postgresql, nginx, or another of the settings.")
]
ServiceAction = Annotated[
    Literal["status", "start", "stop", "restart", "logs"], Field()
]
LogLines = Annotated[
    int, Field(ge=1, le=5000, description="logs: lines at most, from the end.")
]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None,
    Field(description="logs: this severity and above."),
]
Grep = Annotated[
    str | None,
    Field(description="logs: regular expression, case ignored, on whole records."),
]


class Worker(BaseModel):
    kind: str
    pid: int
    memory_mb: float
    cpu_percent: float
    uptime_seconds: int


class ServiceResult(BaseModel):
    """Status or what an action did, or the log: as 1.0 had them."""

    service: str
    manager: Annotated[
        str | None, Field(description="Who told: systemd, init script, process…")
    ] = None
    active: bool | None = None
    status: str | None = None
    pid: int | None = None
    memory_mb: float | None = None
    cpu_percent: Annotated[
        float | None, Field(description="Average since its start.")
    ] = None
    uptime: str | None = None
    uptime_seconds: int | None = None
    workers: list[Worker] | None = None
    description: str | None = None
    message: str | None = None
    source: str | None = None
    log_lines: list[str] | None = None
    line_count: int | None = None
    truncated: Annotated[bool | None, Field(description="There are earlier lines.")] = (
        None
    )


LogLevel = Annotated[Literal["debug", "info", "warning", "error", "critical"], Field()]
Logger = Annotated[str | None, Field()]
LogDatabase = Annotated[str | None, Field()]
LogText = Annotated[str | None, Field()]
Since = Annotated[
    str | None, Field(description="ISO time, or next of an earlier answer.")
]
GroupLimit = Annotated[int, Field()]


class LogRecords(TypedDict, total=False):
    """What was logged, the newest first.

    :param records: equal ones as one
    :param total: groups that there are, of which ``records`` are the newest
    :param next: where the next call goes on, as its ``since``
    """

    source: str
    records: list[dict]
    total: int
    note: str
    next: str
