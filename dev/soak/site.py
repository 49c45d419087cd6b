"""The Odoo that the soak loads: a database, its settings, and a server with workers."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from dev import paths
from dev.bench import wire
from dev.bench.site import LISTENER_SECONDS
from dev.console import HarnessError
from dev.odoo_instance import LOOPBACK, OdooInstance, free_port
from dev.odoo_server import OdooServer
from dev.stack import Stack

WORKERS = 2

LIMITED = "get_module_info"
"""The tool whose limit is reached in each of its windows."""
LET_IN, WINDOW_SECONDS = 5, 5

SETTINGS = """
INSERT INTO ir_config_parameter (key, value) VALUES
    ('odoo_dev_mcp.listener_enabled', '1'),
    ('odoo_dev_mcp.listener_port', '{listener_port}'),
    ('odoo_dev_mcp.audit_file', '{folder}/audit.log')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value;
-- counted all the same
UPDATE mcp_rate_limit SET calls = 100000000;
INSERT INTO mcp_rate_limit (name, active, calls, period, scope)
     VALUES ('soak', true, {let_in}, {window}, 'key');
UPDATE mcp_tool SET rate_limit_id = (SELECT id FROM mcp_rate_limit WHERE name = 'soak')
 WHERE name = '{limited}';
-- each call that is let in, and in which window
CREATE TABLE soak_let_in (window_end timestamp, calls integer);
CREATE FUNCTION soak_let_in() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.limit_id = (SELECT id FROM mcp_rate_limit WHERE name = 'soak') THEN
        INSERT INTO soak_let_in VALUES (NEW.window_end, NEW.calls)|
    END IF|
    RETURN NULL|
END $$;
CREATE TRIGGER soak_let_in AFTER INSERT OR UPDATE ON mcp_rate_limit_counter
    FOR EACH ROW EXECUTE FUNCTION soak_let_in()
"""

KEY = """
import json
admin = env.ref("base.user_admin")
print("key:", json.dumps(env["mcp.api.key"]._generate(admin, {"name": "soak"})))
"""


@dataclass(frozen=True)
class Site:
    """A database that is ready, and what a client must know of it.

    :param folder: for files of the clients, and the audit file
    """

    stack: Stack
    database: str
    listener_port: int
    key: str
    folder: Path

    def server(self) -> OdooServer:
        """Odoo with workers that are not recycled: what they grow by stays visible."""
        options = {"limit_request": 10**9, "max_cron_threads": 1}
        return OdooServer(self.stack, self.database, workers=WORKERS, options=options)

    def wait_for_listener(self) -> None:
        """Return when the listener answers.

        :raise HarnessError: it never does
        """
        deadline = time.monotonic() + LISTENER_SECONDS
        with wire.Connection(LOOPBACK, self.listener_port) as connection:
            while time.monotonic() < deadline:
                try:
                    if connection.ask(wire.get("/mcp/v1/health")).status == 200:
                        return
                except OSError:
                    time.sleep(0.2)
        raise HarnessError("the listener does not answer")


def prepare(stack: Stack, database: str) -> Site:
    """Make a database with the addon ready, before a server runs on it."""
    folder = paths.made(paths.cache() / "run" / f"{database}-files")
    port = free_port()
    told = OdooInstance(stack, database).shell(KEY).rpartition("key: ")[2]
    statements = SETTINGS.format(
        listener_port=port,
        folder=folder,
        let_in=LET_IN,
        window=WINDOW_SECONDS,
        limited=LIMITED,
    ).split(";\n")
    stack.sql(database, *(text.replace("|", ";") for text in statements))
    return Site(stack, database, port, json.loads(told), folder)
