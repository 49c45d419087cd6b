"""Calls that go on without their client, in a process that outlives who started it."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import META, McpClient
from dev.tests.processes import job_processes, processes
from dev.tests.waiting import eventually

LIMIT = 15
"""Seconds after which Odoo ends a call on its port."""
TASKS = {"extensions": {f"{META}/tasks": {}}}


@pytest.fixture
def own_key(backend: Backend) -> str:
    """A key whose audit entries are this test's alone."""
    return backend.key("admin")


def start(client: McpClient, tool: str = "execute_command", **arguments: object) -> int:
    """Start a job and return its id."""
    result = client.tool(tool, background=True, **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    found = result["structuredContent"]
    assert found["job_state"] in ("pending", "running", "done")
    assert f"job_id={found['job_id']}" in found["hint"]
    return found["job_id"]


def job(client: McpClient, action: str, job_id: int | None = None, **more) -> dict:
    arguments = {"action": action, "job_id": job_id, **more}
    sent = {name: value for name, value in arguments.items() if value is not None}
    result = client.tool("job", **sent)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def state(client: McpClient, job_id: int) -> str:
    return job(client, "read", job_id)["jobs"][0]["state"]


def ended(client: McpClient, job_id: int, seconds: int = 60) -> dict:
    """What is told of a job when it has ended."""

    def look() -> dict | None:
        found = job(client, "wait", job_id, timeout=seconds)
        return found if found["jobs"][0]["ended_at"] else None

    return eventually(look, "it has ended", seconds=seconds)


@pytest.fixture
def caller(either_door: str, own_key: str) -> Iterator[McpClient]:
    """A client at each door."""
    with McpClient(either_door, own_key) as own:
        yield own


def test_command_in_the_background_is_told_with_output_and_result(
    caller: McpClient, backend: Backend, own_key: str
) -> None:
    command = "for i in 1 2 3; do echo line $i; sleep 1; done"
    job_id = start(caller, command=command)
    assert state(caller, job_id) in ("pending", "running")
    found = ended(caller, job_id)
    [row] = found["jobs"]
    assert (row["tool"], row["state"]) == ("execute_command", "done")
    assert found["output"] == "line 1\nline 2\nline 3\n"
    assert found["result"]["exit_code"] == 0
    assert found["result"]["stdout"] == found["output"]
    entry = backend.entries(own_key)[0]
    assert (entry["tool"], entry["status"]) == ("execute_command", "success")
    assert entry["duration_ms"] >= 3000
    assert entry["exit_code"] == "0"


def test_output_is_read_by_offset_and_by_tail_while_it_comes(
    caller: McpClient, mark: str
) -> None:
    job_id = start(caller, command=f"echo ä; sleep 1; echo second; sleep {mark}")
    eventually(lambda: "second" in job(caller, "read", job_id)["output"], "it prints")
    whole = job(caller, "read", job_id, offset=0)
    assert (whole["output"], whole["next_offset"]) == ("ä\nsecond\n", 9)
    part = job(caller, "read", job_id, offset=2)
    assert (part["offset"], part["output"]) == (2, "second\n")
    assert job(caller, "read", job_id, tail=4)["output"] == "ond\n"
    after = job(caller, "read", job_id, offset=9)
    assert (after["output"], after["next_offset"]) == ("", 9)
    assert job(caller, "cancel", job_id)["jobs"][0]["state"] == "cancelled"


def test_job_is_told_with_the_resource_of_its_output(
    client: McpClient, backend: Backend, mark: str
) -> None:
    arguments = {"command": f"echo so far; sleep {mark}", "background": True}
    result = client.tool("execute_command", **arguments)
    job_id = result["structuredContent"]["job_id"]
    link = result["content"][-1]
    assert (link["type"], link["uri"]) == ("resource_link", f"odoo://jobs/{job_id}")

    def printed() -> str:
        found = client.call("resources/read", {"uri": link["uri"]}).result
        return found["contents"][0]["text"]

    eventually(lambda: "\nso far\n" in printed(), "it is told what it prints")
    typed = {"name": "job_id", "value": str(job_id)[:-1]}
    reference = {"type": "ref/resource", "uri": "odoo://jobs/{job_id}"}
    found = client.call("completion/complete", {"ref": reference, "argument": typed})
    assert str(job_id) in found.result["completion"]["values"]
    backend.user("reads_jobs", "odoo_dev_mcp.odoo_dev_mcp_group_developer")
    with McpClient(backend.server.url, backend.key("reads_jobs")) as stranger:
        refused = stranger.call("resources/read", {"uri": link["uri"]})
        assert "no job" in refused.error["message"]
    job(client, "cancel", job_id)


def test_cancelled_job_ends_with_all_that_it_has_started(
    caller: McpClient, backend: Backend, own_key: str, mark: str
) -> None:
    job_id = start(caller, command=f"sleep {mark} & setsid sleep {mark} & sleep {mark}")
    eventually(lambda: len(processes(mark)) > 3, "it runs")
    found = job(caller, "cancel", job_id)
    assert found["jobs"][0]["state"] == "cancelled"
    assert processes(mark) == []
    assert backend.entries(own_key)[0]["status"] == "cancelled"
    assert job(caller, "cancel", job_id)["jobs"][0]["state"] == "cancelled"


def test_code_and_installation_run_as_jobs(
    make_database: Callable[[str], str], make_server: Callable[..., OdooServer]
) -> None:
    own = make_server(database=make_database("jobs"), workers=2)
    backend = Backend(own)
    with McpClient(own.url, backend.key("admin")) as client:
        code = "print('so far')\nenv['res.partner'].create({'name': 'by a job'}).name"
        found = ended(client, start(client, "odoo_shell", code=code))
        assert found["result"]["return_value"] == "by a job"
        assert found["output"] == "so far\n"
        name = "by a job"
        assert backend.rows("SELECT 1 FROM res_partner WHERE name = %s", name)

        job_id = start(client, "install_module", module_name="link_tracker")
        found = ended(client, job_id, 120)
        assert found["jobs"][0]["state"] == "done", found["result"]
        assert found["result"]["state"] == "installed"
        [row] = found["jobs"]
        assert 0 < row["progress"] <= row["progress_total"]
        assert row["message"].startswith("Loading ")


def test_job_that_fails_is_told_as_failed(caller: McpClient) -> None:
    found = ended(caller, start(caller, "odoo_shell", code="1 / 0"))
    assert found["jobs"][0]["state"] == "failed"
    assert "ZeroDivisionError" in found["result"]["error"]


def test_call_that_outlives_its_clients_patience_goes_on_as_a_job(
    make_database: Callable[[str], str], make_server: Callable[..., OdooServer]
) -> None:
    """On Odoo's port that patience ends before limit_time_real, too."""
    own = make_server(
        database=make_database("patience"),
        workers=2,
        options={"limit_time_real": LIMIT},
    )
    backend = Backend(own)
    with McpClient(own.url, backend.key("admin")) as client:
        command = "echo begun; sleep 8; echo ended"
        began = time.monotonic()
        found = client.tool("execute_command", command=command, timeout=60)
        assert time.monotonic() - began < LIMIT
        handle = found["structuredContent"]
        assert handle["job_state"] == "running"
        result = ended(client, handle["job_id"])["result"]
        assert result["stdout"] == "begun\nended\n"

        # one that is done by then is answered as ever
        found = client.tool("execute_command", command="echo done", timeout=60)
        assert found["structuredContent"]["stdout"] == "done\n"
        assert "job_id" not in found["structuredContent"]

        backend.parameter("handover_seconds", 1)
        found = client.tool("execute_command", command="sleep 3", timeout=60)
        assert found["structuredContent"]["job_state"] == "running"


def test_job_survives_the_worker_that_started_it(
    prefork_server: OdooServer, backend: Backend, own_key: str, mark: str
) -> None:
    with McpClient(prefork_server.url, own_key) as client:
        command = f"echo $PPID; sleep 6; echo survived {mark}"
        job_id = start(client, command=command)
        eventually(lambda: job(client, "read", job_id)["output"], "it runs")
        for worker in psutil.Process(prefork_server.pid).children():
            worker.kill()
        found = eventually(
            lambda: state(client, job_id) == "done" and job(client, "read", job_id),
            "it has ended",
        )
    assert f"survived {mark}" in found["output"]
    assert backend.entries(own_key)[0]["status"] == "success"


def test_two_servers_see_and_cancel_each_others_jobs(
    server: OdooServer, second_server: OdooServer, own_key: str, mark: str
) -> None:
    with (
        McpClient(server.url, own_key) as one,
        McpClient(second_server.url, own_key) as other,
    ):
        job_id = start(one, command=f"echo here; sleep {mark}")
        eventually(lambda: job(other, "read", job_id)["output"] == "here\n", "seen")
        assert job(other, "cancel", job_id)["jobs"][0]["state"] == "cancelled"
        assert state(one, job_id) == "cancelled"
    assert processes(mark) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_job_whose_server_died_is_lost_and_leaves_no_process(
    workers: int,
    make_server: Callable[..., OdooServer],
    server: OdooServer,
    backend: Backend,
    own_key: str,
    mark: str,
) -> None:
    doomed = make_server(workers=workers)
    with McpClient(doomed.url, own_key) as client:
        job_id = start(client, command=f"echo before; sleep {mark}")
        eventually(lambda: job(client, "read", job_id)["output"], "it runs")
    children = psutil.Process(doomed.pid).children(recursive=True)
    doomed.kill()
    eventually(lambda: not processes(mark), "nothing of it runs", seconds=20)
    with McpClient(server.url, own_key) as client:
        found = eventually(
            lambda: state(client, job_id) == "lost" and job(client, "read", job_id),
            "it is told as lost",
        )
    assert found["output"] == "before\n"
    assert backend.entries(own_key)[0]["status"] == "lost"
    for child in children:
        if child.is_running():
            child.kill()


def test_job_whose_process_was_killed_is_lost(
    server: OdooServer, backend: Backend, own_key: str, mark: str
) -> None:
    with McpClient(server.url, own_key) as client:
        job_id = start(client, command=f"sleep {mark}")
        [process] = eventually(lambda: job_processes(backend, own_key), "it runs")
        process.kill()
        eventually(lambda: state(client, job_id) == "lost", "it is told as lost")
        eventually(lambda: not processes(mark), "nothing of it runs", seconds=20)
        assert "lost" in client.tool("job", action="list")["content"][0]["text"]
    assert backend.entries(own_key)[0]["status"] == "lost"


def test_job_lives_on_when_its_server_restarts(
    make_database: Callable[[str], str],
    make_server: Callable[..., OdooServer],
    mark: str,
) -> None:
    own = make_server(database=make_database("restarted"), workers=2)
    backend = Backend(own)
    with McpClient(own.url, backend.key("admin")) as client:
        job_id = start(client, command=f"echo one; sleep 12; echo two {mark}")
        eventually(lambda: job(client, "read", job_id)["output"], "it runs")
        started = own.log().count("HTTP service (werkzeug) running")
        os.kill(own.pid, signal.SIGHUP)
    eventually(
        lambda: own.log().count("HTTP service (werkzeug) running") > started,
        "the server is back at the same port",
    )
    own.wait_ready()
    with McpClient(own.url, client.key) as again:
        assert ended(again, job_id)["output"] == f"one\ntwo {mark}\n"


def test_server_that_is_stopped_stops_its_jobs(
    make_server: Callable[..., OdooServer],
    server: OdooServer,
    own_key: str,
    mark: str,
) -> None:
    own = make_server(workers=2)
    with McpClient(own.url, own_key) as client:
        job_id = start(client, command=f"sleep {mark}")
        eventually(lambda: processes(mark), "it runs")
    own.stop()
    eventually(lambda: not processes(mark), "nothing of it runs", seconds=20)
    with McpClient(server.url, own_key) as client:
        eventually(lambda: state(client, job_id) == "lost", "it is told as lost")


def test_jobs_of_others_are_not_there(
    server: OdooServer, backend: Backend, own_key: str
) -> None:
    login = "job_stranger"
    backend.user(login, "odoo_dev_mcp.odoo_dev_mcp_group_developer")
    with (
        McpClient(server.url, own_key) as admin,
        McpClient(server.url, backend.key(login)) as stranger,
    ):
        foreign = start(admin, command="echo secret")
        ended(admin, foreign)
        own = start(stranger, command="echo mine")
        ended(stranger, own)
        unknown = {}
        for job_id in (foreign, 999_999_999):
            for action in ("read", "wait", "cancel"):
                result = stranger.tool("job", action=action, job_id=job_id)
                assert result["isError"] is True
                text = result["content"][0]["text"]
                unknown[action, job_id] = text.replace(str(job_id), "N")
        assert len(set(unknown.values())) == 1
        listed = [row["job_id"] for row in job(stranger, "list")["jobs"]]
        assert own in listed
        assert foreign not in listed
        # an administrator sees all
        assert job(admin, "read", own)["output"] == "mine\n"


def test_job_is_no_record_that_anybody_writes(backend: Backend) -> None:
    for method, arguments in (
        ("create", [{"tool": "x", "user_id": 2}]),
        ("write", [[1], {"state": "done"}]),
        ("unlink", [[1]]),
    ):
        with pytest.raises(AssertionError):
            backend.execute("mcp.job", method, *arguments)


def test_administrator_cancels_a_job_from_its_form(
    client: McpClient, backend: Backend, mark: str
) -> None:
    job_id = start(client, command=f"sleep {mark}")
    eventually(lambda: processes(mark), "it runs")
    backend.execute("mcp.job", "action_cancel", [job_id])
    eventually(lambda: state(client, job_id) == "cancelled", "it has ended")
    assert processes(mark) == []


def test_job_keeps_none_of_its_servers_sockets(
    server: OdooServer, backend: Backend, own_key: str, mark: str
) -> None:
    with McpClient(server.url, own_key) as client:
        job_id = start(client, command=f"sleep {mark}")
        [process] = eventually(lambda: job_processes(backend, own_key), "it runs")
        assert process.net_connections("tcp") == []
        job(client, "cancel", job_id)


def test_much_output_keeps_its_end_and_tells_where_it_begins(
    client: McpClient, backend: Backend
) -> None:
    backend.parameter("job_output", 200_000)
    try:
        job_id = start(client, command="seq 1 200000; echo the end")
        found = ended(client, job_id)
        begin = job(client, "read", job_id, offset=0)
        [kept] = backend.rows(
            "SELECT sum(length(text)) AS n FROM mcp_job_output WHERE job_id = %s",
            job_id,
        )
    finally:
        backend.parameter("job_output", False)
    assert found["output"].endswith("200000\nthe end\n")
    assert begin["offset"] > 0
    assert kept["n"] < 200_000 + 2 * 165_536


def test_client_that_knows_tasks_gets_one(server: OdooServer, own_key: str) -> None:
    meta = {f"{META}/clientCapabilities": TASKS}
    with McpClient(server.url, own_key) as client:
        capabilities = client.call("server/discover").result["capabilities"]
        assert capabilities["extensions"] == {f"{META}/tasks": {}}
        command = {"command": "echo begun; sleep 2; exit 3", "background": True}
        params = {"name": "execute_command", "arguments": command, "_meta": meta}
        task = client.call("tools/call", params).result
        assert (task["resultType"], task["status"]) == ("task", "working")
        asked = {"taskId": task["taskId"], "_meta": meta}
        assert (
            client.call("tasks/update", {**asked, "inputResponses": {}}).status == 200
        )

        def completed() -> dict | None:
            found = client.call("tasks/get", asked).result
            assert found["resultType"] == "complete"
            return found if found["status"] == "completed" else None

        found = eventually(completed, "the task is completed")
        assert found["result"]["structuredContent"]["exit_code"] == 3
        assert found["createdAt"] <= found["lastUpdatedAt"]

        # a task is followed by those alone who said that they know tasks
        refused = client.call("tasks/get", {"taskId": task["taskId"]})
        assert refused.error["code"] == -32021
        unknown = client.call("tasks/get", {"taskId": "no such", "_meta": meta})
        assert unknown.error["code"] == -32602


def test_task_is_cancelled(server: OdooServer, own_key: str, mark: str) -> None:
    meta = {f"{META}/clientCapabilities": TASKS}
    with McpClient(server.url, own_key) as client:
        command = {"command": f"sleep {mark}", "background": True}
        params = {"name": "execute_command", "arguments": command, "_meta": meta}
        task = client.call("tools/call", params).result
        asked = {"taskId": task["taskId"], "_meta": meta}
        assert client.call("tasks/cancel", asked).result["resultType"] == "complete"
        eventually(
            lambda: client.call("tasks/get", asked).result["status"] == "cancelled",
            "it is told as cancelled",
        )
    assert processes(mark) == []
