"""The role that queries read as, and the list of functions, on each PostgreSQL version.

What query_database reads with is the addon's own code; the outcome is looked at in the
database.
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from dev.console import HarnessError
from dev.postgres_versions import VERSIONS
from dev.stack import Stack
from dev.tests.reading import DATABASE, OTHER, Reading
from dev.tests.sql_escapes import ESCAPES, HARMLESS
from dev.tests.test_sql_escapes import TRACE, VICTIM

CANARY = "(SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'mcp_canary')"

READ = (
    "SELECT id, login, active FROM res_users",
    "SELECT count(*) FROM res_users",
    "SELECT key FROM ir_config_parameter",
    "SELECT id, login FROM mcp_logins",
    "SELECT * FROM mcp_victim",
    "SELECT last_value FROM mcp_victim_seq",
    "SELECT * FROM pg_stat_activity",
    "EXPLAIN ANALYZE SELECT * FROM mcp_victim",
)
SECRETS = (
    "SELECT password FROM res_users",
    "SELECT * FROM res_users",
    "SELECT u FROM res_users u",
    "SELECT row_to_json(u) FROM res_users u",
    "SELECT to_jsonb(u) - 'id' FROM res_users u",
    "SELECT md5(password), length(password) FROM res_users",
    "SELECT reverse(password) AS login FROM res_users",
    "SELECT login FROM res_users WHERE password LIKE 'h%'",
    "SELECT login FROM res_users ORDER BY password",
    "SELECT count(DISTINCT password) FROM res_users",
    "SELECT a.login FROM res_users a JOIN res_users b ON a.password > b.password",
    "WITH u(a, b, c) AS (TABLE res_users) SELECT c FROM u",
    "SELECT passwd FROM mcp_logins",
    "TABLE mcp_logins",
    "SELECT value FROM ir_config_parameter",
    "SELECT key FROM ir_config_parameter WHERE left(value, 1) = 'h'",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_user_mapping",
    "SELECT * FROM pg_largeobject",
    "SELECT * FROM pg_statistic",
)
# by class: a session of another role, the server, its files, other databases, itself
REFUSED = (
    f"SELECT pg_terminate_backend({CANARY})",
    f"SELECT pg_cancel_backend({CANARY})",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_stat_reset()",
    "SELECT pg_create_restore_point('mcp')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_ls_logdir()",
    "SELECT pg_ls_waldir()",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/mcp_escaped')",
    "SELECT pg_create_physical_replication_slot('mcp')",
    "SELECT pg_create_logical_replication_slot('mcp', 'test_decoding')",
    f"SELECT dblink_connect('dbname={DATABASE} user=odoo')",
    f"SELECT * FROM dblink('dbname={OTHER}', 'SELECT 1') AS t(x int)",
    "SELECT dblink_connect_u('dbname=postgres')",
    "SELECT set_config('role', 'odoo', true)",
    "SELECT set_config('role', 'postgres', true)",
    "SELECT set_config('session_authorization', 'odoo', true)",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT nextval('mcp_victim_seq')",
    "SELECT setval('mcp_victim_seq', 9)",
    "SELECT mcp_victim_empty()",
    "SELECT query_to_xml('DELETE FROM mcp_victim', true, true, '')",
    "SELECT gin_clean_pending_list('mcp_victim_pkey')",
    "SELECT pg_import_system_collations('public')",
)
# executable by PUBLIC: the list keeps them, and none outlives the call
LOCKS = (
    "SELECT pg_advisory_lock(42)",
    "SELECT pg_try_advisory_lock(42)",
    "SELECT pg_advisory_lock_shared(4, 2)",
    "SELECT pg_advisory_xact_lock(42)",
)
UNLISTED = """
SELECT DISTINCT proname::text FROM pg_proc
 WHERE provolatile = 'v' AND pronamespace = 'pg_catalog'::regnamespace
   AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND NOT 'internal'::regtype = ANY (proargtypes)
 ORDER BY 1
