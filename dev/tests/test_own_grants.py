"""No tool call changes what binds it: by SQL, by Python, by a record's code."""

from collections.abc import Callable, Iterator

import pytest
from attacks.privileges import OWN_GRANTS

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient

TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'mcp\\_%%'
   AND relname NOT IN ('mcp_metric', 'mcp_rate_limit_counter') ORDER BY 1
"""
OWN = "mcp_audit_log"
BY_CODE = """
env.cr.execute(arguments['sql'])
action = 'done'
"""


@pytest.fixture(scope="module")
def backend(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Backend:
    """Of a database that nobody else needs."""
    own = Backend(start_server(database=make_database("grants")))
    rules = own.execute("mcp.rate.limit", "search", [])
    own.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
    return own


@pytest.fixture(scope="module")
def client(backend: Backend) -> Iterator[McpClient]:
    with McpClient(backend.server.url, backend.key("admin")) as own:
        yield own


@pytest.fixture(scope="module")
def by_code(backend: Backend) -> str:
    """A record's tool that executes what it is told."""
    backend.tool("run_sql_by_code", BY_CODE)
    return "run_sql_by_code"


@pytest.fixture(scope="module")
def by_committing_code(backend: Backend) -> str:
    """The same, which commits itself."""
    backend.tool("commit_sql_by_code", f"{BY_CODE}\nenv.cr.commit()")
    return "commit_sql_by_code"


@pytest.fixture
def old_entries(backend: Backend, client: McpClient) -> list[dict]:
    """Entries of calls that have ended, as they are to stay."""
    client.tool("query_database", query="SELECT 1")
    return entries(backend)


def entries(backend: Backend) -> list[dict]:
    return backend.rows(f"SELECT * FROM {OWN} WHERE status <> 'open' ORDER BY id")


def state(backend: Backend) -> dict[str, object]:
    """All our rows but those of the audit, and the functions that write that."""
    found: dict[str, object] = {}
    for row in backend.rows(TABLES):
        if row["relname"] != OWN:
            query = f"SELECT t::text FROM {row['relname']} t ORDER BY 1"
            found[row["relname"]] = [line["t"] for line in backend.rows(query)]
    found["functions"] = backend.rows(
        "SELECT proname, md5(prosrc) FROM pg_proc WHERE proname LIKE 'mcp\\_%%' "
        "ORDER BY 1, 2"
    )
    found["triggers"] = backend.rows(
        "SELECT tgname, tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid "
        "WHERE relname LIKE 'mcp\\_%%' ORDER BY 1"
    )
    return found


@pytest.fixture
def unchanged(
    backend: Backend, old_entries: list[dict]
) -> Iterator[list[tuple[str, dict]]]:
    """Calls of a test, each of which is refused, and of which an entry stays."""
    before, made = state(backend), []
    yield made
    assert [step for step, result in made if not result.get("isError")] == []
    assert state(backend) == before
    told = entries(backend)
    assert told[: len(old_entries)] == old_entries
    assert len(told) == len(old_entries) + len(made)


def test_execute_sql_changes_no_grant(
    client: McpClient, unchanged: list[tuple[str, dict]]
) -> None:
    for grant in OWN_GRANTS:
        if grant.sql:
            result = client.tool("execute_sql", statement=grant.sql)
            unchanged.append((grant.sql, result))


def test_code_of_a_record_changes_no_grant(
    by_code: str, client: McpClient, unchanged: list[tuple[str, dict]]
) -> None:
    for grant in OWN_GRANTS:
        if grant.sql:
            unchanged.append((grant.sql, client.tool(by_code, sql=grant.sql)))


def test_odoo_shell_changes_no_grant(
    client: McpClient, unchanged: list[tuple[str, dict]]
) -> None:
    for grant in OWN_GRANTS:
        code = grant.code or f"cr.execute({grant.sql!r})"
        unchanged.append((code, client.tool("odoo_shell", code=code)))


def test_code_that_commits_amid_changes_no_grant(
    by_committing_code: str, client: McpClient, unchanged: list[tuple[str, dict]]
) -> None:
    for grant in OWN_GRANTS:
        if grant.sql:
            result = client.tool(by_committing_code, sql=grant.sql)
            unchanged.append((grant.sql, result))


def test_code_that_ends_its_transaction_is_not_taken_for_a_change(
    backend: Backend, client: McpClient
) -> None:
    # what PostgreSQL counts for a session it forgets as soon as it has told of it
    code = (
        "env.cr.execute('SELECT pg_stat_force_next_flush()')\n"
        "env.cr.rollback()\n"
        "partner = env['res.partner'].create({'name': 'MCP Rolled Back'})\n"
        "env.cr.commit()\n"
        "env.cr.execute('SELECT pg_stat_force_next_flush()')\n"
        "env.cr.rollback()\n"
        "action = {'name': partner.exists().name}"
    )
    backend.tool("end_amid", code)
    for _ in range(5):
        result = client.tool("end_amid")
        assert not result.get("isError"), result["content"][0]["text"]
        assert result["structuredContent"]["name"] == "MCP Rolled Back"
