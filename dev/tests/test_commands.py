"""Commands on a real server: they end in time, with all that they started."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient, unmarked
from dev.tests.processes import processes
from dev.tests.waiting import Background, at_once, eventually, within

SECRET = "hunter2-of-the-test"


def run(client: McpClient, command: str, **arguments: object) -> dict:
    result = client.tool("execute_command", command=command, **arguments)
    assert "structuredContent" in result, result["content"][0]["text"]
    return unmarked(result["structuredContent"])


def refused(client: McpClient, **arguments: object) -> str:
    result = client.tool("execute_command", **arguments)
    assert result["isError"] is True
    assert "structuredContent" not in result
    return result["content"][0]["text"]


def test_command_is_told_with_the_fields_of_1_0(client: McpClient) -> None:
    found = run(client, "echo out; echo err >&2; exit 3")
    assert found.pop("duration_ms") >= 0
    assert found == {
        "stdout": "out\n",
        "stderr": "err\n",
        "exit_code": 3,
        "timed_out": False,
    }


def test_directory_and_environment_are_as_asked(
    client: McpClient, tmp_path: Path
) -> None:
    found = run(
        client,
        "pwd; echo $ONE-$TWO",
        working_directory=str(tmp_path),
        env_vars={"ONE": "1 $HOME", "TWO": "ä\n"},
    )
    assert found["stdout"] == f"{tmp_path}\n1 $HOME-ä\n"


def test_directory_is_the_servers_own_by_default(
    client: McpClient, server: OdooServer
) -> None:
    assert run(client, "pwd")["stdout"].strip() == os.readlink(
        f"/proc/{server.pid}/cwd"
    )


def test_audit_entry_has_the_command_and_its_exit_code(
    server: OdooServer, backend: Backend
) -> None:
    key = backend.key("admin")
    with McpClient(server.url, key) as client:
        run(client, "exit 7", env_vars={"MY_PASSWORD": SECRET})
    [entry] = backend.entries(key)
    assert (entry["status"], entry["exit_code"]) == ("success", "7")
    assert "exit 7" in entry["arguments"]
    assert SECRET not in entry["arguments"]


def test_standard_input_is_empty(client: McpClient) -> None:
    assert run(client, "cat; read -r line; echo $?")["stdout"] == "1\n"


def test_output_that_is_no_utf8_is_shown(client: McpClient) -> None:
    assert run(client, r"printf 'a\xff\xfeb'")["stdout"] == "a\\xff\\xfeb"


def test_each_output_is_cut_in_the_middle(client: McpClient) -> None:
    command = "seq 1 100000; seq 1 100000 >&2; echo end"
    found = run(client, command)
    whole = sum(len(f"{n}\n") for n in range(1, 100_001))
    for name, tail in (("stdout", "100000\nend\n"), ("stderr", "100000\n")):
        text = found[name]
        assert text.startswith("1\n2\n3\n")
        assert text.endswith(tail)
        assert len(text) < 51_000
        left_out = int(text.partition("… [")[2].partition(" bytes")[0])
        extra = len("end\n") if name == "stdout" else 0
        assert left_out == whole + extra - 50_000


def test_signal_is_told_as_shells_do(client: McpClient) -> None:
    assert run(client, "kill -TERM $$")["exit_code"] == 128 + 15


@pytest.mark.parametrize(
    "command",
    [
        "sleep {}",
        "trap '' TERM INT HUP; while :; do sleep {}; done",
        "sleep {} & sleep {}",
        "(setsid sleep {} &); sleep {}",
        "(setsid sh -c 'sleep {} & sleep {}' &); sleep {}",
        "nohup setsid sleep {} >/dev/null 2>&1 & sleep {}",
        "yes {}",
        "while :; do sh -c 'sleep {} & exit'; done",
    ],
    ids=[
        *("sleeps", "ignores signals", "has a child", "has a daemon"),
        *("daemon with children", "nohup", "prints without end", "forks on and on"),
    ],
)
def test_nothing_lives_past_the_timeout(
    command: str, client: McpClient, mark: str
) -> None:
    began = time.monotonic()
    found = run(client, command.replace("{}", mark), timeout=1)
    assert within(5, began)
    assert found["timed_out"] is True
    assert found["exit_code"] == -1
    assert "1 s" in found["hint"]
    assert processes(mark) == []


def test_timeout_is_an_error_that_still_tells_the_output(client: McpClient) -> None:
    result = client.tool("execute_command", command="echo begun; sleep 60", timeout=1)
    assert result["isError"] is True
    assert result["structuredContent"]["stdout"] == "begun\n"


def test_daemon_that_closes_its_output_lives_on(client: McpClient, mark: str) -> None:
    found = run(
        client, f"setsid sleep {mark} >/dev/null 2>&1 & echo started", timeout=20
    )
    assert found["stdout"] == "started\n"
    assert found["exit_code"] == 0
    [daemon] = processes(mark)
    daemon.kill()


def test_command_that_kills_its_supervisor_leaves_nothing(
    client: McpClient, mark: str
) -> None:
    found = run(client, f"kill -9 $PPID; sleep {mark}", timeout=20)
    assert found["exit_code"] == 128 + 9
    assert processes(mark) == []


def test_command_that_stops_its_supervisor_is_ended_all_the_same(
    client: McpClient, mark: str
) -> None:
    began = time.monotonic()
    found = run(client, f"kill -STOP $PPID; sleep {mark}", timeout=1)
    assert found["timed_out"] is True
    assert within(5, began)
    eventually(lambda: not processes(f"sleep {mark}"), "nothing is left", seconds=5)


def test_commands_and_code_at_once_wait_for_none_but_themselves(
    server: OdooServer, key: str
) -> None:
    """A fork for one call inherits no pipe of another one's."""

    def slow() -> float:
        with McpClient(server.url, key) as client:
            client.tool("odoo_shell", code="import time; time.sleep(9)")
        return 0.0

    def quick(tool: str, arguments: dict) -> float:
        longest = 0.0
        with McpClient(server.url, key) as client:
            for _turn in range(12):
                began = time.monotonic()
                result = client.tool(tool, **arguments)
                assert not result.get("isError"), result["content"][0]["text"]
                longest = max(longest, time.monotonic() - began)
        return longest

    commands = [lambda: quick("execute_command", {"command": "true"})] * 2
    shells = [lambda: quick("odoo_shell", {"code": "1"})] * 2
    assert max(at_once([slow, slow, *commands, *shells])) < 8


