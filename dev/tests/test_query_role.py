"""query_database of a whole Odoo reads as a role of its own, once Settings have one."""

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from dev import database as databases
from dev import paths, postgres_versions
from dev.console import HarnessError
from dev.odoo_instance import OdooInstance
from dev.odoo_server import OdooServer
from dev.postgres import SUPERUSER
from dev.stack import Stack
from dev.tests.backend import ADMIN, Backend
from dev.tests.client import McpClient
from dev.tests.conftest import NO_LISTENER
from dev.tests.sql_escapes import ESCAPES, HARMLESS
from dev.tests.test_round_trips import sent
from dev.tests.test_sql_escapes import SET_UP, require_unharmed

NEWEST = postgres_versions.VERSIONS[-1]
MODEL = "res.config.settings"
NAMES = ["mcp_reads_as", "mcp_reads_error", "mcp_reads_sql"]
PASSWORD = "SELECT value FROM ir_config_parameter WHERE key = %s"
CANARY = "mcp_canary"


class Site:
    """A server, its administrator, and a superuser of its PostgreSQL."""

    def __init__(self, server: OdooServer) -> None:
        self.server = server
        self.backend = Backend(server)
        rules = self.backend.execute("mcp.rate.limit", "search", [])
        self.backend.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
        self.key = self.backend.key("admin")
        with self.backend.cursor() as cursor:
            cursor.execute(SET_UP)

    @property
    def role(self) -> str:
        return f"{self.server.database}_mcp_reader"

    def press(self, button: str) -> Any:
        """Press a button in Settings, and say who one is."""
        record = self.backend.execute(MODEL, "create", {})
        asked = self.backend.execute(MODEL, button, [record])
        if asked.get("res_model") != "res.users.identitycheck":
            return asked
        # 18.0 takes the password from the record, 19.0 from the context
        check, password = asked["res_model"], {"password": ADMIN[1]}
        self.backend.execute(check, "write", [asked["res_id"]], password)
        return self.backend.execute(
            check, "run_check", [asked["res_id"]], context=password
        )

    def settings(self) -> dict[str, Any]:
        record = self.backend.execute(MODEL, "create", {})
        [found] = self.backend.execute(MODEL, "read", [record], NAMES)
        return found

    def as_superuser(self, statements: str) -> list[Any]:
        """Rows of the last of a superuser's statements."""
        postgres = self.server.stack.postgres
        connection = psycopg2.connect(
            f"host={postgres.host} port={postgres.port} user={SUPERUSER} "
            f"dbname={self.server.database}"
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statements)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def make_role(self) -> None:
        self.press("action_mcp_make_reader")
        if statements := self.settings()["mcp_reads_sql"]:
            self.as_superuser(statements)
            self.press("action_mcp_make_reader")
        assert self.settings()["mcp_reads_as"] == self.role

    def query(self, query: str, url: str | None = None) -> Any:
        with McpClient(url or self.server.url, self.key) as client:
            return client.tool("query_database", query=query)

    def reader(self, url: str | None = None) -> str:
        result = self.query("SELECT session_user AS me", url)
        return result["structuredContent"]["rows"][0]["me"]


@pytest.fixture(scope="module", params=["trusted", f"PostgreSQL {NEWEST}"])
def site(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Site]:
    """A server on the harness's PostgreSQL, then one where the role needs a password:
    the newest version, with Debian's rules of who may log in."""
    if request.param == "trusted":
        make = request.getfixturevalue("make_database")
        start = request.getfixturevalue("start_server")
        trusted = Site(start(database=make("role")))
        try:
            trusted.as_superuser("SELECT 1")
        except psycopg2.OperationalError as error:
            pytest.skip(f"no superuser of PostgreSQL here: {error}")
        yield trusted
        return
    try:
        cluster = postgres_versions.cluster(NEWEST)
        own = Stack(stack.source, stack.env, cluster.ensure())
    except HarnessError as error:
        pytest.skip(f"no PostgreSQL {NEWEST} here: {error}")
    name = databases.temporary_name(own, "role_newest")
    try:
        create = f"CREATE DATABASE \"{name}\" TEMPLATE template0 LC_COLLATE 'C'"
        own.sql("postgres", create)
        OdooInstance(own, name).run_once("-i", paths.ADDON)
        own.sql(name, NO_LISTENER)
        with OdooServer(own, name) as server:
            yield Site(server)
    finally:
        cluster.remove()
        OdooInstance(own, name).forget()


@pytest.fixture
def role(site: Site) -> Iterator[str]:
    """Queries read as the role."""
    site.make_role()
    yield site.role
    site.press("action_mcp_forget_reader")
    site.as_superuser(f'DROP ROLE IF EXISTS "{site.role}"')


def test_a_superuser_executes_what_settings_tell_and_queries_read_as_the_role(
    site: Site,
) -> None:
    owner = site.server.stack.postgres.user
    assert site.reader() == owner
    site.press("action_mcp_make_reader")
    told = site.settings()
    assert not told["mcp_reads_as"]
    assert not told["mcp_reads_error"]
    [row] = site.backend.rows(PASSWORD, "odoo_dev_mcp.reader_password")
    assert row["value"] not in told["mcp_reads_sql"]
    assert site.reader() == owner
    site.as_superuser(told["mcp_reads_sql"])
    site.press("action_mcp_make_reader")
    told = site.settings()
    assert told["mcp_reads_as"] == site.role
    assert not told["mcp_reads_error"]
    assert not told["mcp_reads_sql"]
    assert site.reader() == site.role
    told = site.press("action_mcp_forget_reader")
    assert f'DROP ROLE "{site.role}"' in told["params"]["message"]
    site.as_superuser(f'DROP ROLE "{site.role}"')
    assert site.reader() == owner


