"""What the tools for views take and return. Imported at the first MCP request."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

View = Annotated[
    str,
    Field(
        min_length=1, description="XML id, id, or model and type: 'res.partner form'."
    ),
]
Node = Annotated[str | None, Field(description="XPath or name: tells who set it.")]
Candidate = Annotated[str | None, Field(description="Arch to validate; not written.")]
CandidateMode = Annotated[
    Literal["extend", "replace"] | None,
    Field(description="The candidate is a new inheriting view, or its own arch."),
]

Target = Annotated[
    str,
    Field(
        min_length=1,
        description="Path, or report, template or view.",
    ),
]
RenderFormat = Literal["png", "html", "pdf"]
RecordIds = Annotated[
    list[int] | None, Field(max_length=50, description="Of a report or view.")
]
Login = Annotated[str | None, Field(description="Default: you.")]
Width = Annotated[int, Field(ge=320, le=3840)]


class ViewInspected(TypedDict, total=False):
    """What there is to tell; no key without something."""

    view: str
    id: int
    name: str
    model: str
    type: str
    file: str
    arch: str
    more: str
    chain: list[dict[str, Any]]
    inactive: list[str]
    found: list[dict[str, Any]]
    valid: bool
    problem: dict[str, Any]
    warnings: list[str]
    hits: list[str]
    diff: str


class Rendered(TypedDict, total=False):
    """What there is to tell beside a picture or PDF; no key without something."""

    target: str
    user: str
    url: str
    status: int
    title: str
    content_type: str
    html: str
    length: int
    more: str
    bytes: int
    width: int
    height: int
    console: list[str]
    kept_back: list[str]
