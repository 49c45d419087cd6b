"""The record tools where each call is a transaction of its own."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, McpClient, unmarked
from dev.tests.waiting import eventually

LATER = """
env.cr.postcommit.add(lambda: env['mcp.test.nothing'])
action = {'type': 'ir.actions.act_window_close'}
"""


class Postman(threading.Thread):
    """Listens where mail would be delivered, and counts who comes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.visits = 0
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()


@pytest.fixture(scope="module")
def client(backend: Backend) -> Iterator[McpClient]:
    with McpClient(backend.server.url, backend.key("admin")) as own:
        yield own


@pytest.fixture(scope="module")
def plain(backend: Backend) -> Iterator[McpClient]:
    """Who may use the record tools, and nothing else."""
    backend.user("orm_outside", "odoo_dev_mcp.odoo_dev_mcp_group_user")
    with McpClient(backend.server.url, backend.key("orm_outside")) as own:
        yield own


@pytest.fixture
def partner(backend: Backend) -> Iterator[int]:
    number = backend.execute("res.partner", "create", {"name": "Outside ☃"})
    yield number
    backend.execute("res.partner", "unlink", [number])


def done(client: McpClient, name: str, /, **arguments: Any) -> dict[str, Any]:
    """What a call tells that must succeed."""
    result = client.tool(name, **arguments)
    assert not result.get("isError"), result
    return unmarked(result["structuredContent"])


def everything(backend: Backend) -> dict[str, Any]:
    """How many rows each table has, and each version of the partners."""
    tables = backend.rows(
        "SELECT relname, (xpath('/row/n/text()', query_to_xml(format("
        "'SELECT count(*) AS n FROM %%I', relname), false, true, '')))[1]::text n "
        "FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND relname NOT LIKE 'mcp\\_%%' ORDER BY 1"
    )
    partners = backend.rows("SELECT id, xmin::text, ctid::text FROM res_partner")
    return {"tables": tables, "partners": sorted(map(str, partners))}


def test_a_plain_user_has_the_record_tools_and_their_rights(
    plain: McpClient, backend: Backend, partner: int
) -> None:
    found = done(
        plain,
        "search_records",
        model="res.partner",
        domain=[["id", "=", partner]],
        fields=["name"],
    )
    assert found["records"] == [{"id": partner, "name": "Outside ☃"}]
    answer = plain.call(
        "tools/call",
        {
            "name": "write_records",
            "arguments": {
                "model": "res.partner",
                "operation": "unlink",
                "ids": [partner],
            },
        },
    ).result
    assert answer["isError"]
    assert "check_access" in answer["content"][0]["text"]
    told = done(
        plain, "check_access", model="res.partner", operation="unlink", ids=[partner]
    )
    assert not told["allowed"]
    assert "base.group_partner_manager" in str(told["remedies"])


def test_a_trial_leaves_no_row_and_tells_only_what_it_did(
    client: McpClient, backend: Backend, partner: int
) -> None:
    before = everything(backend)
    told = done(
        client,
        "write_records",
        model="res.partner",
        operation="write",
        ids=[partner],
        values={"name": "Tried", "child_ids": [[0, 0, {"name": "Tried child"}]]},
        dry_run=True,
    )
    [change] = [row for row in told["changes"] if row["model"] == "res.partner"]
    assert [row["id"] for row in change["updated"]] == [partner]
    assert change["updated"][0]["values"]["complete_name"] == ["Outside ☃", "Tried"]
    assert [row["values"]["name"] for row in change["created"]] == ["Tried child"]
    assert everything(backend) == before


def test_a_change_is_committed_and_told(
    client: McpClient, backend: Backend, partner: int
) -> None:
    told = done(
        client,
        "write_records",
        model="res.partner",
        operation="write",
        ids=[partner],
        values={"name": "Changed"},
    )
    assert told["changes"] == [{"id": partner, "name": ["Outside ☃", "Changed"]}]
    [row] = backend.rows("SELECT name FROM res_partner WHERE id = %s", partner)
    assert row["name"] == "Changed"


