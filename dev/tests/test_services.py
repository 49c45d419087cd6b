"""How the services do, what they log, and a restart that comes back."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually

LOG = """\
2026-11-25 10:00:00,001 1 INFO db odoo.modules: first
2026-11-25 10:00:01,001 1 ERROR db odoo.http: Exception during request
Traceback (most recent call last):
  File "/x.py", line 1, in <module>
    1 / 0
ZeroDivisionError: division by zero
2026-11-25 10:00:02,001 1 WARNING db odoo.orm: careful
2026-11-25 10:00:03,001 1 INFO db odoo.http: password=hunter2 postgres://u:hunter2@h/d
2026-11-25 10:00:04,001 1 INFO db odoo.http: last
"""


def status(client: McpClient, service: str = "odoo", **arguments: object) -> dict:
    result = client.tool("service_status", service=service, **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def refused(client: McpClient, **arguments: object) -> str:
    result = client.tool("service_status", **arguments)
    assert result["isError"] is True
    return result["content"][0]["text"]


def test_status_of_odoo_is_that_of_its_processes(
    either_server: OdooServer, key: str
) -> None:
    with McpClient(either_server.url, key) as client:
        found = status(client)
    assert found["service"] == "odoo"
    assert (found["active"], found["status"]) == (True, "running")
    assert found["manager"] in ("process", "container", "systemd")
    assert found["pid"] == either_server.pid
    assert 50 < found["memory_mb"] < 5000
    assert found["cpu_percent"] > 0
    # whole seconds: none yet when the server has only just started
    assert 0 <= found["uptime_seconds"] < 3600
    assert found["uptime"].startswith("0:")
    children = {child.pid for child in psutil.Process(either_server.pid).children()}
    pids = {worker["pid"] for worker in found["workers"]}
    assert pids <= children
    assert len(pids) >= either_server.workers


def test_status_of_postgresql_is_that_of_its_postmaster(client: McpClient) -> None:
    found = status(client, "postgresql")
    assert found["active"] is True
    assert psutil.Process(found["pid"]).name() == "postgres"
    assert psutil.Process(psutil.Process(found["pid"]).ppid()).name() != "postgres"


@pytest.fixture
def bogus_service(backend: Backend, tmp_path: Path) -> Iterator[psutil.Process]:
    """A process with a name of its own, and a service of that name in the settings."""
    program = tmp_path / "mcp-bogusd"
    program.write_bytes(Path("/bin/sleep").resolve().read_bytes())
    program.chmod(0o755)
    log = tmp_path / "bogus.log"
    log.write_text(LOG)
    with log.open("a") as stream:
        process = subprocess.Popen([program, "1000"], stderr=stream)
    backend.parameter("services", "odoo, mcp-bogusd")
    yield psutil.Process(process.pid)
    backend.parameter("services", False)
    process.kill()
    process.wait()


def test_services_are_those_of_the_settings(
    client: McpClient, bogus_service: psutil.Process
) -> None:
    assert status(client, "mcp-bogusd")["pid"] == bogus_service.pid
    bogus_service.kill()
    eventually(lambda: not status(client, "mcp-bogusd")["active"], "seen as gone")
    text = refused(client, service="postgresql")
    assert "mcp-bogusd, odoo" in text


def log(client: McpClient, **arguments: object) -> list[str]:
    found = status(client, "mcp-bogusd", action="logs", **arguments)
    assert found["line_count"] == len(found["log_lines"])
    return found["log_lines"]


def test_log_comes_from_where_the_process_writes_it(
    client: McpClient, bogus_service: psutil.Process, tmp_path: Path
) -> None:
    found = status(client, "mcp-bogusd", action="logs")
    assert found["source"] == str(tmp_path / "bogus.log")
    assert found["log_lines"][0].endswith("first")
    assert found["log_lines"][-1].endswith("last")
    assert found["truncated"] is False


def test_filters_keep_tracebacks_whole(
    client: McpClient, bogus_service: psutil.Process
) -> None:
    lines = LOG.splitlines()
    assert log(client, level="ERROR") == lines[1:6]
    assert log(client, level="WARNING") == lines[1:7]
    assert log(client, grep="zerodivision") == lines[1:6]
    assert log(client, grep="careful|first") == [lines[0], lines[6]]
    assert log(client, grep="division", level="CRITICAL") == []


def test_last_lines_are_told_and_that_there_are_more(
    client: McpClient, bogus_service: psutil.Process
) -> None:
    found = status(client, "mcp-bogusd", action="logs", log_lines=1)
    assert [line[-4:] for line in found["log_lines"]] == ["last"]
    assert found["truncated"] is True


def test_secrets_in_a_log_are_masked(
    client: McpClient, bogus_service: psutil.Process
) -> None:
    text = "\n".join(log(client))
    assert "hunter2" not in text
    assert "password=***" in text


def test_log_of_odoo_tells_what_a_tool_logged(
    client: McpClient, backend: Backend
) -> None:
    backend.tool("log_this", "log('a line of the test', level='warning')")
    assert not client.tool("log_this").get("isError")
    client.tool(
        "odoo_shell",
        code="import logging\nlogging.getLogger('mcp.test').error('from shell')",
    )
    found = status(client, action="logs", level="ERROR", grep="mcp.test")
    assert "from shell" in found["log_lines"][-1]


def test_large_log_is_read_from_its_end(
    client: McpClient, bogus_service: psutil.Process, tmp_path: Path
) -> None:
    path = tmp_path / "bogus.log"
    line = "2026-11-25 11:00:00,000 1 INFO db x: {}\n"
    with path.open("a") as stream:
        stream.writelines(line.format(f"{n} {'é' * 50}") for n in range(100_000))
    assert log(client, grep="Exception during")[1].startswith("Traceback")
    assert len(log(client, log_lines=5000)) == 5000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"service": "no-such"}, "nginx, odoo, postgresql"),
        ({"service": "nginx", "action": "restart"}, "Nothing here can restart"),
        ({"service": "nginx", "action": "explode"}, "'action'"),
        ({"service": "odoo", "action": "logs", "grep": "(x"}, "regular expression"),
        ({"service": "odoo", "action": "logs", "level": "LOUD"}, "'level'"),
        ({"service": "odoo", "action": "logs", "log_lines": 0}, "'log_lines'"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_remedy(
    arguments: dict, told: str, client: McpClient
) -> None:
    assert told in refused(client, **arguments)


def test_pattern_that_never_ends_is_stopped(
    client: McpClient, bogus_service: psutil.Process, tmp_path: Path
) -> None:
    with (tmp_path / "bogus.log").open("a") as stream:
        stream.write("2026-11-25 11:00:00,000 1 INFO db x: " + "a" * 30_000 + "!\n")
    client.tool("service_status", service="mcp-bogusd", action="logs", grep="((a+)+)+b")
    assert status(client)["active"] is True


@pytest.mark.parametrize("workers", [0, 2])
def test_restart_answers_first_and_comes_back(
    workers: int, make_server: Callable[..., OdooServer], key: str
) -> None:
    own = make_server(workers=workers)
    with McpClient(own.url, key) as client:
        children = psutil.Process(own.pid).children()
        started = own.log().count("HTTP service (werkzeug) running")
        began = time.monotonic()
        found = status(client, action="restart")
        assert "restarts now" in found["message"]
    if workers:
        assert psutil.wait_procs(children, 120)[1] == []
    running = "HTTP service (werkzeug) running"
    eventually(lambda: own.log().count(running) > started, "it starts again")
    own.wait_ready()
    with McpClient(own.url, key) as client:
        found = status(client)
    assert found["pid"] == own.pid
    assert found["uptime_seconds"] < time.monotonic() - began + 1


def test_restart_that_would_not_come_back_is_refused(
    make_server: Callable[..., OdooServer], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = type(make_server().stack.env).variables

    def without_path(self, extra=None):
        return {**variables(self, extra), "PATH": "/usr/sbin:/sbin"}

    monkeypatch.setattr("dev.python_env.PythonEnv.variables", without_path)
    own = make_server()
    with McpClient(own.url, key) as client:
        text = refused(client, action="restart")
        assert "first in the PATH" in text
        assert status(client)["active"] is True


def test_stop_answers_first(make_server: Callable[..., OdooServer], key: str) -> None:
    own = make_server()
    with McpClient(own.url, key) as client:
        assert "stops now" in status(client, action="stop")["message"]
    eventually(lambda: not own.running(), "it has ended", seconds=20)
