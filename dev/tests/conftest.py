"""Servers and databases for the tests from outside, one series per run.

A database is made once per run and shared: a test that alters settings of the server
asks for a server of its own through ``make_server``.
"""

import os
from collections.abc import Callable, Iterator

import pytest
import requests

from dev import database as databases
from dev import python_env
from dev import stack as stacks
from dev.odoo_instance import LOOPBACK, OdooInstance, free_port
from dev.odoo_server import OdooServer
from dev.python_env import PythonEnv
from dev.stack import Stack
from dev.tests import real_clients
from dev.tests.backend import Backend
from dev.tests.client import ENDPOINT, McpClient
from dev.tests.real_clients import Door
from dev.tests.spread import LongestFirst
from dev.tests.waiting import eventually

NO_LISTENER = (
    "INSERT INTO ir_config_parameter (key, value) "
    "VALUES ('odoo_dev_mcp.listener_enabled', '0')"
)
NO_CRONS = (
    "UPDATE ir_cron SET nextcall = nextcall + interval '1 year' WHERE id NOT IN ("
    "SELECT res_id FROM ir_model_data "
    "WHERE model = 'ir.cron' AND module = 'odoo_dev_mcp')"
)
"""Else each server that starts on a copy would first do all of Odoo's housekeeping."""
RUN = "MCP_TEST_RUN"
"""Variable with the process id of the run, which its worker processes inherit."""


