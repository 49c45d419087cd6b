"""Health tells the truth, to anybody, without a write."""

import socket
from collections.abc import Callable, Iterator

import pytest
import requests

from dev.odoo_instance import LOOPBACK
from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT
from dev.tests.waiting import eventually

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = '{0}' AND pid <> pg_backend_pid()"
)

# A sequence goes on even where the writing transaction is rolled back.
NOTE_WRITES = """
CREATE SEQUENCE mcp_writes;
CREATE FUNCTION mcp_note_write() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM nextval(''mcp_writes''); RETURN NULL; END';
DO $$ DECLARE name regclass; BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r'
                   AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('CREATE TRIGGER mcp_note AFTER INSERT OR UPDATE OR DELETE ON %s '
                       'FOR EACH STATEMENT EXECUTE FUNCTION mcp_note_write()', name);
    END LOOP;
END $$;
"""


@pytest.fixture(scope="module")
def own_server(
    start_server: Callable[..., OdooServer], make_database: Callable[[str], str]
) -> Iterator[OdooServer]:
    """A server whose database can be taken away, and that knows the route without."""
    own = start_server(
        database=make_database("health"),
        options={
            "server_wide_modules": "base,web,odoo_dev_mcp",
            "max_cron_threads": 0,
        },
    )
    yield own
    own.end()


@pytest.fixture
def change(own_server: OdooServer, stack: Stack) -> Iterator[Callable[[str], None]]:
    """Alters the server's database, for its next connections; undone in the end."""
    name = own_server.database

    def alter(how: str) -> None:
        stack.sql("postgres", f'ALTER DATABASE "{name}" {how}', TERMINATE.format(name))

    yield alter
    alter("ALLOW_CONNECTIONS true")


def ask(server: OdooServer, **headers: str) -> requests.Response:
    return ask_at(server.url, **headers)


def ask_at(url: str, **headers: str) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    return session.get(f"{url}{ENDPOINT}/health", headers=headers, timeout=60)


def test_healthy_server_says_what_it_is(either_server: OdooServer, series: str) -> None:
    answer = ask(either_server)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert "Set-Cookie" not in answer.headers
    told = answer.json()
    assert told["status"] == "healthy"
    assert told["version"] == "1.0.0"
    assert told["odoo_version"].startswith(series)
    assert set(told["parts"]) == {"database", "listener", "jobs"}
    assert told["parts"]["database"] == {"status": "healthy"}
    # switched off for all servers of the tests but those about it
    assert told["parts"]["listener"] == {"status": "disabled"}


def test_health_writes_nothing(own_server: OdooServer) -> None:
    backend = Backend(own_server)
    with backend.cursor() as cursor:
        cursor.execute(NOTE_WRITES)
    written = "SELECT is_called FROM mcp_writes"
    for _turn in range(5):
        assert ask(own_server).status_code == 200
    assert backend.rows(written) == [{"is_called": False}]
    with backend.cursor() as cursor:
        cursor.execute("UPDATE ir_config_parameter SET value = value")
    assert backend.rows(written) == [{"is_called": True}]


def test_database_that_refuses_connections_is_unhealthy_and_recovers(
    own_server: OdooServer, change: Callable[[str], None], stack: Stack
) -> None:
    assert ask(own_server).status_code == 200
    change("ALLOW_CONNECTIONS false")
    answer = ask(own_server)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json()
    assert told["status"] == "unhealthy"
    assert told["error"]
    assert told["parts"] == {"database": {"status": "unhealthy"}}
    for secret in (own_server.database, stack.postgres.host, stack.postgres.user):
        assert secret not in answer.text.replace("odoo_dev_mcp", "")
    change("ALLOW_CONNECTIONS true")
    eventually(lambda: ask(own_server).status_code == 200, "healthy again")


def test_mcp_without_its_database_is_refused_in_json(
    own_server: OdooServer, change: Callable[[str], None]
) -> None:
    change("ALLOW_CONNECTIONS false")
    session = requests.Session()
    session.trust_env = False
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = session.post(own_server.url + ENDPOINT, json=message, timeout=60)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == -32603
    assert own_server.database not in answer.text


def test_listener_that_cannot_listen_degrades_and_strangers_learn_no_more(
    own_server: OdooServer,
) -> None:
    backend = Backend(own_server)

    def listener() -> dict:
        return ask(own_server).json()["parts"]["listener"]

    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        port = holder.getsockname()[1]
        backend.parameter("listener_port", port)
        backend.parameter("listener_enabled", 1)
        assert ask(own_server).json()["status"] == "degraded"
        eventually(lambda: str(port) in listener()["error"], "the port is told")
        for headers in (
            {"X-Forwarded-For": "203.0.113.7"},
            {"Host": "rebound.example"},
            {"Origin": "https://evil.example"},
        ):
            answer = ask(own_server, **headers)
            assert answer.status_code == 200
            assert answer.json()["status"] == "degraded"
            assert answer.json()["parts"]["listener"] == {"status": "unhealthy"}
            assert str(port) not in answer.text
    url = f"http://{LOOPBACK}:{port}"
    well = {"status": "healthy", "url": url + ENDPOINT}
    eventually(lambda: listener() == well, "it listens when the port is free")
    for door in (own_server.url, url):
        told = ask_at(door).json()
        assert (told["status"], told["parts"]["listener"]) == ("healthy", well)
        told = ask_at(door, Forwarded="for=203.0.113.7").json()
        assert told["parts"]["listener"] == {"status": "healthy"}
    backend.parameter("listener_enabled", 0)
    assert ask(own_server).json()["status"] == "healthy"
    assert listener() == {"status": "disabled"}


def test_part_that_cannot_be_read_in_time_degrades(own_server: OdooServer) -> None:
    backend = Backend(own_server)
    with backend.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS mcp_job (state varchar)")
    with backend.cursor() as cursor:
        cursor.execute("LOCK TABLE mcp_job IN ACCESS EXCLUSIVE MODE")
        answer = ask(own_server)
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["parts"]["jobs"]["status"] == "unhealthy"
    jobs = ask(own_server).json()["parts"]["jobs"]
    assert jobs == {"status": "healthy", "pending": 0, "running": 0}
