"""The harness itself: what it starts answers, and what it makes stays in the cache."""

import signal
from collections.abc import Callable

import psutil
import pytest
import requests

from dev import database as databases
from dev import paths
from dev.console import HarnessError
from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend


def health(server: OdooServer) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    return session.get(f"{server.url}/web/health", timeout=30)


def test_server_answers_with_the_series_asked_for(
    server: OdooServer, backend: Backend, series: str
) -> None:
    assert health(server).json() == {"status": "pass"}
    installed = backend.rows(
        "SELECT latest_version, state FROM ir_module_module WHERE name = 'base'"
    )
    assert installed[0]["latest_version"].startswith(series)


def test_addon_is_installed(backend: Backend) -> None:
    query = "SELECT state FROM ir_module_module WHERE name = %s"
    assert backend.rows(query, paths.ADDON) == [{"state": "installed"}]


def test_two_servers_share_the_database(
    server: OdooServer, second_server: OdooServer
) -> None:
    assert server.pid != second_server.pid
    assert server.database == second_server.database
    assert health(second_server).ok


def test_prefork_server_answers_from_its_workers(prefork_server: OdooServer) -> None:
    assert health(prefork_server).ok
    children = psutil.Process(prefork_server.pid).children()
    assert len(children) >= prefork_server.workers


def test_sections_and_options_reach_the_configuration_file(
    stack: Stack, database: str
) -> None:
    server = OdooServer(
        stack,
        database,
        options={"limit_time_real": 77},
        sections={"odoo_dev_mcp": {"sample": "yes"}},
    )
    server.argv()
    written = server.config_path.read_text()
    assert "limit_time_real = 77" in written
    assert "[odoo_dev_mcp]\nsample = yes" in written
    assert server.config_path.stat().st_mode & 0o777 == 0o600


def test_stopped_server_ends_cleanly(make_server: Callable[..., OdooServer]) -> None:
    own = make_server()
    own.stop()
    assert own.process is not None
    assert own.process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        health(own)


def test_killed_server_ends_at_once(make_server: Callable[..., OdooServer]) -> None:
    own = make_server()
    own.kill()
    assert own.process is not None
    assert own.process.returncode == -signal.SIGKILL


def test_taken_port_is_named_with_the_remedy(server: OdooServer) -> None:
    other = OdooServer(server.stack, server.database, port=server.port)
    with pytest.raises(HarnessError, match=f"port {server.port} is taken.*PORT="):
        other.start()


def test_odoo_listens_on_loopback_alone(server: OdooServer) -> None:
    sockets = psutil.Process(server.pid).net_connections("inet")
    listening = {own.laddr.ip for own in sockets if own.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_everything_lives_in_the_cache(stack: Stack, server: OdooServer) -> None:
    cache = paths.cache()
    for made in (stack.env.root, stack.data, server.log_path, paths.addons_link()):
        assert made.is_relative_to(cache), made


def test_compiled_modules_stay_out_of_the_repository(server: OdooServer) -> None:
    assert health(server).ok
    assert not list(paths.REPOSITORY.rglob("__pycache__"))


def test_template_is_built_once(stack: Stack) -> None:
    name = databases.template(stack)
    assert databases.exists(stack, name)
    assert databases.template(stack) == name
