"""run_tests on real modules, each test on a database that is made for it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.aftermath import Witness
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.processes import job_processes, processes
from dev.tests.waiting import eventually

NAME = "mcp_tested"
MODEL = """\
from odoo import fields, models


class Tested(models.Model):
    _name = "mcp.tested"
    _description = "Tested"

    name = fields.Char()

    def divide(self, number):
        return 1 / number
"""
TESTS = """\
import logging
import unittest

from odoo.tests import HttpCase, TransactionCase, tagged

_logger = logging.getLogger(__name__)


class TestTested(TransactionCase):
    def test_that_passes(self):
        self.assertEqual(self.env["mcp.tested"].create({"name": "a"}).name, "a")

    def test_that_fails(self):
        _logger.warning("beware of %s", "this")
        self.assertEqual("left", "right", "no such side")

    def test_that_errs(self):
        self.env["mcp.tested"].divide(0)

    @unittest.skip("not today")
    def test_that_is_skipped(self):
        pass


@tagged("post_install", "-at_install")
class TestOverHttp(HttpCase):
    def test_health(self):
        self.assertEqual(self.url_open("/web/health").status_code, 200)


@tagged("-standard", "mcp_slow")
class TestSlow(TransactionCase):
    def test_for_long(self):
        import subprocess

        subprocess.run(["sleep", "{seconds}"])


@tagged("-standard", "mcp_inherited")
class TestInherited(TestTested):
    allow_inherited_tests_method = True


@tagged("-standard", "mcp_killed")
class TestKilled(TransactionCase):
    def test_by_the_kernel(self):
        import os

        os.kill(os.getpid(), 9)