"""
KNOWN_HARMLESS = re.compile(
    r"""
    # what there is and how it does
      pg_\w*_size | pg_partition_(tree|ancestors) | pg_sequence_last_value
    | pg_get_(sequence_data|multixact_members|loaded_modules|wait_events|aios)
    | pg_(lock_status|blocking_pids|safe_snapshot_blocking_pids|prepared_xact)
    | pg_stat_have_stats | pg_(hba_file_rules|ident_file_mappings|current_logfile)
    | pg_show_all_file_settings | pg_get_(shmem|backend_memory|dsm)_\w+
    | pg_isolation_test_session_is_blocked | pg_notification_queue_usage
    | pg_stat_get_\w+ | pg_stat_force_next_flush | pg_show_replication_origin_status
    | pg_control_\w+ | pg_(database_)?collation_actual_version | pg_jit_available
    | pg_is_\w+ | pg_current_wal_\w+ | pg_last_\w+ | pg_get_wal_\w+
    | pg_(available_wal_summaries|wal_summary_contents)
    | pg_xact_\w+ | txid_status | current_query | amvalidate
    # time and chance
    | clock_timestamp | timeofday | timezone | pg_sleep(_for|_until)? | setseed
    | random(_normal)? | array_(sample|shuffle) | gen_random_uuid | uuidv[47]
    # what READ ONLY refuses, or nobody calls by name
    | nextval | setval | currval | lastval | currtid2? | plpgsql_\w+
    """,
    re.VERBOSE,
)
HELD = "SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(
    scope="module", params=VERSIONS, ids=lambda number: f"PostgreSQL {number}"
)
def reading(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Reading]:
    """A database with the role, on each version."""
    try:
        own = Reading(stack, request.param)
    except HarnessError as error:
        pytest.skip(f"no PostgreSQL {request.param} here: {error}")
    try:
        own.asked = own.make()
        yield own
    finally:
        own.remove()


@pytest.fixture
def canary(reading: Reading) -> Iterator[Any]:
    """A session of Odoo's role to end."""
    own = reading.owner()
    own.autocommit = True
    yield own
    own.close()


def require_unharmed(reading: Reading, canary: Any) -> None:
    """Fail if a statement had any effect that outlived it."""
    with canary.cursor() as cursor:
        cursor.execute("SELECT id, name FROM mcp_victim ORDER BY id")
        assert cursor.fetchall() == [tuple(row.values()) for row in VICTIM]
        cursor.execute("SELECT last_value, is_called FROM mcp_victim_seq")
        assert cursor.fetchall() == [(1, False)]
        cursor.execute("SELECT count(*) FROM pg_largeobject_metadata")
        assert cursor.fetchall() == [(0,)]
        cursor.execute("SELECT count(*) FROM pg_replication_slots")
        assert cursor.fetchall() == [(0,)]
    assert not TRACE.exists()


def require_refused(statements: tuple[str, ...], answers: list[Any]) -> None:
    passed = [
        statement
        for statement, answer in zip(statements, answers, strict=True)
        if "refused" not in answer
    ]
    assert passed == []


def jobs(what: str, whose: str, statements: tuple[str, ...]) -> list[list[str]]:
    return [[what, whose, statement] for statement in statements]


def test_it_is_made_by_what_a_superuser_is_told_to_execute(reading: Reading) -> None:
    assert reading.asked["refused"] == "42501"
    role, password = reading.login
    assert password not in "".join(reading.asked["statements"])
    [found] = reading.execute(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication "
        f"OR rolbypassrls, rolconfig FROM pg_roles WHERE rolname = '{role}'"
    )
    assert found == (False, ["default_transaction_read_only=on"])
    [answer] = reading.probe(["query", "reader", "SELECT current_user AS me"])
    assert answer == {"rows": [{"me": role}]}


def test_it_reads_what_there_is_and_what_is_made_later(reading: Reading) -> None:
    with reading.owner() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mcp_later AS SELECT 'new' AS name")
    try:
        statements = (*READ, *HARMLESS, "SELECT name FROM mcp_later")
        answers = reading.probe(*jobs("query", "reader", statements))
        assert [row for row in answers if "refused" in row] == []
        assert answers[-1]["rows"] == [{"name": "new"}]
    finally:
        with reading.owner() as connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE mcp_later")


def test_it_reads_no_secret_however_that_is_asked_for(reading: Reading) -> None:
    answers = reading.probe(*jobs("bare", "reader", SECRETS))
    require_refused(SECRETS, answers)
    assert "hunter2" not in str(answers)


def test_postgresql_itself_refuses_it_the_functions_that_act(
    reading: Reading, canary: Any
) -> None:
    answers = reading.probe(*jobs("bare", "reader", REFUSED))
    require_unharmed(reading, canary)
    require_refused(REFUSED, answers)


