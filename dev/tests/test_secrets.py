"""No secret in what processes print, in files, jobs and logs; marks around all."""

from pathlib import Path

import pytest

from dev.tests.backend import Backend
from dev.tests.client import META, MODERN, McpClient
from dev.tests.waiting import eventually

MASK = "***MASKED***"
TOKEN = "ghp_" + "a1B2" * 9
SURE = f"x {TOKEN} y"
MARKS = ("data_begins", "data_ends")
TASKS = {"extensions": {f"{META}/tasks": {}}}


def told(client: McpClient, tool: str, **arguments: object) -> str:
    """All that a client is told, which is the same JSON twice, between marks."""
    result = client.tool(tool, **arguments)
    found = result["structuredContent"]
    assert (next(iter(found)), [*found][-1]) == MARKS
    return str(result)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("odoo_shell", {"code": f"print({SURE!r})"}),
        ("odoo_shell", {"code": f"import os; os.system('echo {SURE}')"}),
        ("odoo_shell", {"code": f"{{'a': [{SURE!r}]}}"}),
        ("odoo_shell", {"code": f"raise ValueError({SURE!r})"}),
        ("execute_command", {"command": f"echo {SURE}"}),
        ("execute_command", {"command": f"echo {SURE} >&2; exit 3"}),
    ],
)
def test_what_processes_print_holds_no_secret(
    tool: str, arguments: dict, client: McpClient
) -> None:
    text = told(client, tool, **arguments)
    assert TOKEN not in text
    assert f"x {MASK} y" in text


def test_fields_that_are_read_are_masked_by_their_names(client: McpClient) -> None:
    code = (
        "env['ir.mail_server'].create({'name': 'm', 'smtp_host': 'h', "
        "'smtp_user': 'demo', 'smtp_pass': 'hunter2-Xy9'})"
        ".read(['smtp_user', 'smtp_pass'])"
    )
    result = client.tool("odoo_shell", code=code, dry_run=True)["structuredContent"]
    [row] = result["return_value"]
    assert (row["smtp_user"], row["smtp_pass"]) == ("demo", MASK)


def test_file_is_read_without_secrets_and_not_written_back_without_them(
    client: McpClient, tmp_path: Path
) -> None:
    path = tmp_path / "env"
    path.write_text("DB_PASSWORD=hunter2-Xy9\nDB_USER=demo\n")
    read = client.tool("read_file", path=str(path))["structuredContent"]["content"]
    assert read == f"DB_PASSWORD={MASK}\nDB_USER=demo\n"
    changed = read.replace("demo", "other")
    result = client.tool("write_file", path=str(path), content=changed)
    assert result["isError"]
    assert "secret" in result["content"][0]["text"]
    assert "hunter2-Xy9" in path.read_text()
    result = client.tool("write_file", path=str(tmp_path / "new"), content=changed)
    assert not result.get("isError")
    result = client.tool("write_file", path=str(tmp_path / "new"), content=changed)
    assert not result.get("isError")


def test_job_keeps_no_secret_in_its_result_and_tells_none(
    client: McpClient, backend: Backend
) -> None:
    started = client.tool("execute_command", command=f"echo {SURE}", background=True)[
        "structuredContent"
    ]
    number = started["job_id"]
    found = eventually(
        lambda: client.tool("job", action="wait", job_id=number)["structuredContent"],
        "it has ended",
    )
    assert found["output"] == f"x {MASK} y\n"
    assert found["result"]["stdout"] == f"x {MASK} y\n"
    assert not set(MARKS) & set(found["result"])
    uri = f"odoo://jobs/{number}"
    [content] = client.call("resources/read", {"uri": uri}).result["contents"]
    assert TOKEN not in content["text"]
    assert f"x {MASK} y" in content["text"]


def test_task_that_has_ended_is_told_with_the_same_marks_each_time(
    client: McpClient,
) -> None:
    params = {
        "name": "execute_command",
        "arguments": {"command": "echo done", "background": True},
        "_meta": {f"{META}/clientCapabilities": TASKS},
    }
    task = client.call("tools/call", params, revision=MODERN).result["taskId"]
    wanted = {"taskId": task, "_meta": {f"{META}/clientCapabilities": TASKS}}

    def look() -> dict | None:
        found = client.call("tasks/get", wanted, revision=MODERN).result
        return found if found["status"] == "completed" else None

    first = eventually(look, "it has ended")
    assert next(iter(first["result"]["structuredContent"])) == MARKS[0]
    assert look() == first


def test_audit_has_no_secret_of_arguments_and_errors(
    client: McpClient, backend: Backend
) -> None:
    client.tool("odoo_shell", code="env.user.password = 'hunter2-Xy9'; 1 / 0")
    client.tool("execute_command", command="true --password hunter2-Xy9")
    client.tool(
        "execute_sql",
        statement="UPDATE res_users SET password = %s WHERE false",
        params=["hunter2-Xy9"],
    )
    query = "SELECT id FROM res_users WHERE password = 'hunter2-Xy9'"
    assert not client.tool("query_database", query=query).get("isError")
    kept = backend.shell(
        "answer(env['mcp.audit.log'].search([], limit=4).mapped("
        "lambda entry: [entry.arguments, entry.message or '']))"
    )
    assert "hunter2" not in str(kept)
    assert "password" in str(kept)


def test_log_that_a_client_follows_holds_no_secret(
    client: McpClient, backend: Backend
) -> None:
    backend.tool("log_secret", f"mcp.log('error', 'x {TOKEN} \\u202e')")
    params = {"name": "log_secret", "arguments": {}}
    meta = {f"{META}/logLevel": "debug"}
    with client.stream("tools/call", params, meta=meta) as stream:
        told, _answer = stream.messages()
    assert told["params"]["data"] == f"x {MASK} \\u202e"