@tagged("-standard", "mcp_setup")
class TestSetUp(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raise KeyError("in set-up")

    def test_never(self):
        pass
"""
SLEEP = f"7{os.getpid() % 10000:04}.25"


def write_module(folder: Path, name: str, tests: str = TESTS) -> None:
    files = {
        "__manifest__.py": repr(
            {
                "name": name,
                "depends": ["base", "web"],
                "author": "T",
                "license": "LGPL-3",
            }
        ),
        "__init__.py": "from . import models\n",
        "models.py": MODEL.replace("mcp.tested", name.replace("_", ".")),
        "tests/__init__.py": "from . import test_tested\n",
        "tests/test_tested.py": tests.replace(
            "mcp.tested", name.replace("_", ".")
        ).replace("{seconds}", SLEEP),
        "tests/test_forgotten.py": "from odoo.tests import TransactionCase\n\n\n"
        "class TestForgotten(TransactionCase):\n    def test_me(self):\n        pass\n",
    }
    for path, text in files.items():
        target = folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest.fixture(scope="module")
def addons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in the addons path of :func:`own`, with the module that is tested."""
    folder = tmp_path_factory.mktemp("addons")
    write_module(folder, NAME)
    return folder


@pytest.fixture(scope="module")
def own(
    start_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    addons: Path,
    stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OdooServer]:
    """A server whose addons path has these modules."""
    paths = [*stack.addons_paths, addons]
    server = start_server(
        database=make_database("runtests"),
        options={
            "addons_path": ",".join(map(str, paths)),
            "max_cron_threads": 0,
            "data_dir": tmp_path_factory.mktemp("data"),
        },
    )
    backend = Backend(server)
    rules = backend.execute("mcp.rate.limit", "search", [])
    backend.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
    backend.parameter("handover_seconds", 500)
    with McpClient(server.url, backend.key("admin")) as client:
        client.tool("install_module", module_name=NAME)
    yield server
    server.end()


@pytest.fixture
def client(own: OdooServer) -> Iterator[McpClient]:
    """A developer of that database."""
    with McpClient(own.url, Backend(own).key("admin")) as found:
        yield found


def ran(client: McpClient, **arguments: object) -> dict:
    result = client.tool("run_tests", **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def refused(client: McpClient, **arguments: object) -> str:
    result = client.tool("run_tests", **arguments)
    assert result.get("isError"), result
    return result["content"][0]["text"]


def databases(server: OdooServer) -> list[str]:
    """The databases for tests of this server's database that are there now."""
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
    rows = Backend(server).rows(query, f"{server.database}_mcp_test_")
    return [row["datname"] for row in rows]


def folders(server: OdooServer) -> list[str]:
    folder = Path(str(server.options["data_dir"]), "mcp_tests")
    return os.listdir(folder) if folder.exists() else []


def by_test(found: dict) -> dict[str, dict]:
    return {row["test"].rpartition(".")[2]: row for row in found["failures"]}


def test_each_failure_is_told_with_its_place_message_and_log(
    client: McpClient, own: OdooServer, addons: Path
) -> None:
    found = ran(client, modules=[NAME])
    assert found["success"] is False
    assert (found["run"], found["failed"], found["errors"]) == (5, 1, 1)
    failures = by_test(found)
    assert set(failures) == {"test_that_fails", "test_that_errs"}
    failed, erred = failures["test_that_fails"], failures["test_that_errs"]
    lines = (addons / NAME / "tests/test_tested.py").read_text().split("\n")
    line = 1 + next(i for i, text in enumerate(lines) if "no such side" in text)
    assert failed["test"] == f"{NAME}.TestTested.test_that_fails"
    assert failed["kind"] == "failure"
    assert failed["at"] == f"{addons}/{NAME}/tests/test_tested.py:{line}"
    assert "no such side" in failed["message"]
    assert failed["message"].startswith("AssertionError: 'left' != 'right'")
    assert "beware of this" in failed["log"][0]
    assert erred["kind"] == "error"
    assert erred["message"] == "ZeroDivisionError: division by zero"
    assert erred["at"].startswith(f"{addons}/{NAME}/models.py:")
    assert "test_that_errs" in erred["traceback"]
    assert "log" not in erred
    assert found["skipped"] == [
        {"test": f"{NAME}.TestTested.test_that_is_skipped", "reason": "not today"}
    ]
    classes = {row["class"]: row for row in found["classes"]}
    assert classes[f"{NAME}.TestTested"]["queries"] > 0
    assert found["queries"] >= classes[f"{NAME}.TestTested"]["queries"]
    assert found["rerun_tags"].count(",") == 1
    again = ran(client, tags=found["rerun_tags"])
    assert (again["run"], again["failed"], again["errors"]) == (2, 1, 1)
    assert databases(own) == []
    assert folders(own) == []


def test_one_method_is_run_alone_on_a_fresh_database(
    client: McpClient, own: OdooServer
) -> None:
    tags = f"/{NAME}:TestTested.test_that_passes"
    found = ran(client, tags=tags, database="fresh")
    assert found["success"] is True
    assert found["run"] == 1
    assert "failures" not in found
    assert databases(own) == []


def test_files_on_disk_are_run_and_this_database_stays_as_it_is(
    client: McpClient, addons: Path, own: OdooServer
) -> None:
    name = "mcp_new"
    write_module(addons, name)
    found = ran(client, tags=":TestTested.test_that_passes", modules=[name])
    assert found["success"] is True
    path = addons / name / "tests/test_tested.py"
    path.write_text(path.read_text().replace('.name, "a")', '.name, "b")'))
    found = ran(client, tags=":TestTested.test_that_passes", modules=[name])
    assert found["failed"] == 1
    query = "SELECT FROM ir_module_module WHERE name = %s AND state = 'installed'"
    assert Backend(own).rows(query, name) == []


def test_a_class_whose_set_up_fails_is_told(client: McpClient) -> None:
    found = ran(client, tags=f"mcp_setup/{NAME}")
    [failure] = found["failures"]
    assert failure["test"] == f"{NAME}.TestSetUp"
    assert failure["part"] == "setUpClass"
    assert failure["message"] == "KeyError: 'in set-up'"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"modules": ["mcp_tsted"]}, "mcp_tested"),
        ({"tags": f"/{NAME}:TestTestd"}, "TestTested"),
        ({"tags": f"/{NAME}:TestTested.test_that_fail"}, "test_that_fails"),
        ({"tags": f"/{NAME}:TestForgotten"}, "from . import test_forgotten"),
        ({"tags": f"/{NAME}:TestSlow"}, "@tagged"),
        ({"tags": "standard"}, "modules="),
        ({}, "modules="),
        ({"tags": "a b"}, "no test tag"),
        ({"modules": [NAME], "coverage": True}, "pip install coverage"),
    ],
    ids=str,
)
def test_what_would_run_nothing_is_told_with_the_remedy(
    arguments: dict, told: str, client: McpClient, own: OdooServer
) -> None:
    assert told in refused(client, **arguments)
    assert databases(own) == []