@pytest.mark.parametrize("whose", ["owner", "reader"])
def test_no_escape_gets_out_whoever_reads(
    reading: Reading, canary: Any, whose: str
) -> None:
    statements = (*ESCAPES, *REFUSED, *LOCKS)
    answers = reading.probe(*jobs("query", whose, statements), ["query", "owner", HELD])
    require_unharmed(reading, canary)
    assert answers.pop() == {"rows": [{"held": 0}]}
    require_refused(statements, answers)


def test_a_lock_that_is_everybodys_to_take_ends_with_the_call(reading: Reading) -> None:
    for statement in LOCKS:
        taken, left = reading.probe(
            ["bare", "reader", statement], ["query", "owner", HELD]
        )
        assert "rows" in taken
        assert left == {"rows": [{"held": 0}]}


def test_it_reads_no_other_database(reading: Reading) -> None:
    reading.execute("CREATE TABLE mcp_private AS SELECT 1 AS x", database=OTHER)
    role, password = reading.login
    connection = psycopg2.connect(
        host="127.0.0.1",
        port=reading.postgres.port,
        user=role,
        password=password,
        dbname=OTHER,
    )
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        connection.cursor().execute("SELECT * FROM mcp_private")
    connection.close()


def test_with_a_wrong_password_nobody_reads(reading: Reading) -> None:
    [answer] = reading.probe(["query", "stranger", "SELECT 1"])
    assert "cannot log in" in answer["refused"]
    assert "Settings > MCP Server" in answer["refused"]


def test_a_column_that_is_added_to_a_table_with_secrets_waits_for_its_renewal(
    reading: Reading,
) -> None:
    with reading.owner() as connection, connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE res_users ADD COLUMN phone text, ADD totp_secret text"
        )
    query = ["query", "reader", "SELECT phone FROM res_users"]
    secret = ["query", "reader", "SELECT totp_secret FROM res_users"]
    before, excess, after, hidden = reading.probe(query, ["grant"], query, secret)
    assert before["refused"].endswith("withheld")
    assert excess is None
    assert after == {"rows": [{"phone": None}]}
    assert "permission denied" in hidden["refused"]


def test_a_role_that_may_more_is_told_so(reading: Reading) -> None:
    role = f'"{reading.login[0]}"'
    for more, less, told in (
        (f"ALTER ROLE {role} CREATEDB", f"ALTER ROLE {role} NOCREATEDB", "databases"),
        (f"GRANT pg_monitor TO {role}", f"REVOKE pg_monitor FROM {role}", "pg_monitor"),
        (
            f"GRANT UPDATE (name) ON mcp_victim TO {role}",
            f"REVOKE UPDATE (name) ON mcp_victim FROM {role}",
            "write mcp_victim",
        ),
    ):
        reading.execute(more)
        [excess] = reading.probe(["grant"])
        reading.execute(less)
        assert told in excess


def test_each_function_that_acts_is_on_the_list(reading: Reading) -> None:
    """What a new version of PostgreSQL brings is to be looked at by someone."""
    names = [name for (name,) in reading.execute(UNLISTED)]
    [denied] = reading.probe(["denied", names])
    harmless = [name for name in names if KNOWN_HARMLESS.fullmatch(name)]
    assert set(names) - set(denied) - set(harmless) == set()
    assert set(denied) & set(harmless) == set()
    assert {"pg_terminate_backend", "pg_advisory_lock", "pg_read_file"} <= set(denied)


def test_forgotten_it_reads_nothing_and_can_be_dropped(reading: Reading) -> None:
    role = reading.login[0]
    [gone] = reading.probe(["forget"])
    assert gone is False
    answers = reading.probe(*jobs("bare", "reader", READ[:6]))
    require_refused(READ[:6], answers)
    reading.execute(f'DROP ROLE "{role}"')
    assert reading.probe(["forget"]) == [True]
    # and it is made anew
    assert reading.make()["refused"] == "42501"
    [answer] = reading.probe(["query", "reader", READ[0]])
    assert len(answer["rows"]) == 1


def test_a_role_that_makes_roles_makes_it_and_drops_it_by_itself(
    reading: Reading,
) -> None:
    reading.probe(["forget"])
    reading.execute(f'DROP ROLE "{reading.login[0]}"', "ALTER ROLE odoo CREATEROLE")
    try:
        query = ["query", "reader", READ[0]]
        made, excess, _session_of_before, answer, gone = reading.probe(
            ["making"], ["grant"], query, query, ["forget"]
        )
        assert made["refused"] is None
        assert excess is None
        assert len(answer["rows"]) == 1
        assert gone is True
    finally:
        reading.execute("ALTER ROLE odoo NOCREATEROLE")
        reading.make()