def test_no_escape_gets_out_and_what_only_reads_passes(site: Site, role: str) -> None:
    postgres = site.server.stack.postgres
    canary = psycopg2.connect(
        f"{postgres.conninfo} dbname='{site.server.database}' application_name={CANARY}"
    )
    canary.autocommit = True
    try:
        with McpClient(site.server.url, site.key) as client:
            passed = [
                statement
                for statement in ESCAPES
                if not client.tool("query_database", query=statement).get("isError")
            ]
            refused = [
                statement
                for statement in HARMLESS
                if client.tool("query_database", query=statement).get("isError")
            ]
        require_unharmed(site.backend, canary)
    finally:
        canary.close()
    assert passed == []
    assert refused == []
    assert site.reader() == role


@pytest.mark.parametrize(
    "query",
    [
        "SELECT password FROM res_users",
        "SELECT * FROM res_users",
        "SELECT login FROM res_users WHERE length(password) > 1",
        "SELECT key FROM res_users_apikeys",
        "SELECT key_hash FROM mcp_api_key",
        "SELECT value FROM ir_config_parameter",
        "SELECT smtp_pass FROM ir_mail_server",
        "SELECT * FROM pg_authid",
    ],
)
def test_secrets_are_postgresqls_to_withhold(site: Site, role: str, query: str) -> None:
    result = site.query(query)
    text = result["content"][0]["text"]
    assert result["isError"] is True
    assert "permission denied" in text
    assert "name the other columns" in text


def test_all_other_tables_are_read(site: Site, role: str) -> None:
    withheld = {
        row["name"]
        for row in site.backend.rows(
            "SELECT c.relname AS name FROM pg_class c WHERE relkind IN ('r', 'v', 'S') "
            "AND relnamespace = 'public'::regnamespace "
            "AND NOT has_table_privilege(%s, c.oid, 'SELECT')",
            role,
        )
    }
    assert {"res_users", "ir_config_parameter", "mcp_api_key"} <= withheld
    read = {"res_partner", "ir_attachment", "ir_ui_view", "mcp_audit_log", "mcp_tool"}
    assert read & withheld == set()
    assert len(withheld) < 25, withheld
    result = site.query("SELECT id, login FROM res_users ORDER BY id LIMIT 1")
    assert result["structuredContent"]["row_count"] == 1


def test_what_execute_sql_makes_is_read_at_once(site: Site, role: str) -> None:
    with McpClient(site.server.url, site.key) as client:
        for statement, query in (
            ("CREATE TABLE mcp_fresh AS SELECT 1 AS n", "SELECT n FROM mcp_fresh"),
            ("DROP TABLE mcp_fresh", "SELECT 1 AS n"),
        ):
            client.tool("execute_sql", statement=statement)
            result = client.tool("query_database", query=query)
            assert result["structuredContent"]["rows"] == [{"n": 1}]


def test_a_role_that_lost_its_way_in_reads_nothing_and_settings_say_how_to_mend_it(
    site: Site, role: str
) -> None:
    site.as_superuser(f'ALTER ROLE "{role}" NOLOGIN')
    # sessions that are open stay so
    site.as_superuser(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE usename = '{role}'"
    )
    result = site.query("SELECT 1 AS n")
    assert result["isError"] is True
    assert f"{role} cannot log in" in result["content"][0]["text"]
    told = site.settings()
    assert role in told["mcp_reads_error"]
    site.as_superuser(told["mcp_reads_sql"])
    assert site.reader() == role


def test_a_copy_whose_role_is_the_originals_gets_one_of_its_own(
    site: Site, role: str
) -> None:
    """Of another cluster, where the original's role is not."""
    site.as_superuser(f'ALTER ROLE "{role}" NOLOGIN')
    site.backend.parameter("reader_role", "original_mcp_reader")
    assert "original_mcp_reader cannot" in site.query("SELECT 1")["content"][0]["text"]
    site.press("action_mcp_make_reader")
    assert site.query("SELECT 1")["isError"] is True
    site.as_superuser(site.settings()["mcp_reads_sql"])
    site.press("action_mcp_make_reader")
    assert site.reader() == role


def test_no_connection_of_the_role_is_left_in_a_transaction(
    site: Site, role: str
) -> None:
    for query in ("SELECT 1", "SELECT 1/0", "SELECT nonsense", "SHOW work_mem"):
        site.query(query)
    found = site.as_superuser(
        f"SELECT DISTINCT state FROM pg_stat_activity WHERE usename = '{role}'"
    )
    assert found == [("idle",)]


def test_a_query_waits_for_the_database_once_more(site: Site, role: str) -> None:
    call = "calls('query_database', {'query': 'SELECT 1'})"
    assert [text for text, _own in sent(site.backend, site.key, call)] == [
        "SELECT mcp_audit_log_open",
        "FETCH FORWARD 2 FROM mcp_",
        "",  # its transaction ends before its connection is kept
        "SELECT create_date, user_",
    ]
