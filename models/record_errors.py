"""What Odoo and PostgreSQL say to records that are read or written, with a remedy."""

import contextlib
from collections.abc import Iterator

import psycopg2
from psycopg2 import errors

from odoo.exceptions import AccessError, RedirectWarning, UserError

from .exceptions import ToolError
from .sql_schema import models_by_table

OVERTAKEN = (
    "Others have changed the same records meanwhile. Nothing is kept: try again."
)

CODE_ERRORS = (
    *(TypeError, ValueError, LookupError, AttributeError, AssertionError),
    *(ArithmeticError, NotImplementedError, RecursionError),
)
"""What Odoo's code and that of its modules raises when it is called wrongly."""


@contextlib.contextmanager
def explained(env, place=None) -> Iterator[None]:
    """Turn what goes wrong within into a :class:`ToolError`.

    :param place: returns how a message begins that tells where it went wrong

    After an error of PostgreSQL the cursor must be good again: see to a savepoint
    within.
    """
    try:
        yield
    except ToolError:
        raise
    except AccessError as error:
        raise ToolError(f"{error}\ncheck_access tells what decides it.") from error
    except UserError as error:
        raise ToolError(f"{place() if place else ''}{error}") from error
    except RedirectWarning as error:
        raise ToolError(str(error.args[0])) from error
    except (errors.SerializationFailure, errors.DeadlockDetected) as error:
        raise ToolError(OVERTAKEN) from error
    except psycopg2.IntegrityError as error:
        raise ToolError(_violated(env, error)) from error
    except CODE_ERRORS as error:
        said = f"{type(error).__name__}: {error}"
        raise ToolError(f"{place() if place else ''}{said}") from error


def _violated(env, error: psycopg2.IntegrityError) -> str:
    """Say which constraint is violated, in the words of the module that has made it.

    https://www.postgresql.org/docs/current/errcodes-appendix.html, class 23
    """
    diag = error.diag
    model = models_by_table(env.registry).get(diag.table_name, diag.table_name)
    if isinstance(error, errors.NotNullViolation):
        return f"{model}.{diag.column_name} is required, and has no value."
    if isinstance(error, errors.ForeignKeyViolation):
        return (
            f"{model} refers to it, or it refers to what is not there (constraint "
            f"{diag.constraint_name}). Archive it instead, or change those first."
        )
    constraints = env["ir.model.constraint"].sudo()
    found = constraints.search([("name", "=", diag.constraint_name)], limit=1)
    said = found.message or f"{diag.message_primary}."
    return f"{said} ({model}, constraint {diag.constraint_name})"
