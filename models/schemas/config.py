"""What the configuration tool takes and returns. Imported at the first MCP request."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

Key = Annotated[str | None, Field(description="One option. Default: all of them.")]


class ConfigResult(BaseModel):
    """All options, or one: as 1.0 had them."""

    config_path: Annotated[
        str | None, Field(description="null: Odoo runs without a file.")
    ]
    values: Annotated[dict[str, Any] | None, Field(description="What is in force.")] = (
        None
    )
    sources: Annotated[
        dict[str, str] | None,
        Field(description="command line, environment or file; the others: default."),
    ] = None
    file: Annotated[
        dict[str, dict[str, str]] | None,
        Field(description="What the file says, by section."),
    ] = None
    key: str | None = None
    value: Any = None
    source: str | None = None


class SystemInfo(BaseModel):
    hostname: str
    os: str
    python_version: str
    odoo_version: str
    postgresql_version: str
    cpu_count: int | None
    load_average: list[float]
    memory_mb: dict[str, float]
    disk_mb: Annotated[
        dict[str, float], Field(description="Where Odoo's data directory is.")
    ]
    database: str
    databases: list[str]
    addons_paths: list[str]
    data_dir: str
    workers: Annotated[int, Field(description="0: one process with threads.")]
    server_mode: str
