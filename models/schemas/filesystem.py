"""What the file tools take and return. Imported at the first MCP request."""

from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, Field

Path = Annotated[str, Field(min_length=1, description="Absolute, without '..'.")]
Encoding = Annotated[
    str, Field(description="utf-8, latin-1 or another text encoding; binary: base64.")
]
Offset = Annotated[
    int | None,
    Field(ge=1, description="First line to read (1-based); of a binary: first byte."),
]
LineLimit = Annotated[
    int | None, Field(ge=1, description="Lines at most; of a binary: bytes.")
]
Content = Annotated[str, Field(description="Text, or base64 of a binary.")]
WriteMode = Annotated[
    Literal["overwrite", "append", "create"],
    Field(description="create: only if there is no such file."),
]
CreateDirectories = Annotated[bool, Field(description="Make missing folders.")]


class FileContent(BaseModel):
    path: str
    content: str
    size_bytes: Annotated[int, Field(description="Of the whole file.")]
    lines_returned: int
    total_lines: Annotated[
        int | None, Field(description="null: not counted, the file is too large.")
    ]
    truncated: Annotated[bool, Field(description="Something follows.")]
    encoding: str


class FileWritten(BaseModel):
    path: Annotated[str, Field(description="Where a link led to.")]
    bytes_written: int
    created: bool
    size_bytes: int


OldText = Annotated[str, Field()]
NewText = Annotated[str, Field()]
Count = Annotated[int, Field(description="0: all.")]
EditDryRun = Annotated[bool, Field()]
File = Folder = Annotated[str, Field()]
Glob = Annotated[str, Field()]
Depth = Annotated[int | None, Field()]
EntryLimit = Annotated[int, Field()]
EntryOffset = Annotated[int, Field()]


class FileEdited(TypedDict, total=False):
    """What an edit has changed.

    :param lines: the first of each place, in the file before
    :param line_ends: CR LF, where the file has those
    :param warning: it does not parse now
    """

    path: str
    replaced: int
    lines: list[int]
    diff: str
    line_ends: str
    warning: str
    dry_run: bool


class Listing(TypedDict, total=False):
    """Entries of folders, by path.

    :param total: how many there are, of which ``entries`` are a page
    :param hidden: how many were passed over
    :param more: how to get the rest, or why it ends here
    """

    path: str
    entries: list[dict]
    total: int
    hidden: int
    more: str
