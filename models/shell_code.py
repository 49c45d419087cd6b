"""Python code of a client, run with Odoo's environment in a process of its own.

Everything here happens in a fork (see :mod:`.forked`): what it patches dies with it.
"""

import ast
import json
import linecache
import os
import re
import traceback
from contextlib import closing
from itertools import islice
from types import CodeType

from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.sql import Composable

import odoo
from odoo import api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import SQL

from .exceptions import ToolError
from .fork_child import flush_output
from .own_grants import Grants
from .redaction import hidden_by_name, redact_text
from .sql_changes import changed_rows
from .sql_lexer import statements, tokens
from .sql_session import end_with_client

FILENAME = "<odoo_shell>"
LONGEST_VALUE = 50_000
LONGEST_ERROR = 8_000
"""Characters of a traceback: clients cut the text of an error at about 11,000."""


AFTER_COMMIT = "All is committed; what runs after a commit (mail, notices) failed."
ENDED = (
    "the code ended its transaction with COMMIT or ROLLBACK: what it did before stays "
    "as it then was, and nothing is kept of what it did after. Leave them out."
)


NO_END = (
    "odoo_shell is one transaction, committed when the code has succeeded, or not at "
    "all: leave each COMMIT or ROLLBACK out. A part is undone with env.cr.savepoint()."
)
ENDING = re.compile(r"commit|rollback|abort|end|prepare", re.I)
"""A statement that ends a transaction has one of these in it."""


class Refused(Exception):
    """The code did what would break the promise of all or nothing."""


class Marked:
    """The callbacks after a commit, which first tell that there was one.

    :param tell: called when the transaction is committed, whatever comes then
    """

    def __init__(self, callbacks, tell) -> None:
        self.callbacks = callbacks
        self.tell = tell
        self.reached = False

    def run(self) -> None:
        self.reached = True
        self.tell()
        self.callbacks.run()

    def __getattr__(self, name: str):
        return getattr(self.callbacks, name)


def run(
    tell, database: str, uid: int, context: dict, code: str, *, dry_run: bool
) -> dict:
    """Run ``code`` as a user; commit on success, leave nothing on failure.

    :param tell: see :data:`.forked.Tell`
    :return: ``return_value`` and ``error``, and ``changes`` of a dry run
    """
    registry = Registry(database)
    with closing(registry.cursor()) as cr:
        end_with_client(cr)
        cr.execute("SELECT now()")
        began = cr.fetchone()[0]
        env = api.Environment(cr, uid, context)
        grants = Grants(env)
        _forbid(cr)
        try:
            value = _evaluate(code, env)
            env.flush_all()
            answer = {"return_value": _told(value), "error": None}
            if dry_run:
                answer["changes"] = changed_rows(cr, registry.cursor)
            _require_whole(cr, began)
            if not dry_run:
                grants.require_kept()
        except BaseException as error:
            cr.rollback()
            return {"return_value": None, "error": _explain(error)}
        if dry_run:
            cr.rollback()
            return answer
        cr.postcommit = marked = Marked(cr.postcommit, lambda: tell("committed", True))
        try:
            type(cr).commit(cr)
        except Exception as error:
            said = AFTER_COMMIT if marked.reached else "Nothing was committed."
            answer["error"] = f"{said}\n{_explain(error)}"
        finally:
            registry.signal_changes()
    return answer


def _forbid(cr) -> None:
    """Refuse what would commit a half, or share this transaction with a fork."""

    execute = cr.execute

    def watched(query, *args, **kwargs):
        if ends_transaction(sql_text(query, cr)):
            raise Refused(NO_END)
        result = execute(query, *args, **kwargs)
        # outside a transaction PostgreSQL would commit each statement by itself
        if cr.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            raise Refused(ENDED)
        return result

    def commit():
        raise Refused(
            "odoo_shell commits by itself when the code has succeeded, or nothing: "
            "leave cr.commit() out. To install a module use install_module."
        )

    def fork():
        raise Refused(
            "a fork would share this transaction's connection: use subprocess, or "
            "execute_command."
        )

    cr.execute = watched
    cr.commit = commit
    os.fork = os.forkpty = fork


def sql_text(query, cr) -> str:
    """Return the text of whatever a cursor takes for a query."""
    if isinstance(query, SQL):
        return query.code
    if isinstance(query, Composable):
        return query.as_string(cr.connection)
    return query.decode("latin-1") if isinstance(query, bytes) else str(query)


def ends_transaction(sql: str) -> bool:
    """Tell whether one of the statements ends the transaction that it is in.

    What hides it from here is told afterwards, see ``_require_whole``.

    >>> ends_transaction("SELECT 1; commit"), ends_transaction("ROLLBACK TO x")
    (True, False)
    >>> ends_transaction("SELECT 'COMMIT'"), ends_transaction("PREPARE TRANSACTION 'x'")
    (False, True)
    """
    if not ENDING.search(sql):
        return False
    for statement in statements(sql):
        words = [token.name for token in islice(tokens(statement), 4)]
        if words[0] in ("commit", "abort", "end"):
            return True
        if words[0] == "rollback" and "to" not in words:
            return True
        if words[:2] == ["prepare", "transaction"]:
            return True
    return False


def _evaluate(code: str, env: api.Environment):
    """Execute the code and return the value of its last line, if that has one."""
    lines = code.splitlines(keepends=True)
    # so that tracebacks show the lines
    linecache.cache[FILENAME] = (len(code), None, lines, FILENAME)
    body, last = _compiled(code)
    names = {
        "__name__": "__main__",
        "Command": Command,
        "context": env.context,
        "cr": env.cr,
        "env": env,
        "odoo": odoo,
        "self": env.user,
        "uid": env.uid,
    }
    exec(body, names)
    return eval(last, names) if last else None


def _compiled(code: str) -> tuple[CodeType, CodeType | None]:
    tree = ast.parse(code, FILENAME)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), FILENAME, "eval")
    return compile(tree, FILENAME, "exec"), last


def _told(value):
    """Return the value as JSON if it is that, else its representation.

    Records read as dicts come without what the names of their fields say is secret.
    """
    try:
        text = json.dumps(value, allow_nan=False)
        told = json.loads(text)
        if told != value:
            raise TypeError("not the same in JSON")
        told = hidden_by_name(told)
    except (TypeError, ValueError, RecursionError):
        told = text = repr(value)
    if len(text) > LONGEST_VALUE:
        return f"{text[:LONGEST_VALUE]}… [{len(text)} characters]"
    return told


def _explain(error: BaseException) -> str:
    """Return the traceback from the caller's own code on."""
    if isinstance(error, Refused | ToolError):
        return str(error)
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename != FILENAME:
        trace = trace.tb_next
    flush_output()
    text = "".join(traceback.format_exception(type(error), error, trace)).strip()
    text = redact_text(text)
    if len(text) > LONGEST_ERROR:
        half = LONGEST_ERROR // 2
        text = f"{text[:half]}\n… [{len(text) - 2 * half} characters] …\n{text[-half:]}"
    return text


def _require_whole(cr, began) -> None:
    """Refuse a transaction that is no longer the one it was: SQL has ended that."""
    cr.execute("SELECT now()")
    if cr.fetchone()[0] != began:
        raise Refused(ENDED)