def test_a_trial_sends_nothing(client: McpClient, backend: Backend) -> None:
    postman = Postman()
    server = backend.execute(
        "ir.mail_server",
        "create",
        {"name": "Postman", "smtp_host": "127.0.0.1", "smtp_port": postman.port},
    )
    mail = backend.execute(
        "mail.mail",
        "create",
        {
            "subject": "Outside",
            "email_to": "a@example.com",
            "email_from": "b@example.com",
            "mail_server_id": server,
        },
    )
    send = {"model": "mail.mail", "operation": "call", "method": "send", "ids": [mail]}
    told = done(client, "write_records", **send, dry_run=True)
    assert told["dry_run"]
    assert postman.visits == 0
    assert backend.execute("mail.mail", "read", [mail], ["state"])[0]["state"] == (
        "outgoing"
    )
    done(client, "write_records", **send)
    assert postman.visits > 0
    postman.socket.close()
    backend.execute("ir.mail_server", "unlink", [server])


def test_what_waits_for_a_commit_does_not_happen_in_a_trial(
    client: McpClient, backend: Backend
) -> None:
    model = backend.execute("ir.model", "search", [("model", "=", "res.partner")])[0]
    action = backend.execute(
        "ir.actions.server",
        "create",
        {"name": "later", "model_id": model, "state": "code", "code": LATER},
    )
    run = {
        "model": "ir.actions.server",
        "operation": "call",
        "method": "run",
        "ids": [action],
    }
    told = done(client, "write_records", **run, dry_run=True)
    assert told["result"] == {"type": "ir.actions.act_window_close"}
    answer = client.call("tools/call", {"name": "write_records", "arguments": run})
    assert answer.result["isError"], "what waits for the commit runs when there is one"
    backend.execute("ir.actions.server", "unlink", [action])


def test_a_trial_of_a_group_leaves_no_rights_behind(
    client: McpClient, backend: Backend
) -> None:
    user = backend.user("orm_raised")
    backend.execute("res.users", "has_group", [user], "base.group_partner_manager")
    groups = backend.run(
        "action = ['group_ids' if 'group_ids' in env['res.users'] else 'groups_id',"
        " env.ref('base.group_partner_manager').id]"
    )
    told = done(
        client,
        "write_records",
        model="res.users",
        operation="write",
        ids=[user],
        values={groups[0]: [[4, groups[1]]]},
        dry_run=True,
    )
    assert told["changes"]
    access = done(
        client,
        "check_access",
        model="res.partner",
        operation="write",
        user="orm_raised",
    )
    assert not access["allowed"]


def test_who_was_overtaken_is_told_to_try_again(
    client: McpClient, backend: Backend, partner: int
) -> None:
    code = f"env['res.partner'].browse({partner}).write({{'ref': 'x'}})\n"
    model = backend.execute("ir.model", "search", [("model", "=", "res.partner")])[0]
    action = backend.execute(
        "ir.actions.server",
        "create",
        {
            "name": "slow",
            "model_id": model,
            "state": "code",
            "code": f"env.cr.execute('SELECT pg_sleep(3)')\n{code}",
        },
    )
    answers = []

    def slow() -> None:
        with McpClient(client.url.removesuffix(ENDPOINT), client.key) as own:
            answers.append(
                own.tool(
                    "write_records",
                    model="ir.actions.server",
                    operation="call",
                    method="run",
                    ids=[action],
                )
            )

    thread = threading.Thread(target=slow)
    thread.start()
    eventually(
        lambda: backend.rows(
            "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(3)%%'"
        ),
        "the slow call to have begun",
    )
    done(
        client,
        "write_records",
        model="res.partner",
        operation="write",
        ids=[partner],
        values={"ref": "first"},
    )
    thread.join()
    assert answers[0]["isError"]
    assert "try again" in answers[0]["content"][0]["text"]
    backend.execute("ir.actions.server", "unlink", [action])
