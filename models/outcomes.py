"""What came of a call, from what its tool returned or raised."""

import contextlib
import json
import logging
from dataclasses import replace

from psycopg2 import DatabaseError, InterfaceError, OperationalError

from odoo.exceptions import UserError

from .caller import Feature, Outcome
from .content import Content, ResourceContent, ToolResult, Written, blocks, text
from .exceptions import Cancelled, CannotAsk, Lost, ToolError
from .redaction import hidden, hidden_in, holds_secret, redact_text
from .sql_errors import NO_NUL
from .visible import visible, visible_json

_logger = logging.getLogger(__name__)

CONNECTION_LOST = (
    "PostgreSQL has no connection for it, or has ended the one that it had. Look what "
    "is there before you try again."
)
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
    return visible(redact_text(_explain(error, feature, entry)))


def _explain(error: Exception, feature: Feature, entry: int) -> str:
    if isinstance(error, UserError | Cancelled):
        return str(error)
    if isinstance(error, ValueError) and PSYCOPG2_NUL in str(error):
        return NO_NUL
    if isinstance(error, DatabaseError) and error.diag.message_primary:
        return f"PostgreSQL: {error.diag.message_primary} ({error.pgcode})"
    if isinstance(error, OperationalError | InterfaceError):
        return CONNECTION_LOST
    _logger.exception("%s failed, audit entry %s", feature.name, entry)
    return (
        f"{feature.name} failed with an internal error. The server's log tells "
        f"more: look for 'audit entry {entry}'."
    )


def success(result) -> Outcome:
    """Return a result as content, and as a JSON object if it is one.

    The text is the JSON of the object, exactly: clients differ in which of the two
    they show to the model. A result that has ``failed`` is told as an error, whole.
    What is surely a secret is told nowhere, and what is not seen is made visible: in
    JSON by its escapes, so that it says the same.

    :raise ToolError: it is no JSON
    """
    if isinstance(result, ResourceContent):
        return replace(success(result.data), mime_type=result.mime_type)
    if isinstance(result, bytes):
        return Outcome("", blob=result)
    if isinstance(result, ToolResult):
        found = Outcome("") if result.structured is None else success(result.structured)
        content = tuple(map(_shown_block, result.content))
        return replace(found, content=content) if content else found
    if content := blocks(result):
        return Outcome("", content=tuple(map(_shown_block, content)))
    failed = bool(getattr(result, "failed", False))
    if hasattr(result, "model_dump"):
        found = result.model_dump(mode="json", exclude_unset=True)
        # what pydantic cannot write is a lone surrogate, which json escapes
        with contextlib.suppress(ValueError):
            written = result.model_dump_json(exclude_unset=True)
            return _object(found, written, failed)
        result = found
    if isinstance(result, list | tuple):
        result = {"result": list(result)}
    if not isinstance(result, dict):
        return Outcome("" if result is None else _shown(str(result)))
    return _object(result, _json(result), failed)


def _object(found: dict, written: str, failed: bool) -> Outcome:
    """Return the outcome of a JSON object that has been written."""
    if holds_secret(written):
        found = hidden_in(found)
        written = _json(found)
    written = visible_json(written)
    return Outcome(written, Written(found, written), is_error=failed)


def _json(value: dict) -> str:
    try:
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ToolError(f"The tool's result is no JSON: {error}") from error


def _shown(said: str) -> str:
    return visible(hidden(said))


def _shown_block(block: Content) -> Content:
    """Return a block of a record's code with its text as it may be shown."""
    if block["type"] == "text":
        return Content({**block, "text": _shown(block["text"])})
    if "text" in block.get("resource", {}):
        shown = {**block["resource"], "text": _shown(block["resource"]["text"])}
        return Content({**block, "resource": shown})
    return block


def with_attached(outcome: Outcome, attached: list) -> Outcome:
    """Return an outcome with blocks that go with it."""
    if not attached or outcome.is_error:
        return outcome
    own = outcome.content or (text(outcome.text),)
    return replace(outcome, content=(*own, *attached))
