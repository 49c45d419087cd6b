"""What the module tools take and return. Imported at the first MCP request."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from .common import Background, JobHandle  # noqa: F401

ModuleState = Annotated[
    Literal["all", "installed", "uninstalled", "to_upgrade", "to_install", "to_remove"],
    Field(description="Only modules in this state."),
]
ModuleSearch = Annotated[
    str | None, Field(description="Part of the name, title or summary.")
]
ModuleLimit = Annotated[int, Field(ge=1, le=2000)]
ModuleName = Annotated[
    str, Field(min_length=1, description="Technical name, e.g. sale_management.")
]


class Module(BaseModel):
    name: str
    display_name: str
    version: Annotated[str | None, Field(description="On disk.")]
    state: str
    author: str
    summary: str


class ModuleList(BaseModel):
    modules: list[Module]
    total_count: int
    returned_count: int
    filter_applied: str


class Dependency(BaseModel):
    name: str
    state: str


class ModuleInfo(Module):
    installed_version: Annotated[str | None, Field(description="In the database.")]
    description: str
    category: str
    website: str
    license: str
    application: bool
    path: Annotated[str | None, Field(description="Folder on the server.")]
    dependencies: list[Dependency]
    dependents: Annotated[
        list[str], Field(description="Installed modules that depend on it.")
    ]


class ModuleChange(BaseModel):
    name: str
    before: str
    after: str


class ModuleOperation(JobHandle):
    success: bool = True
    message: str = ""
    state: str = ""
    state_before: str = ""
    changes: Annotated[
        list[ModuleChange], Field(description="Modules whose state is another now.")
    ] = []
    loaded: Annotated[
        list[str], Field(description="All that was installed or upgraded, in order.")
    ] = []
    log: Annotated[list[str], Field(description="Warnings and errors.")] = []
    restart_needed: Annotated[
        bool, Field(description="The server still runs the older Python code.")
    ] = False
    duration_ms: int = 0

    @property
    def failed(self) -> bool:
        """Whether it did not come to what was asked for."""
        return not self.success