def pytest_configure() -> None:
    os.environ.setdefault(RUN, str(os.getpid()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the processes of the run have shared, when all have ended."""
    if os.environ[RUN] == str(os.getpid()) and not config.option.collectonly:
        own = stacks.of(tested_series())
        databases.drop(own, pristine_name(own))
        OdooInstance(own, pristine_name(own)).forget()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LongestFirst:
    return LongestFirst(config, log)


def tested_series() -> str:
    """Series under test, given by ``make test``; 18.0 when pytest is run by hand."""
    return os.environ.get("ODOO_SERIES") or "18.0"


def pristine_name(stack: Stack) -> str:
    """Name of the database that all others are copies of."""
    return databases.temporary_name(stack, "pristine", int(os.environ[RUN]))


@pytest.fixture(scope="session")
def series() -> str:
    """See :func:`tested_series`."""
    return tested_series()


@pytest.fixture(scope="session")
def stack(series: str) -> Stack:
    """Source, Python environment and PostgreSQL of the series."""
    return stacks.of(series)


@pytest.fixture(scope="session")
def pristine(stack: Stack) -> str:
    """The database that all others are copies of, one for all processes of the run."""
    # one port for all servers: the tests of the listener switch it on themselves
    return databases.with_addon_once(stack, pristine_name(stack), NO_LISTENER, NO_CRONS)


@pytest.fixture(scope="session")
def make_database(
    stack: Stack, pristine: str, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], str]]:
    """Make databases with the addon installed, each named after its purpose.

    All are copies of one that nobody ever connects to, removed after the run. The logs
    of their servers stay in the cache when a test failed.
    """
    made: list[str] = []

    def make(purpose: str) -> str:
        made.append(databases.temporary_name(stack, purpose))
        databases.drop(stack, made[-1])
        databases.copy(stack, pristine, made[-1])
        return made[-1]

    try:
        yield make
    finally:
        for name in made:
            databases.drop(stack, name)
            if not request.session.testsfailed:
                OdooInstance(stack, name).forget()


@pytest.fixture(scope="session")
def database(make_database: Callable[[str], str]) -> str:
    """The database that all tests share but those that ask for one of their own."""
    return make_database("outside")


@pytest.fixture(scope="session")
def start_server(stack: Stack, database: str) -> Iterator[Callable[..., OdooServer]]:
    """Start servers with any ``workers``, ``options``, ``sections``, for many tests.

    They serve the shared database, or the ``database`` that is named.
    """
    started: list[OdooServer] = []

    def start(**configuration: object) -> OdooServer:
        server = OdooServer(stack, **{"database": database, **configuration})
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.end()


@pytest.fixture
def make_server(
    start_server: Callable[..., OdooServer],
) -> Iterator[Callable[..., OdooServer]]:
    """Start servers for one test, as ``start_server`` does."""
    started: list[OdooServer] = []

    def start(**configuration: object) -> OdooServer:
        started.append(start_server(**configuration))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture(scope="session")
def server(start_server: Callable[..., OdooServer]) -> OdooServer:
    """The threaded server, as developers run it."""
    return start_server()


@pytest.fixture(scope="session")
def second_server(start_server: Callable[..., OdooServer]) -> OdooServer:
    """Another process on the same database: what is shared must be in PostgreSQL."""
    return start_server()


@pytest.fixture(scope="session")
def prefork_server(start_server: Callable[..., OdooServer]) -> OdooServer:
    """Two worker processes, as in production."""
    return start_server(workers=2)


@pytest.fixture(scope="session")
def backend(server: OdooServer) -> Backend:
    """The administrator's hands: users, keys, records, rows.

    The limits as shipped would end the tests: those of limits bring their own.
    """
    own = Backend(server)
    rules = own.execute("mcp.rate.limit", "search", [])
    own.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
    return own


@pytest.fixture(params=["threaded", "prefork"])
def either_server(request: pytest.FixtureRequest) -> OdooServer:
    """The threaded server, then the one with workers."""
    names = {"threaded": "server", "prefork": "prefork_server"}
    return request.getfixturevalue(names[request.param])


@pytest.fixture(scope="module")
def listener_url(backend: Backend) -> Iterator[str]:
    """The dedicated listener of the shared database, for one module of tests.

    Its lock in the database would disturb those that look for locks.
    """
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    backend.parameter("listener_port", port)
    backend.parameter("listener_enabled", 1)
    eventually(lambda: _answers(url), "the listener answers")
    yield url
    backend.parameter("listener_enabled", 0)
    eventually(lambda: not _answers(url), "the listener has ended")


def _answers(url: str) -> bool:
    session = requests.Session()
    # A proxy of the environment is never asked for a loopback address.
    session.trust_env = False
    try:
        return session.get(f"{url}{ENDPOINT}/health", timeout=10).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(params=["threaded", "prefork", "listener"])
def either_door(request: pytest.FixtureRequest) -> str:
    """The address of Odoo's port, threaded and with workers, and of the listener."""
    if request.param == "listener":
        return request.getfixturevalue("listener_url")
    name = {"threaded": "server", "prefork": "prefork_server"}[request.param]
    return request.getfixturevalue(name).url


@pytest.fixture(scope="module", params=["port", "listener"])
def door(request: pytest.FixtureRequest) -> Door:
    """Odoo's port, and the listener, for clients that take their time."""
    if request.param == "listener":
        return Door(request.getfixturevalue("listener_url"), tells_changes=True)
    return Door(request.getfixturevalue("server").url, tells_changes=False)


@pytest.fixture(scope="session")
def key(backend: Backend) -> str:
    """A developer key of the administrator."""
    return backend.key("admin")


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """Seconds to sleep that no other process on this machine sleeps."""
    return f"98{os.getpid() % 1000}.{abs(hash(request.node.nodeid)) % 100_000}"


@pytest.fixture(scope="session")
def client_env() -> PythonEnv:
    """Environment of the official ``mcp`` client, to be run as another process."""
    return python_env.environment("client")


@pytest.fixture(scope="session")
def fastmcp_env() -> PythonEnv:
    """Environment of FastMCP, to be run as another process."""
    return python_env.environment("fastmcp")


@pytest.fixture(scope="session")
def asked(backend: Backend) -> Backend:
    """What real clients ask for is there."""
    real_clients.prepare(backend)
    return backend


@pytest.fixture
def client(server: OdooServer, key: str) -> Iterator[McpClient]:
    """A modern client of the threaded server, with a connection of its own."""
    with McpClient(server.url, key) as own:
        yield own
