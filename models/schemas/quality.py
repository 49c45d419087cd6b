"""What scaffold_module and lint_module take and return."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

Kind = Annotated[Literal["module", "model", "test"], Field()]
ScaffoldName = Annotated[str, Field(description="Module, model or test name, by kind.")]
ToModule = Annotated[str | None, Field(description="Existing, for a model or test.")]
FirstModel = Annotated[str | None, Field(description="A new module's first.")]
AddonsPath = str | None
LintedModule = Annotated[str, Field(description="Technical name.")]


class Scaffolded(TypedDict, total=False):
    """What was written, and what comes next."""

    folder: str
    files: list[str]
    changed: list[str]
    next: str


class Finding(TypedDict, total=False):
    """One of what is wrong."""

    at: str
    code: str
    severity: str
    message: str


class Linted(TypedDict, total=False):
    """What is wrong, and who has looked; what is not so is left out."""

    module: str
    linters: list[str]
    findings: list[Finding]
    more: int
    hint: str
