"""What the record tools take and return. Imported at the first MCP request."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

Model = Annotated[str, Field(description="E.g. res.partner.")]
Domain = Annotated[list[Any], Field(description='[["name","ilike","x"]]')]
Fields = Annotated[
    list[str] | None,
    Field(description="Or paths: country_id.code. Default: a few."),
]
Order = str | None
Limit = Annotated[int, Field(ge=1, le=1000)]
Offset = Annotated[int, Field(ge=0)]
GroupBy = Annotated[list[str] | None, Field(description="Also date:month.")]
Aggregates = Annotated[
    list[str] | None, Field(description="amount:sum; default __count.")
]

Operation = Literal["create", "write", "unlink", "call"]
Ids = list[int] | None
Values = Annotated[
    dict[str, Any] | list[dict[str, Any]] | None,
    Field(description="Create takes a list, too."),
]
Method = Annotated[str | None, Field(description="For call: a public one.")]
Args = list[Any] | None
Kwargs = dict[str, Any] | None
DryRun = Annotated[bool, Field(description="Tell what would change; keep nothing.")]

AccessOperation = Literal["read", "write", "create", "unlink"]
User = Annotated[str | None, Field(description="Login or id.")]
FieldNames = list[str] | None
ModelName = str


class Found(TypedDict, total=False):
    records: list[dict[str, Any]]


class Written(TypedDict, total=False):
    ids: list[int]


class Access(TypedDict):
    allowed: bool
