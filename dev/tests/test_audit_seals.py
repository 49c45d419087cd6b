"""The chain of seals while calls come in."""

import threading
from typing import Any

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import Background, at_once, eventually

CLIENTS = 4
CALLS = 25
SLOW_CALL = "SELECT pg_sleep(1.5)"


def verified(backend: Backend) -> dict[str, Any]:
    """What Verify Seals shows to an administrator."""
    verify = backend.execute("mcp.audit.log.verify", "create", {})
    backend.execute("mcp.audit.log.verify", "action_verify", [verify])
    names = ["state", "findings", "seal_count", "entry_count", "pending_count"]
    return backend.execute("mcp.audit.log.verify", "read", [verify], names)[0]


def seal(backend: Backend) -> None:
    with backend.cursor() as cursor:
        cursor.execute("SELECT mcp_audit_seal_make(7)")


def test_every_call_is_sealed_once_while_calls_come_in(
    prefork_server: OdooServer, backend: Backend
) -> None:
    secret = backend.key("admin")
    ended = threading.Event()

    def call() -> None:
        with McpClient(prefork_server.url, secret) as client:
            for _call in range(CALLS):
                client.tool("query_database", query="SELECT 1")

    def seal_all_the_time() -> None:
        while not ended.is_set():
            seal(backend)

    with McpClient(prefork_server.url, secret) as slow:
        sleeping = Background(lambda: slow.tool("query_database", query=SLOW_CALL))
        sealing = [Background(seal_all_the_time) for _sealer in range(2)]
        at_once([call] * CLIENTS)
        sleeping.result()
        ended.set()
        for sealer in sealing:
            sealer.result()
    found = verified(backend)
    assert (found["state"], found["findings"]) == ("whole", "")
    lines = backend.rows(
        "SELECT split_part(line, ' ', 1)::int AS entry "
        "FROM mcp_audit_seal, unnest(string_to_array(entries, E'\\n')) line"
    )
    entries = [row["entry"] for row in lines]
    wanted = backend.rows("SELECT id FROM mcp_audit_log WHERE status <> 'open'")
    assert sorted(entries) == sorted(row["id"] for row in wanted)
    assert len(entries) >= CLIENTS * CALLS + 1

    def settled() -> bool:
        with McpClient(prefork_server.url, secret) as client:
            client.tool("query_database", query="SELECT 1")
        seal(backend)
        newest = "SELECT settled FROM mcp_audit_seal ORDER BY id DESC LIMIT 1"
        return backend.rows(newest)[0]["settled"] >= max(entries)

    # a transaction of another test may go on, which might have had one of them
    eventually(settled, "what was closed long ago is not looked at again")


def test_sealing_is_done_by_a_scheduled_action(
    server: OdooServer, backend: Backend, client: McpClient
) -> None:
    client.tool("query_database", query="SELECT 1")
    pending = "SELECT max(id) AS id FROM mcp_audit_log WHERE status <> 'open'"
    entry = backend.rows(pending)[0]["id"]
    [cron] = backend.execute(
        "ir.model.data", "search_read", [("name", "=", "ir_cron_seal")], ["res_id"]
    )
    backend.execute("ir.cron", "method_direct_trigger", [cron["res_id"]])
    last = "SELECT max(last_entry) AS id FROM mcp_audit_seal"
    eventually(lambda: (backend.rows(last)[0]["id"] or 0) >= entry, "it is sealed")
