"""``make run``: a real Odoo with the addon, a key, and the lines to connect with."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from dev import addon, console, odoo_source, paths, python_env, stack
from dev.connection import Connection
from dev.console import HarnessError, setting
from dev.odoo_instance import LOOPBACK
from dev.odoo_server import OdooServer, require_port

DEFAULT_PORT = "8069"
DEFAULT_LISTENER_PORT = "8768"
ENDPOINT = "/mcp/v1"
KEY_NAME = "make run"
FOLLOW_SECONDS = 0.2

# Earlier keys are revoked: one that lives for a run must not outlive it for ever.
KEY_SCRIPT = """
env["ir.config_parameter"].set_param("odoo_dev_mcp.listener_port", "{listener}")
admin = env.ref("base.user_admin")
keys = env["mcp.api.key"]
keys.search([("name", "=", "{name}"), ("user_id", "=", admin.id)]).action_revoke()
print("secret:", keys._generate(admin, {{"name": "{name}"}}))
"""


def main() -> int:
    """Run until Ctrl-C or the end of Odoo; with CHECK, until the client is done."""
    port = _number("PORT", DEFAULT_PORT)
    require_port(port)
    _end_on_signals()
    server = _prepared(port)
    try:
        return _serve(server)
    except KeyboardInterrupt:
        return 0
    finally:
        console.progress("stopping Odoo…")
        server.stop()


def _prepared(port: int) -> OdooServer:
    source = odoo_source.choose(setting("ODOO"))
    console.progress(f"Odoo {source.series}: {source.root} ({source.reason})")
    own = stack.on(source)
    database = setting("DB", f"{paths.ADDON}_{source.series}")
    addon.ready_database(own, database)
    if setting("CHECK"):
        python_env.environment("client")
    workers = _number("WORKERS", "0")
    return OdooServer(own, database, port=port, workers=workers)


def _serve(server: OdooServer) -> int:
    """Start, connect, then follow the log or run the client."""
    seen = server.log_path.stat().st_size if server.log_path.exists() else 0
    console.progress(f"starting Odoo on {server.url}…")
    server.launch()
    connection = Connection(
        url=server.url + ENDPOINT,
        listener_url=f"http://{LOOPBACK}:{_listener_port()}{ENDPOINT}",
        key=_key(server),
        database=server.database,
        odoo_series=server.series,
        pid=server.pid,
    )
    server.wait_ready()
    connection.save()
    try:
        print(connection.instructions(server.url), flush=True)
        if setting("CHECK"):
            return _check(connection)
        return _follow(server, seen)
    finally:
        connection.forget()


def _key(server: OdooServer) -> str:
    """A developer key of the administrator, shown here and never again."""
    script = KEY_SCRIPT.format(name=KEY_NAME, listener=_listener_port())
    lines = server.shell(script).splitlines()
    secrets = [line.split()[1] for line in lines if line.startswith("secret: ")]
    if not secrets:
        raise HarnessError("the addon gave no key: mcp.api.key._generate printed none")
    return secrets[-1]


def _listener_port() -> int:
    return _number("MCP_PORT", DEFAULT_LISTENER_PORT)


def _check(connection: Connection) -> int:
    """Status of the official client, which gets the key where ``ps`` cannot show it."""
    client = python_env.environment("client")
    facts = {"MCP_URL": connection.url, "MCP_KEY": connection.key}
    script = Path(__file__).with_name("check.py")
    done = subprocess.run(
        [client.python, script], env=client.variables(facts), check=False
    )
    return 1 if done.returncode else 0


def _follow(server: OdooServer, position: int) -> int:
    """Show the log as it grows, for as long as Odoo lives."""
    with server.log_path.open(errors="replace") as log:
        log.seek(position)
        while True:
            alive = server.running()
            sys.stdout.write(log.read())
            sys.stdout.flush()
            if not alive:
                raise HarnessError(f"Odoo ended by itself (see {server.log_path})")
            time.sleep(FOLLOW_SECONDS)


def _end_on_signals() -> None:
    """Let every polite end, a closed terminal included, stop Odoo as Ctrl-C does.

    A signal that the caller has ignored (nohup, a shell's background job) stays so.
    """

    def interrupt(*_signal: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


def _number(name: str, default: str) -> int:
    value = setting(name, default)
    if not value.isdecimal():
        raise HarnessError(f"{name}={value} is no number")
    return int(value)