@pytest.mark.parametrize(
    ("path", "python", "told"),
    [
        ("tests/test_tested.py", "def broken(:\n", "SyntaxError at"),
        ("models.py", "import no_such_import\n", "No module named 'no_such_import'"),
        ("models.py", "class Broken(\n", "SyntaxError"),
        ("tests/test_tested.py", "import no_such_import\n", "no_such_import"),
    ],
    ids=["syntax of a test", "import", "syntax", "import of a test"],
)
def test_a_module_that_does_not_load_is_told_as_that(
    path: str, python: str, told: str, client: McpClient, addons: Path
) -> None:
    name = f"mcp_broken_{abs(hash((path, python))) % 10**6}"
    write_module(addons, name)
    (addons / name / path).write_text(python)
    text = refused(client, modules=[name])
    assert told in text
    assert f"{addons}/{name}/{path}" in text


def test_a_run_that_is_cancelled_leaves_no_database_and_no_process(
    own: OdooServer,
) -> None:
    witness = Witness(own)
    with McpClient(own.url, witness.key) as client:
        client._ids = witness.numbers
        job = client.tool("run_tests", tags=f"mcp_slow/{NAME}", background=True)
        job_id = job["structuredContent"]["job_id"]
        eventually(lambda: processes(f"sleep {SLEEP}"), "the test runs")
        assert len(databases(own)) == 1
        report = client.tool("job", action="cancel", job_id=job_id)
    assert report["structuredContent"]["jobs"][0]["state"] == "cancelled"
    assert "Starting TestSlow.test_for_long" in report["structuredContent"]["output"]
    assert databases(own) == []
    assert folders(own) == []
    eventually(lambda: not processes(f"sleep {SLEEP}"), "no test runs")


def test_a_run_that_takes_too_long_is_told_as_that(
    client: McpClient, own: OdooServer
) -> None:
    backend = Backend(own)
    backend.parameter("command_maximum", 60)
    try:
        found = ran(client, tags=f"mcp_slow/{NAME}")
    finally:
        backend.parameter("command_maximum", False)
    assert found["success"] is False
    assert f"{NAME}.TestSlow.test_for_long" in found["stopped"]
    assert databases(own) == []
    assert not processes(f"sleep {SLEEP}")


def test_a_process_that_dies_is_told_with_the_test_it_died_in(
    client: McpClient,
) -> None:
    found = ran(client, tags=f"mcp_killed/{NAME}")
    assert found["success"] is False
    assert found["stopped"] == (
        f"Odoo ended with 137 in {NAME}.TestKilled.test_by_the_kernel."
    )


def test_a_class_that_has_only_inherited_tests_is_run(client: McpClient) -> None:
    tags = f"mcp_inherited/{NAME}:TestInherited.test_that_passes"
    found = ran(client, tags=tags)
    assert found["success"] is True
    assert found["run"] == 1


def test_what_a_killed_run_has_left_the_next_removes(own: OdooServer) -> None:
    backend = Backend(own)
    key = backend.key("admin")
    with McpClient(own.url, key) as client:
        client.tool("run_tests", tags=f"mcp_slow/{NAME}", background=True)
        eventually(lambda: processes(f"sleep {SLEEP}"), "the test runs")
        [left] = databases(own)
        for process in job_processes(backend, key):
            process.kill()
        eventually(lambda: not processes(f"sleep {SLEEP}"), "no test runs")
        assert databases(own) == [left]
        ran(client, tags=f"/{NAME}:TestTested.test_that_passes")
    assert databases(own) == []
    assert folders(own) == []


def test_two_runs_at_once_have_a_database_each(own: OdooServer) -> None:
    with McpClient(own.url, Backend(own).key("admin")) as client:
        tags = f"mcp_slow/{NAME}"
        jobs = [client.tool("run_tests", tags=tags, background=True) for _ in "ab"]
        eventually(lambda: len(processes(f"sleep {SLEEP}")) > 1, "both run")
        assert len(databases(own)) == 2
        for job in jobs:
            job_id = job["structuredContent"]["job_id"]
            client.tool("job", action="cancel", job_id=job_id)
    assert databases(own) == []
    assert not psutil.Process(own.pid).children() or not processes(f"sleep {SLEEP}")
