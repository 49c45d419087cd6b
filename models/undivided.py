"""A transaction that is kept whole or not at all, whatever code runs in it."""

import contextlib
from collections.abc import Iterator

from .cursor_methods import replaced
from .exceptions import ToolError
from .shell_code import ends_transaction, sql_text

DIVIDED = (
    "This method ends its transaction by itself (commit or rollback), and a tool call "
    "is kept whole or not at all: nothing is kept. Call it in Odoo; to install a "
    "module use install_module."
)


@contextlib.contextmanager
def undivided(cr) -> Iterator[None]:
    """Refuse within what would commit a half, or roll back what came before.

    :raise ToolError: it was tried, even if the code went on without it
    """
    execute, tried = cr.execute, []

    def watched(query, *args, **kwargs):
        if ends_transaction(sql_text(query, cr)):
            refuse()
        return execute(query, *args, **kwargs)

    def refuse():
        tried.append(True)
        raise ToolError(DIVIDED)

    with replaced(cr, execute=watched, commit=refuse, rollback=refuse):
        yield
    if tried:
        raise ToolError(DIVIDED)


@contextlib.contextmanager
def undone(env) -> Iterator[None]:
    """Leave no trace of what happens within: neither rows, nor caches, nor what waits
    for a commit, nor mail.

    What code sends elsewhere by itself, or commits on a connection of its own, is out
    of reach.
    """
    cr = env.cr
    cr.flush()
    cr.execute("SAVEPOINT mcp_trial")
    cr.mcp_trial = True
    try:
        yield
    finally:
        del cr.mcp_trial
        cr.clear()
        cr.postcommit.clear()
        cr.execute("ROLLBACK TO SAVEPOINT mcp_trial")
        cr.execute("RELEASE SAVEPOINT mcp_trial")
        env.registry.reset_changes()


def is_trial(cr) -> bool:
    """Tell whether what is done on ``cr`` is going to be undone."""
    return getattr(cr, "mcp_trial", False)
