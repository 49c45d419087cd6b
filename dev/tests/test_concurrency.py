"""Many clients at once get their own answers, on rows as others commit them."""

import json
from collections.abc import Iterator

import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import at_once

CLIENTS = 8
CALLS = 12
WHO = "SELECT %s::int AS client, %s::int AS number, pg_sleep(0.005)::text AS slept"


@pytest.fixture
def table(backend: Backend) -> Iterator[str]:
    """A table of this test alone."""
    with backend.cursor() as cursor:
        cursor.execute("CREATE TABLE mcp_test_fresh (id int PRIMARY KEY, name text)")
    yield "mcp_test_fresh"
    with backend.cursor() as cursor:
        cursor.execute("DROP TABLE mcp_test_fresh")


def names(client: McpClient, table: str) -> list[str]:
    result = client.tool("query_database", query=f"SELECT name FROM {table} ORDER BY 1")
    return [row["name"] for row in result["structuredContent"]["rows"]]


def test_query_sees_what_another_connection_has_committed(
    client: McpClient, backend: Backend, table: str
) -> None:
    assert names(client, table) == []
    with backend.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1, 'first'), (2, 'second')")
    assert names(client, table) == ["first", "second"]


def test_query_does_not_see_what_is_not_committed(
    client: McpClient, backend: Backend, table: str
) -> None:
    with backend.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1, 'pending')")
        assert names(client, table) == []
    assert names(client, table) == ["pending"]


def call_repeatedly(server: OdooServer, key: str, number: int) -> list[dict]:
    with McpClient(server.url, key) as client:
        return [
            client.tool("query_database", query=WHO, params=[number, turn])
            for turn in range(CALLS)
        ]


def test_eight_clients_get_each_their_own_answers_and_audit_entries(
    either_server: OdooServer, backend: Backend
) -> None:
    key = backend.key("admin")
    answers = at_once(
        [
            lambda number=number: call_repeatedly(either_server, key, number)
            for number in range(CLIENTS)
        ]
    )
    for number, results in enumerate(answers):
        rows = [result["structuredContent"]["rows"] for result in results]
        assert rows == [
            [{"client": number, "number": turn, "slept": ""}] for turn in range(CALLS)
        ]
    entries = backend.entries(key)
    assert {entry["status"] for entry in entries} == {"success"}
    told = sorted(json.loads(entry["arguments"])["params"] for entry in entries)
    assert told == [[who, turn] for who in range(CLIENTS) for turn in range(CALLS)]


def test_eight_clients_with_their_own_keys_act_each_as_their_user(
    either_server: OdooServer, backend: Backend
) -> None:
    tool = f"who_{either_server.workers}"
    backend.tool(tool, "action = {'login': env.user.login}")
    logins = [f"crowd{number}_{either_server.workers}" for number in range(CLIENTS)]
    backend.users(logins, "odoo_dev_mcp.odoo_dev_mcp_group_user")
    keys = {login: backend.key(login) for login in logins}

    def told(login: str) -> set[str]:
        with McpClient(either_server.url, keys[login]) as client:
            results = [client.tool(tool) for _turn in range(CALLS)]
        return {result["structuredContent"]["login"] for result in results}

    answers = at_once([lambda login=login: told(login) for login in logins])
    assert answers == [{login} for login in logins]


def test_eight_clients_mixing_good_and_bad_calls_disturb_nobody(
    either_server: OdooServer, backend: Backend
) -> None:
    key = backend.key("admin")
    queries = ["SELECT 1 AS n", "SELECT nothing", "SELECT pg_sleep(0.01)::text AS n"]

    def ask(number: int) -> list[bool]:
        query = queries[number % len(queries)]
        with McpClient(either_server.url, key) as client:
            results = [
                client.tool("query_database", query=query) for _turn in range(CALLS)
            ]
        return [result.get("isError", False) for result in results]

    answers = at_once([lambda number=number: ask(number) for number in range(CLIENTS)])
    for number, failed in enumerate(answers):
        assert failed == [number % len(queries) == 1] * CALLS
    statuses = [entry["status"] for entry in backend.entries(key)]
    assert "open" not in statuses
    assert len(statuses) == CLIENTS * CALLS
