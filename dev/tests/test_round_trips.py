"""How often a call waits for PostgreSQL: each wait is as long as a small query."""

from typing import Any

from dev.tests.backend import Backend

RECORD = """
from odoo import sql_db
from odoo.addons.odoo_dev_mcp.models import kept_connections
from odoo.addons.odoo_dev_mcp.models.caller import Call, Credentials
from odoo.addons.odoo_dev_mcp.models.registrar import Registrar

sent = []


def recording(kind):
    execute = kind.execute

    def record(self, query, *rest, **named):
        if self.connection.autocommit or kind is sql_db.Cursor:
            sent.append([str(query)[:25], self.connection.autocommit])
        return execute(self, query, *rest, **named)

    kind.execute = record


def calls(tool, arguments):
    registrar = Registrar(env.registry)
    outcome = registrar.call_tool(Credentials(KEY, "127.0.0.1"), Call(tool, arguments))
    assert not outcome.is_error, outcome


calls("query_database", {"query": "SELECT 1"})
calls("list_modules", {"limit": 1})
recording(kept_connections.OneTripCursor)
"""


def sent(backend: Backend, key: str, *calls: str) -> list[Any]:
    """What goes to PostgreSQL by itself, and whether it is a transaction of its own,
    once everything is remembered that can be."""
    code = "\n".join([f"KEY = {key!r}", RECORD, *calls, "answer(sent)"])
    return backend.shell(code)


def test_a_query_waits_for_the_database_three_times(backend: Backend, key: str) -> None:
    call = "calls('query_database', {'query': 'SELECT 1'})"
    assert sent(backend, key, call) == [
        ["SELECT mcp_audit_log_open", True],
        ["FETCH FORWARD 2 FROM mcp_", True],
        ["SELECT create_date, user_", True],
    ]


def test_a_query_that_calls_a_function_waits_once_more(
    backend: Backend, key: str
) -> None:
    call = "calls('query_database', {'query': 'SELECT count(*) FROM res_partner'})"
    found = [text for text, _own in sent(backend, key, call)]
    assert len(found) == 4
    assert "mcp_plan" in found[1]


def test_a_key_is_looked_up_in_one_statement_of_its_own(
    backend: Backend, key: str
) -> None:
    call = "Registrar(env.registry).offered(Credentials(KEY, '127.0.0.1'), 'mcp.tool')"
    assert sent(backend, key, call, call) == [
        ["SELECT mcp_api_key_level(", True],
        ["SELECT mcp_api_key_level(", True],
    ]