def test_command_of_a_killed_server_is_gone(
    make_server: Callable[..., OdooServer], key: str, mark: str
) -> None:
    own = make_server()

    def call() -> None:
        with McpClient(own.url, key) as client:
            client.tool(
                "execute_command", command=f"(setsid sleep {mark} &); sleep {mark}"
            )

    call = Background(call)
    eventually(lambda: len(processes(f"sleep {mark}")) >= 2, "the command runs")
    own.kill()
    eventually(
        lambda: not processes(f"sleep {mark}"), "nothing of it is left", seconds=5
    )
    assert call.failure() is not None


def test_no_secret_of_the_server_is_in_the_environment(
    make_server: Callable[..., OdooServer], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "MY_TOKEN", "ANYTHING"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:1")
    own = make_server(options={"admin_passwd": SECRET})
    with McpClient(own.url, key) as client:
        found = run(client, "env; cat /proc/$PPID/environ | tr '\\0' '\\n'")
    assert "PATH=" in found["stdout"]
    assert SECRET not in found["stdout"]


def test_limits_of_the_worker_are_not_the_commands(
    make_server: Callable[..., OdooServer], key: str
) -> None:
    own = make_server(workers=2, options={"limit_memory_hard": 2 * 1024**3})
    with McpClient(own.url, key) as client:
        assert run(client, "ulimit -v; ulimit -t")["stdout"] == "unlimited\nunlimited\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"command": ""}, "'command'"),
        ({"command": " \n\t"}, "'command'"),
        ({"command": "echo a\0b"}, "NUL"),
        ({"command": "x", "working_directory": "relative"}, "'working_directory'"),
        ({"command": "x", "working_directory": "/no/such"}, "'working_directory'"),
        ({"command": "x", "working_directory": "/etc/passwd"}, "'working_directory'"),
        ({"command": "x", "timeout": 0}, "'timeout'"),
        ({"command": "x", "timeout": 601}, "600"),
        ({"command": "x", "timeout": "1"}, "'timeout'"),
        ({"command": "x", "env_vars": {"A=B": "c"}}, "'env_vars'"),
        ({"command": "x", "env_vars": {"A": 1}}, "'env_vars"),
        ({"command": "x", "env_vars": {"A": "\0"}}, "NUL"),
        ({"command": "x", "background": "yes"}, "'background'"),
        ({}, "'command'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, told: str, client: McpClient) -> None:
    assert told in refused(client, **arguments)


def test_command_that_is_too_long_is_not_started_and_says_so(
    client: McpClient,
) -> None:
    found = run(client, f"echo {'x' * 200_000}")
    assert found["exit_code"] == -2
    assert "write_file" in found["hint"]


def test_default_and_maximum_are_settings(client: McpClient, backend: Backend) -> None:
    backend.parameter("command_timeout", 1)
    backend.parameter("command_maximum", 2)
    try:
        assert run(client, "sleep 60")["timed_out"] is True
        assert "at most 2 s" in refused(client, command="x", timeout=3)
        backend.parameter("command_output", 1000)
        assert len(run(client, "seq 1 10000")["stdout"]) < 1100
    finally:
        backend.parameter("command_output", False)
        backend.parameter("command_timeout", False)
        backend.parameter("command_maximum", False)


def test_no_descriptor_and_no_zombie_is_left(
    client: McpClient, server: OdooServer
) -> None:
    for _warm_up in range(5):
        run(client, "true")
    process = psutil.Process(server.pid)
    before = process.num_fds()
    for _turn in range(10):
        run(client, "sleep 0.01 & exit 1")
        client.tool("execute_command", command="sleep 9", timeout=1, env_vars={"=": ""})
    assert process.num_fds() < before + 5
    assert [c.status() for c in process.children()].count(psutil.STATUS_ZOMBIE) == 0
