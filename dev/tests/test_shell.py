"""Python with Odoo's environment: stopped at its deadline, committed whole or not."""

import time
from collections.abc import Callable

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import Background, at_once, eventually, within


def run(client: McpClient, code: str, **arguments: object) -> dict:
    result = client.tool("odoo_shell", code=code, **arguments)
    assert "structuredContent" in result, result["content"][0]["text"]
    found = result["structuredContent"]
    assert bool(result.get("isError")) == (found["error"] is not None)
    return found


def partners(backend: Backend, name: str) -> int:
    query = "SELECT count(*) AS n FROM res_partner WHERE name = %s"
    return backend.rows(query, name)[0]["n"]


def make(name: str) -> str:
    return f"env['res.partner'].create({{'name': {name!r}}})"


@pytest.mark.parametrize(
    ("code", "value", "output"),
    [
        ("1 + 1", 2, ""),
        ("print('a'); {'k': [1, None, 'ä']}", {"k": [1, None, "ä"]}, "a\n"),
        ("x = 5", None, ""),
        ("env.user.login", "admin", ""),
        ("(self == env.user, uid == env.uid, cr is env.cr)", "(True, True, True)", ""),
        ("env['res.users'].browse([1, 2])", "res.users(1, 2)", ""),
        ("context['lang']", "en_US", ""),
        ("import datetime\ndatetime.date(2026, 1, 2)", "datetime.date(2026, 1, 2)", ""),
        ("float('nan')", "nan", ""),
        ("{1: 2}", "{1: 2}", ""),
        ("Command.link(1)", "(<Command.LINK: 4>, 1, 0)", ""),
        ("def f():\n    return 6\n\nf()", 6, ""),
        ("", None, ""),
        ("import sys\nsys.stderr.write('e\\n'); None", None, "e\n"),
        ("import os\nos.system('echo from C; echo e >&2')", 0, "from C\ne\n"),
        ("import os\nos.write(1, b'\\xff'); None", None, "\\xff"),
    ],
)
def test_value_of_the_last_expression_and_all_output_come_back(
    code: str, value: object, output: str, client: McpClient
) -> None:
    found = run(client, code)
    assert found["error"] is None
    assert found["return_value"] == value
    assert found["output"] == output


def test_success_is_committed(client: McpClient, backend: Backend) -> None:
    run(client, make("shell success"))
    assert partners(backend, "shell success") == 1


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("env.cr.execute('SELECT nothing')", "UndefinedColumn"),
        ("env['res.partner'].browse(10**9).name", "MissingError"),
        ("import os; os._exit(0)", "ended its process (exit status 0)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
        ("import os; os.fork()", "fork"),
        ("import multiprocessing as m; m.Process(target=print).start()", "fork"),
        ("env.cr.commit()", "cr.commit()"),
        ("while True: pass", "Stopped after 2 s"),
        ("import time; time.sleep(10**9)", "Stopped after 2 s"),
        ("sum(range(10**12))", "Stopped after 2 s"),
        ("env.cr.execute('SELECT pg_sleep(99)')", "Stopped after 2 s"),
    ],
)
def test_failure_leaves_nothing_and_the_server_goes_on(
    failure: str, told: str, client: McpClient, backend: Backend
) -> None:
    name = f"shell failure {failure[:30]}"
    began = time.monotonic()
    found = run(
        client,
        f"print('printed')\n{make(name)}.flush_recordset()\n{failure}",
        timeout=2,
    )
    assert within(5, began)
    assert told in found["error"]
    assert found["return_value"] is None
    assert partners(backend, name) == 0
    assert run(client, "1")["return_value"] == 1


def test_stopped_code_leaves_nothing_running_in_postgresql(
    client: McpClient, backend: Backend
) -> None:
    run(client, "env.cr.execute('SELECT pg_sleep(4242)')", timeout=1)
    left = (
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
    )
    eventually(lambda: not backend.rows(left, "%pg_sleep(4242)%"), "it ends", seconds=5)


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        ("lambda: __import__('time').sleep(60)", "All is committed"),
        ("lambda: 1 / 0", "All is committed"),
    ],
)
def test_what_fails_after_the_commit_is_told_as_that(
    hook: str, told: str, client: McpClient, backend: Backend
) -> None:
    name = f"shell after commit {hook[-8:]}"
    code = f"{make(name)}\nenv.cr.postcommit.add({hook})"
    found = run(client, code, timeout=2)
    assert told in found["error"]
    assert partners(backend, name) == 1


def test_dry_run_that_locks_a_table_does_not_wait_for_itself(client: McpClient) -> None:
    code = (
        "cr.execute('ALTER TABLE res_partner_category ADD COLUMN mcp_x int')\n"
        "env['res.partner.category'].create({'name': 'x'}).flush_recordset()"
    )
    found = run(client, code, dry_run=True, timeout=10)
    assert found["error"] is None
    assert "res_partner_category" in {change["table"] for change in found["changes"]}


def test_sql_that_ends_the_transaction_is_told(
    client: McpClient, backend: Backend
) -> None:
    create = f"{make('shell sql commit')}.flush_recordset()"
    for ending in ("ROLLBACK", "COMMIT", "COMMIT; BEGIN", "END"):
        code = f"cr.execute({ending!r})\n{create}"
        assert "COMMIT or ROLLBACK" in run(client, code)["error"]
        assert partners(backend, "shell sql commit") == 0


