"""What the database tools take and return. Imported at the first MCP request."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, Field

from .common import Name, Value  # noqa: F401

Query = Annotated[
    str,
    Field(
        min_length=1,
        description="One SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN statement. "
        "%s stands for the next of params.",
    ),
]
Params = Annotated[
    list[Any] | None,
    Field(description="Values for each %s. With params, write a literal % as %%."),
]
RowLimit = Annotated[int, Field(ge=1, le=10_000, description="Rows at most.")]
SchemaAction = Annotated[
    Literal["list_tables", "describe_table", "list_indexes", "list_constraints"],
    Field(description="list_tables, or what to tell of table_name."),
]
TableName = Annotated[str | None, Field(description="For all but list_tables.")]
SchemaName = Annotated[str, Field(description="PostgreSQL schema.")]
TableSearch = Annotated[
    str | None, Field(description="list_tables: part of the table's name.")
]


Statement = Annotated[
    str,
    Field(
        min_length=1,
        description="One or several, all in one transaction. %s stands for the next "
        "of params.",
    ),
]
DryRun = Annotated[bool, Field(description="Run it, tell the outcome, roll back.")]


class QueryResult(BaseModel):
    columns: list[str]
    rows: list[dict[str, Any]]
    row_count: int
    truncated: Annotated[
        bool, Field(description="There are more rows, or a value is cut.")
    ]
    duration_ms: int


class StatementDone(BaseModel):
    command: str
    affected_rows: int


class SqlResult(BaseModel):
    affected_rows: Annotated[int, Field(description="Of all statements together.")]
    status_message: str
    statements: list[StatementDone]
    columns: Annotated[
        list[str] | None, Field(description="Of the last one that returned rows.")
    ] = None
    rows: list[dict[str, Any]] | None = None
    row_count: int | None = None
    truncated: bool | None = None
    dry_run: Annotated[bool, Field(description="True: all is rolled back.")]
    warnings: list[str]
    duration_ms: int


class Table(BaseModel):
    table_name: str
    kind: str
    row_estimate: Annotated[int, Field(description="-1: not analyzed yet.")]
    size_bytes: int


class Reference(BaseModel):
    table: str
    columns: list[str]


class Column(BaseModel):
    name: str
    type: str
    nullable: bool
    default: str | None
    is_primary_key: bool
    references: str | None = None
    label: str | None = None


class Index(BaseModel):
    name: str
    columns: list[str]
    unique: bool
    type: str
    definition: str


class TableConstraint(BaseModel):
    name: str
    type: str
    columns: list[str]
    references: Reference | None = None
    definition: str


class SchemaResult(BaseModel):
    """The keys that belong to the action are set, as 1.0 had them."""

    tables: list[Table] | None = None
    table_name: str | None = None
    models: Annotated[
        list[str] | None, Field(description="Odoo models on this table.")
    ] = None
    columns: list[Column] | None = None
    column_count: int | None = None
    indexes: list[Index] | None = None
    constraints: list[TableConstraint] | None = None


Explained = Annotated[str, Field()]
ExplainedParams = Annotated[list | None, Field()]
Analyze = Annotated[bool, Field()]
ImaginedIndexes = Annotated[
    list[str] | None, Field(description="Hypothetical: table(column, …).")
]


class Explanation(TypedDict, total=False):
    """A plan, and what is worth a look in it.

    :param estimated: it was not run
    :param slowest: steps by what they take themselves
    :param missing_indexes: how each is made in PostgreSQL and in Odoo
    """

    cost: float
    rows: float
    execution_ms: float
    planning_ms: float
    blocks_read: int
    blocks_cached: int
    estimated: bool
    slowest: list[dict]
    findings: list[str]
    missing_indexes: list[dict]
    hypothetical: dict
    plan: str


Topic = Annotated[
    Literal[
        "all", "queries", "locks", "tables", "indexes", "statements", "connections"
    ],
    Field(),
]
MinSeconds = Annotated[float, Field(description="Of queries.")]
CancelPid = Annotated[int | None, Field()]


class Activity(TypedDict, total=False):
    """What goes on in a database; each topic by its name."""

    queries: list[dict]
    locks: list[dict]
    tables: list[dict]
    indexes: dict
    statements: list[dict]
    connections: dict
    cancelled: dict
    note: str
