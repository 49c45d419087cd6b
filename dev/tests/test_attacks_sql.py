"""SQL of somebody who means harm: a real victim, and what could be left of it."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
from attacks.sql import EXHAUSTS, LOCK, PARAMETERS, SQL

from dev.odoo_server import OdooServer
from dev.tests.aftermath import GATE_LOCK
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.test_sql_escapes import SESSION
from dev.tests.waiting import eventually

KINDS = list(dict.fromkeys(attack.kind for attack in SQL))
CANARY = "mcp_attack_canary"
MEGABYTE = 1024 * 1024
MOST_GROWN = 200
"""Megabytes that the server may have grown by when all have been sent."""

SET_UP = f"""
CREATE TABLE mcp_victim (id int PRIMARY KEY, name text);
INSERT INTO mcp_victim VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE SEQUENCE mcp_victim_seq;
CREATE VIEW mcp_view AS SELECT * FROM mcp_victim;
CREATE MATERIALIZED VIEW mcp_matview AS SELECT * FROM mcp_victim;
CREATE FUNCTION mcp_victim_empty() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM mcp_victim; RETURN 1; END';
CREATE PROCEDURE mcp_victim_call(INOUT n int) LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM mcp_victim; COMMIT; END';
CREATE VIEW mcp_instead AS SELECT id, name FROM mcp_victim;
CREATE RULE mcp_rule AS ON UPDATE TO mcp_instead DO INSTEAD DELETE FROM mcp_victim;
CREATE VIEW mcp_locking_view AS SELECT id, {LOCK} AS locked FROM mcp_victim;
CREATE VIEW mcp_deleting_view AS SELECT mcp_victim_empty() AS n;
CREATE FUNCTION mcp_locking_sql() RETURNS boolean LANGUAGE sql AS 'SELECT {LOCK}';
CREATE FUNCTION mcp_hidden_lock() RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN RETURN {LOCK}; END';
CREATE FUNCTION mcp_hidden_lock(int, int) RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN RETURN {LOCK}; END';
CREATE FUNCTION mcp_hidden_delete(int, int) RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM mcp_victim; RETURN true; END';
CREATE FUNCTION mcp_hidden_delete() RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN EXECUTE ''DELETE FROM mcp_victim''; RETURN true; END';
CREATE FUNCTION mcp_hidden_setting() RETURNS text LANGUAGE plpgsql
    AS 'BEGIN RETURN set_config(''search_path'', ''mcp_schema'', false); END';
CREATE FUNCTION mcp_hidden_timeout() RETURNS text LANGUAGE plpgsql
    AS 'BEGIN RETURN set_config(''statement_timeout'', ''0'', false); END';
CREATE FUNCTION mcp_hidden_copy() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN COPY mcp_victim FROM PROGRAM ''echo 9''; RETURN 1; END';
CREATE FUNCTION mcp_hidden_listen() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN NOTIFY mcp_channel; RETURN 1; END';
CREATE FUNCTION mcp_locking_state(bigint, int) RETURNS bigint LANGUAGE plpgsql
    AS 'BEGIN PERFORM {LOCK}; RETURN $1 + $2; END';
CREATE FUNCTION mcp_locking_check(text) RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN RETURN {LOCK}; END';
CREATE AGGREGATE mcp_locking_sum(int)
    (SFUNC = mcp_locking_state, STYPE = bigint, INITCOND = '0');
CREATE DOMAIN mcp_locking_domain AS text CHECK (mcp_locking_check(VALUE));
CREATE OPERATOR #!# (LEFTARG = int, RIGHTARG = int, FUNCTION = mcp_hidden_lock);
CREATE OPERATOR #-# (LEFTARG = int, RIGHTARG = int, FUNCTION = mcp_hidden_delete);
"""
TEAR_DOWN = """
DROP OPERATOR #!# (int, int); DROP OPERATOR #-# (int, int);
DROP DOMAIN mcp_locking_domain; DROP AGGREGATE mcp_locking_sum(int);
DROP FUNCTION mcp_locking_check, mcp_locking_state, mcp_hidden_listen, mcp_hidden_copy,
    mcp_hidden_timeout, mcp_hidden_setting, mcp_hidden_delete(), mcp_locking_sql,
    mcp_hidden_delete(int, int), mcp_hidden_lock(), mcp_hidden_lock(int, int);
