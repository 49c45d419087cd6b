"""What run_tests takes and returns. Imported at the first MCP request."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from .common import Background  # noqa: F401

Tags = Annotated[
    str | None, Field(description="As --test-tags: /sale:TestSale.test_a,-slow")
]
TestModules = Annotated[list[str] | None, Field(description="Default: those in tags.")]
TestDatabase = Annotated[
    Literal["copy", "fresh"], Field(description="fresh: a new one.")
]
Coverage = Annotated[bool, Field(description="With coverage.py.")]


class TestsResult(TypedDict, total=False):
    """What came of them; what is not so is left out."""

    success: bool
    run: int
    failed: int
    errors: int
    skipped: list[dict]
    skipped_count: int
    failures: list[dict]
    more_failures: str
    rerun_tags: str
    queries: int
    classes: list[dict]
    stopped: str
    log: str
    coverage: dict
    duration_s: float