def test_traceback_is_that_of_the_callers_code(client: McpClient) -> None:
    code = "def inner():\n    raise ValueError('deep')\n\ninner()"
    error = run(client, code)["error"]
    assert error.startswith("Traceback")
    assert 'File "<odoo_shell>", line 4' in error
    assert "raise ValueError('deep')" in error
    assert "odoo_dev_mcp" not in error
    syntax = run(client, "x = 1\ndef f(:")["error"]
    assert "line 2" in syntax
    assert "SyntaxError" in syntax


def test_long_values_and_tracebacks_are_cut(client: McpClient) -> None:
    found = run(client, "'x' * 10**7")
    assert len(found["return_value"]) < 51_000
    assert "[10000002 characters]" in found["return_value"]
    assert len(run(client, "raise ValueError('y' * 10**6)")["error"]) < 9_000
    assert len(run(client, "print('z' * 10**7)")["output"]) < 51_000


def test_dry_run_tells_what_would_change_and_changes_nothing(
    client: McpClient, backend: Backend
) -> None:
    [gone] = backend.execute("res.partner.category", "create", [{"name": "dry gone"}])
    [kept] = backend.execute("res.partner.category", "create", [{"name": "dry kept"}])
    code = (
        "tags = env['res.partner.category']\n"
        f"tags.browse({gone}).unlink()\n"
        f"tags.browse({kept}).name = 'changed'\n"
        "tags.create({'name': 'dry new'}).id"
    )
    found = run(client, code, dry_run=True)
    assert found["error"] is None
    [change] = [c for c in found["changes"] if c["table"] == "res_partner_category"]
    assert change == {
        "table": "res_partner_category",
        "created": [found["return_value"]],
        "updated": [kept],
        "deleted": [gone],
        "rows": 3,
    }
    rows = backend.rows(
        "SELECT id FROM res_partner_category WHERE id IN (%s, %s)", gone, kept
    )
    assert len(rows) == 2
    assert run(client, "env.user.name", dry_run=True)["changes"] == []


def test_dry_run_sees_what_sql_changes(client: McpClient) -> None:
    code = "cr.execute(\"UPDATE res_lang SET name = name || '!' WHERE code = 'en_US'\")"
    [change] = run(client, code, dry_run=True)["changes"]
    assert change["table"] == "res_lang"
    assert len(change["updated"]) == 1


def test_it_runs_as_the_keys_user(server: OdooServer, backend: Backend) -> None:
    backend.user("shell_user", "odoo_dev_mcp.odoo_dev_mcp_group_developer")
    with McpClient(server.url, backend.key("shell_user")) as client:
        assert run(client, "(env.user.login, env.su)")["return_value"] == (
            "('shell_user', False)"
        )
        assert "AccessError" in run(client, "env['ir.cron'].search([])")["error"]


def test_what_it_changed_is_seen_by_every_worker(
    prefork_server: OdooServer, key: str
) -> None:
    name = f"shell.cached.{time.monotonic_ns()}"
    read = f"env['ir.config_parameter'].sudo().get_param({name!r})"
    with McpClient(prefork_server.url, key) as client:
        for turn in range(6):
            write = f"env['ir.config_parameter'].sudo().set_param({name!r}, '{turn}')"
            assert run(client, write)["error"] is None
            assert run(client, read)["return_value"] == str(turn)


def test_calls_at_once_have_each_their_own_output(
    either_server: OdooServer, key: str
) -> None:
    def call(number: int) -> list[dict]:
        with McpClient(either_server.url, key) as client:
            code = (
                "import time\nfor n in range(20):\n"
                f"    print({number}); time.sleep(.002)\n{number}"
            )
            return [run(client, code) for _turn in range(4)]

    answers = at_once([lambda number=number: call(number) for number in range(8)])
    for number, found in enumerate(answers):
        assert [one["return_value"] for one in found] == [number] * 4
        assert {one["output"] for one in found} == {f"{number}\n" * 20}


def test_fork_under_load_never_hangs(server: OdooServer, key: str) -> None:
    """Other threads use the registry, the cursors and the logging all the while."""

    def load() -> int:
        with McpClient(server.url, key) as client:
            for _turn in range(60):
                client.tool("query_database", query="SELECT count(*) FROM res_partner")
        return 0

    def shells() -> int:
        with McpClient(server.url, key) as client:
            return sum(
                run(client, "env['res.partner'].search_count([]) > 0 and 1")[
                    "return_value"
                ]
                for _turn in range(25)
            )

    assert at_once([load, load, load, shells, shells]) == [0, 0, 0, 25, 25]


def test_nothing_is_left_of_the_processes_that_code_starts(
    client: McpClient, server: OdooServer
) -> None:
    code = "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '98765']).pid"
    pid = run(client, code)["return_value"]
    eventually(lambda: not psutil.pid_exists(pid), "it is gone", seconds=5)
    children = psutil.Process(server.pid).children()
    assert [child.status() for child in children].count(psutil.STATUS_ZOMBIE) == 0


def test_code_of_a_killed_server_is_gone(
    make_server: Callable[..., OdooServer], key: str, backend: Backend
) -> None:
    own = make_server()
    name = "shell of a killed server"

    def call() -> None:
        with McpClient(own.url, key) as client:
            run(client, f"{make(name)}.flush_recordset()\nimport time\ntime.sleep(60)")

    background = Background(call)
    [fork] = eventually(lambda: psutil.Process(own.pid).children(), "the code runs")
    own.kill()
    assert background.failure() is not None
    eventually(lambda: not fork.is_running(), "the fork is gone", seconds=5)
    assert partners(backend, name) == 0


def test_empty_arguments_are_named(client: McpClient) -> None:
    result = client.tool("odoo_shell")
    assert "'code'" in result["content"][0]["text"]
    result = client.tool("odoo_shell", code="1", timeout=601)
    assert "600" in result["content"][0]["text"]