DROP VIEW mcp_deleting_view, mcp_locking_view, mcp_instead, mcp_view;
DROP PROCEDURE mcp_victim_call; DROP FUNCTION mcp_victim_empty;
DROP MATERIALIZED VIEW mcp_matview; DROP SEQUENCE mcp_victim_seq; DROP TABLE mcp_victim;
"""

STATE = f"""
SELECT (SELECT array_agg(v::text ORDER BY id) FROM mcp_victim v) AS rows,
       (SELECT last_value || is_called::text FROM mcp_victim_seq) AS sequence,
       (SELECT count(*) FROM pg_class WHERE relpersistence <> 't') AS relations,
       (SELECT count(*) FROM pg_proc) AS functions,
       (SELECT count(*) FROM pg_constraint) + (SELECT count(*) FROM pg_trigger)
           + (SELECT count(*) FROM pg_rewrite) + (SELECT count(*) FROM pg_policy)
           + (SELECT count(*) FROM pg_attribute) + (SELECT count(*) FROM pg_type)
           AS parts,
       (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_') AS schemas,
       (SELECT array_agg(r::text ORDER BY rolname) FROM pg_roles r
         WHERE rolname = current_user) AS me,
       (SELECT count(*) FROM pg_extension) + (SELECT count(*) FROM pg_language)
           + (SELECT count(*) FROM pg_cast) + (SELECT count(*) FROM pg_operator)
           + (SELECT count(*) FROM pg_foreign_server) + (SELECT count(*) FROM
           pg_publication) + (SELECT count(*) FROM pg_event_trigger) AS others,
       (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects,
       (SELECT count(*) FROM pg_description WHERE objoid = 'mcp_victim'::regclass)
           AS comments,
       (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())
           AS prepared,
       (SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'mcp') AS slots,
       (SELECT array_agg(setting ORDER BY name) FROM pg_settings WHERE name IN
           ('log_statement', 'work_mem', 'default_transaction_read_only')) AS settings,
       (SELECT count(*) FROM pg_db_role_setting WHERE setrole = current_user::regrole
            OR setdatabase = (SELECT oid FROM pg_database
                               WHERE datname = current_database())) AS role_settings,
       (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE datname = current_database()
           AND (locktype = 'advisory' AND classid::bigint <> {GATE_LOCK}
                OR relation = 'mcp_victim'::regclass
                AND pid <> pg_backend_pid())) AS locks
"""


@pytest.fixture(scope="module")
def victim(backend: Backend) -> Iterator[None]:
    """What is to be hurt, and what could hide how; a query may take a second."""
    with backend.cursor() as cursor:
        cursor.execute(SET_UP)
    backend.tool("attack_session", SESSION)
    backend.parameter("query_timeout", 1)
    yield
    backend.parameter("query_timeout", False)
    with backend.cursor() as cursor:
        cursor.execute(TEAR_DOWN)


@pytest.fixture(scope="module")
def connect(backend: Backend, victim: None) -> Iterator[object]:
    """Makes connections of one's own to the server's database."""
    conninfo = backend.server.stack.postgres.conninfo
    made = []

    def connect() -> psycopg2.extensions.connection:
        made.append(
            psycopg2.connect(
                f"{conninfo} dbname='{backend.server.database}' "
                f"application_name='{CANARY}'"
            )
        )
        made[-1].autocommit = True
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


class Watched:
    """What a statement could change, looked at after each.

    :param canary: another session, to be ended or listened to
    """

    def __init__(self, canary: psycopg2.extensions.connection, file: Path) -> None:
        self.canary = canary
        self.file = file
        with canary.cursor() as cursor:
            cursor.execute("LISTEN mcp_channel; SELECT pg_backend_pid()")
            self.pid = cursor.fetchone()[0]
        self.before = self.state()

    def state(self) -> tuple:
        """All of it, as others see it."""
        with self.canary.cursor() as cursor:
            cursor.execute(STATE)
            found = cursor.fetchone()
        return found, len(self.canary.notifies), self.file.exists()

    def spelled(self, text: str) -> str:
        """The statement for this database."""
        for name, value in (
            ("{lock}", LOCK),
            ("{canary}", str(self.pid)),
            ("{file}", str(self.file)),
        ):
            text = text.replace(name, value)
        return text


def harmed(
    client: McpClient, watched: Watched, attacks: list
) -> Iterator[tuple[str, object]]:
    """What was changed by which, and what was not told as it should be."""
    for attack in attacks:
        statement = watched.spelled(attack.text)
        result = client.tool("query_database", query=statement)
        told = result["content"][0]["text"]
        if watched.state() != watched.before:
            yield statement, (watched.before, watched.state())
            return
        if attack.outcome != "harmless" and result.get("isError") is not True:
            yield statement[:200], told[:200]
        if "internal error" in told.lower() or "root:x:0" in told:
            yield statement[:200], told[:200]


@pytest.mark.parametrize("kind", KINDS)
def test_sql_that_writes_commands_or_hides_changes_nothing(
    kind: str, client: McpClient, connect: object, tmp_path: Path
) -> None:
    watched = Watched(connect(), tmp_path / "escaped")
    attacks = [attack for attack in SQL if attack.kind == kind]
    assert len(attacks) >= 8
    found = list(harmed(client, watched, attacks))
    assert not found, "\n".join(map(str, found))


def test_sql_that_exhausts_is_ended_and_leaves_no_memory_taken(
    server: OdooServer,
    client: McpClient,
    backend: Backend,
    connect: object,
    tmp_path: Path,
) -> None:
    watched = Watched(connect(), tmp_path / "escaped")
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    found = list(harmed(client, watched, EXHAUSTS))
    assert not found, "\n".join(map(str, found))
    grown = (process.memory_info().rss - before) // MEGABYTE
    assert grown < MOST_GROWN
    running = (
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
        "AND state = 'active' AND pid <> pg_backend_pid()"
    )
    eventually(lambda: not backend.rows(running), "nothing runs", seconds=5)


def test_value_is_a_value_whatever_it_holds(
    client: McpClient, connect: object, tmp_path: Path
) -> None:
    watched = Watched(connect(), tmp_path / "escaped")
    for value in PARAMETERS:
        result = client.tool("query_database", query="SELECT %s AS v", params=[value])
        assert watched.state() == watched.before
        told = result["content"][0]["text"]
        assert not result.get("isError"), told
        [row] = result["structuredContent"]["rows"]
        if isinstance(value, str):
            assert row["v"] == value
    # as a name it is none
    for value in filter(lambda value: isinstance(value, str), PARAMETERS):
        for name in ("table_name", "schema_name", "search"):
            arguments = {"action": "list_tables", name: value}
            client.tool("get_db_schema", **arguments)
            arguments = {"action": "describe_table", "table_name": "x", name: value}
            client.tool("get_db_schema", **arguments)
            assert watched.state() == watched.before


def test_session_is_as_before_when_all_have_been_tried(
    server: OdooServer, key: str, connect: object, tmp_path: Path
) -> None:
    def settings() -> object:
        with McpClient(server.url, key) as own:
            return own.tool("attack_session")["structuredContent"]["settings"]

    before = settings()
    watched = Watched(connect(), tmp_path / "escaped")
    with McpClient(server.url, key) as client:
        for attack in SQL:
            client.tool("query_database", query=watched.spelled(attack.text))
    assert [settings() for _turn in range(4)] == [before] * 4
    assert watched.state() == watched.before
