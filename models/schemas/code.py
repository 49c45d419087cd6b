"""What the code tools take and return. Imported at the first MCP request."""

from typing import Annotated, Any, TypedDict

from pydantic import Field

Model = Annotated[str, Field(description="e.g. res.partner")]
Member = Annotated[str | None, Field(description="Field or method. None: the model.")]
Kind = Annotated[str | None, Field()]
Name = Annotated[
    str, Field(description="res.partner.write, base.view_partner_form, /web/login")
]
Pattern = Annotated[str, Field(description="Text, or Python regex.")]
Regex = Annotated[bool | None, Field()]
Glob = Annotated[str | None, Field(description="e.g. *.py, sale/models/*")]
ModuleName = Annotated[str | None, Field(description="odoo: the framework.")]
ContextLines = Annotated[int | None, Field()]
MatchLimit = Annotated[int | None, Field(ge=1)]
MatchOffset = Annotated[int | None, Field()]


class Inspection(TypedDict, total=False):
    """Facts by name; what there is not is left out."""

    model: str
    facts: Any


class Definitions(TypedDict, total=False):
    found: list[dict]
    folders: dict[str, list[str]]


class Matches(TypedDict, total=False):
    matches: int
    files: int
    found: list[dict]
    folders: dict[str, list[str]]
    more: str
