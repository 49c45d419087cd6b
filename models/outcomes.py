"""What came of a call, from what its tool returned or raised."""

import contextlib
import json
import logging
from dataclasses import replace

from psycopg2 import DatabaseError

from odoo.exceptions import UserError

from .caller import Feature, Outcome
from .content import ResourceContent, ToolResult, Written, blocks, text
from .exceptions import Cancelled, CannotAsk, Lost, ToolError
from .sql_errors import NO_NUL

_logger = logging.getLogger(__name__)

PSYCOPG2_NUL = "cannot contain NUL (0x00) characters"


def failure(error: Exception, feature: Feature, entry: int) -> Outcome:
    """Return the outcome of a call that has failed.

    :param entry: id of its audit entry
    """
    status = "cancelled" if isinstance(error, Cancelled) else "error"
    return Outcome(
        explain(error, feature, entry),
        is_error=True,
        status="lost" if isinstance(error, Lost) else status,
        missing=error.capability if isinstance(error, CannotAsk) else "",
    )


def explain(error: Exception, feature: Feature, entry: int) -> str:
    """Say what went wrong, as far as the caller may know it."""
    if isinstance(error, UserError | Cancelled):
        return str(error)
    if isinstance(error, ValueError) and PSYCOPG2_NUL in str(error):
        return NO_NUL
    if isinstance(error, DatabaseError) and error.diag.message_primary:
        return f"PostgreSQL: {error.diag.message_primary} ({error.pgcode})"
    _logger.exception("%s failed, audit entry %s", feature.name, entry)
    return (
        f"{feature.name} failed with an internal error. The server's log tells "
        f"more: look for 'audit entry {entry}'."
    )


def success(result) -> Outcome:
    """Return a result as content, and as a JSON object if it is one.

    The text is the JSON of the object, exactly: clients differ in which of the two
    they show to the model. A result that has ``failed`` is told as an error, whole.

    :raise ToolError: it is no JSON
    """
    if isinstance(result, ResourceContent):
        return replace(success(result.data), mime_type=result.mime_type)
    if isinstance(result, bytes):
        return Outcome("", blob=result)
    if isinstance(result, ToolResult):
        found = Outcome("") if result.structured is None else success(result.structured)
        return replace(found, content=result.content) if result.content else found
    if content := blocks(result):
        return Outcome("", content=tuple(content))
    failed = bool(getattr(result, "failed", False))
    if hasattr(result, "model_dump"):
        found = result.model_dump(mode="json", exclude_unset=True)
        # what pydantic cannot write is a lone surrogate, which json escapes
        with contextlib.suppress(ValueError):
            written = result.model_dump_json(exclude_unset=True)
            return Outcome(written, Written(found, written), is_error=failed)
        result = found
    if isinstance(result, list | tuple):
        result = {"result": list(result)}
    if not isinstance(result, dict):
        return Outcome("" if result is None else str(result))
    try:
        written = json.dumps(
            result, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ToolError(f"The tool's result is no JSON: {error}") from error
    return Outcome(written, Written(result, written), is_error=failed)


def with_attached(outcome: Outcome, attached: list) -> Outcome:
    """Return an outcome with blocks that go with it."""
    if not attached or outcome.is_error:
        return outcome
    own = outcome.content or (text(outcome.text),)
    return replace(outcome, content=(*own, *attached))
