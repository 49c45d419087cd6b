"""Install and upgrade real modules, in a database and addons path of their own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.processes import job_processes
from dev.tests.waiting import Background, eventually

MODEL = """\
from odoo import fields, models


class {name}(models.Model):
    _name = "mcp.test.{table}"
    _description = "Test"

    name = fields.Char()
"""
ACL = """\
id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink
access_{name},{name},model_mcp_test_{name},base.group_user,1,1,1,1
"""


class Addons:
    """A folder of modules that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, module: str, path: str, text: str) -> None:
        target = self.folder / module / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def manifest(self, module: str, **values: object) -> None:
        manifest = {"name": module, "depends": ["base"], **values}
        manifest |= {"author": "Test", "license": "LGPL-3"}
        self.write(module, "__manifest__.py", repr(manifest))

    def module(self, name: str, **values: object) -> str:
        """A module with one model, ``mcp.test.<name>``."""
        self.manifest(name, **{"data": ["security/ir.model.access.csv"], **values})
        self.write(name, "__init__.py", "from . import models\n")
        self.write(name, "models.py", MODEL.format(name=name.title(), table=name))
        self.write(name, "security/ir.model.access.csv", ACL.format(name=name))
        return name


@pytest.fixture(scope="module")
def addons(tmp_path_factory: pytest.TempPathFactory) -> Addons:
    """The folder in the addons path of :func:`own`; never empty, as Odoo demands."""
    found = Addons(tmp_path_factory.mktemp("addons"))
    found.module("placeholder")
    return found


@pytest.fixture(scope="module")
def own(
    start_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    addons: Addons,
    stack: Stack,
) -> Iterator[OdooServer]:
    """A server with a database and an addons path for these tests alone.

    With workers, for all of them must follow; the story is that of a threaded server.
    """
    paths = [*stack.addons_paths, addons.folder]
    server = start_server(
        database=make_database("modules"),
        workers=2,
        options={"addons_path": ",".join(map(str, paths)), "max_cron_threads": 0},
    )
    backend = Backend(server)
    rules = backend.execute("mcp.rate.limit", "search", [])
    backend.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
    yield server
    server.stop()


@pytest.fixture
def client(own: OdooServer) -> Iterator[McpClient]:
    """A developer of that database."""
    with McpClient(own.url, Backend(own).key("admin")) as found:
        yield found


@pytest.fixture
def name(request: pytest.FixtureRequest, own: OdooServer) -> str:
    """A module name that no other test has."""
    return f"m{abs(hash(request.node.nodeid)) % 10**8}"


def operate(client: McpClient, verb: str, name: str) -> dict:
    result = client.tool(f"{verb}_module", module_name=name)
    assert "structuredContent" in result, result["content"][0]["text"]
    found = result["structuredContent"]
    assert found["success"] is not bool(result.get("isError"))
    return found


def refused(client: McpClient, verb: str, name: str) -> str:
    result = client.tool(f"{verb}_module", module_name=name)
    assert result["isError"] is True
    return result["content"][0]["text"]


def columns(client: McpClient, name: str) -> set[str]:
    schema = client.tool(
        "get_db_schema", action="describe_table", table_name=f"mcp.test.{name}"
    )
    return {column["name"] for column in schema["structuredContent"]["columns"]}


def test_new_module_is_installed_and_every_worker_has_it(
    client: McpClient, own: OdooServer, addons: Addons, name: str
) -> None:
    assert "no module" in refused(client, "install", name)
    addons.module(name, version="1.2")
    found = operate(client, "install", name)
    assert found["message"] == f"{name} is installed."
    assert (found["state_before"], found["state"]) == ("uninstalled", "installed")
    assert found["changes"] == [{"name": name, "before": "new", "after": "installed"}]
    assert found["loaded"] == [name]
    assert found["restart_needed"] is False
    assert found["duration_ms"] > 0
    assert found["log"] == []
    assert "name" in columns(client, name)
    for turn in range(6):
        code = f"env['mcp.test.{name}'].create({{'name': '{turn}'}}).name"
        result = client.tool("odoo_shell", code=code)["structuredContent"]
        assert (result["error"], result["return_value"]) == (None, str(turn))


def test_what_is_installed_with_it_is_told(
    client: McpClient, addons: Addons, name: str
) -> None:
    base = addons.module(f"{name}_base")
    addons.module(name, depends=[base])
    found = operate(client, "install", name)
    assert {change["name"] for change in found["changes"]} == {name, base}
    assert found["loaded"] == [base, name]
    upgraded = operate(client, "upgrade", base)
    assert upgraded["loaded"] == [base, name]
    assert upgraded["changes"] == []


def test_installed_module_is_not_installed_again(
    client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name)
    assert "not" not in operate(client, "install", name)["message"]
    assert "upgrade_module" in refused(client, "install", name)


def test_upgrade_of_what_is_not_installed_is_told(
    client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name)
    client.tool("odoo_shell", code="env['ir.module.module'].sudo().update_list(); 1")
    assert "install_module" in refused(client, "upgrade", name)


def test_unknown_module_is_told_with_the_nearest(client: McpClient) -> None:
    text = refused(client, "install", "contatcs")
    assert "contacts" in text
    assert "__manifest__.py" in text


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({"installable": False}, "not installable"),
        ({"depends": ["base", "no_such_dependency"]}, "no_such_dependency"),
        (
            {"external_dependencies": {"python": ["no-such-package"]}},
            "no-such-package",
        ),
        ({"external_dependencies": {"bin": ["no-such-program"]}}, "no-such-program"),
        ({"data": ["no_such_file.xml"]}, "no_such_file.xml"),
    ],
    ids=["not installable", "dependency", "Python package", "program", "data file"],
)
def test_what_stands_in_the_way_is_named(
    manifest: dict, told: str, client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name, **manifest)
    result = client.tool("install_module", module_name=name)
    assert result["isError"] is True
    assert told in result["content"][0]["text"]
    state = client.tool("get_module_info", module_name=name)["structuredContent"]
    assert state["state"] in ("uninstalled", "uninstallable")
    assert client.tool("odoo_shell", code="1")["structuredContent"]["return_value"] == 1


def test_missing_package_is_told_with_the_remedy(
    client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name, external_dependencies={"python": ["no-such-package"]})
    assert "pip install" in operate(client, "install", name)["message"]


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("import no_such_import\n", "no_such_import"),
        ("class Broken(\n", "SyntaxError"),
        (MODEL.format(name="X", table="x") + "    y = fields.NoSuch()\n", "NoSuch"),
    ],
    ids=["import", "syntax", "attribute"],
)
def test_broken_python_fails_and_its_mended_version_installs(
    python: str, told: str, client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name)
    addons.write(name, "models.py", python)
    failed = operate(client, "install", name)
    assert told in failed["message"]
    assert "rolled everything back" in failed["message"]
    assert failed["state"] == "uninstalled"
    addons.module(name)
    found = operate(client, "install", name)
    assert found["success"] is True
    assert found["restart_needed"] is False
    assert "name" in columns(client, name)


def test_failing_install_names_what_stays(
    client: McpClient, addons: Addons, name: str
) -> None:
    first = addons.module(f"{name}_first")
    second = addons.module(f"{name}_second", depends=[first])
    addons.module(name, depends=[second], data=["no_such_file.xml"])
    found = operate(client, "install", name)
    assert found["success"] is False
    assert f"staying: {first}" in found["message"]
    # 18.0 has committed its data, but not that it is installed
    assert second in found["message"].partition("staying")[2]
    after = {change["name"]: change["after"] for change in found["changes"]}
    assert after[first] == "installed"
    code = f"env['mcp.test.{first}'].create({{'name': 'x'}}).name"
    for _turn in range(4):
        ran = client.tool("odoo_shell", code=code)["structuredContent"]
        assert ran["error"] is None
    addons.module(name, depends=[second])
    assert operate(client, "install", name)["success"] is True


def test_warnings_of_the_log_are_told(
    client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name)
    addons.write(
        name,
        "models.py",
        "import logging\n"
        + MODEL.format(name="W", table=name)
        + "\n    def init(self):\n        logging.getLogger('w').warning('beware')\n",
    )
    assert operate(client, "install", name)["log"] == ["WARNING w: beware"]


def test_upgrade_after_a_change_of_data_needs_no_restart(
    client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name)
    operate(client, "install", name)
    addons.manifest(name, data=["security/ir.model.access.csv", "data.xml"])
    addons.write(
        name,
        "data.xml",
        f'<odoo><record id="r" model="mcp.test.{name}">'
        '<field name="name">from data</field></record></odoo>',
    )
    found = operate(client, "upgrade", name)
    assert found["restart_needed"] is False
    rows = client.tool("query_database", query=f"SELECT name FROM mcp_test_{name}")
    assert rows["structuredContent"]["rows"] == [{"name": "from data"}]


def test_upgrade_after_a_change_of_python_makes_the_column_and_asks_for_a_restart(
    client: McpClient, addons: Addons, name: str, own: OdooServer
) -> None:
    addons.module(name)
    operate(client, "install", name)
    addons.write(
        name,
        "models.py",
        MODEL.format(name="C", table=name) + "    pages = fields.Integer()\n",
    )
    found = operate(client, "upgrade", name)
    assert found["restart_needed"] is True
    assert "service_status" in found["message"]
    assert found["loaded"] == [name]
    assert "pages" in columns(client, name)


def test_failing_upgrade_leaves_the_module_as_it_was(
    client: McpClient, addons: Addons, name: str
) -> None:
    addons.module(name)
    operate(client, "install", name)
    addons.manifest(name, data=["no_such_file.xml"])
    found = operate(client, "upgrade", name)
    assert found["success"] is False
    assert "no_such_file.xml" in found["message"]
    assert found["state"] == "installed"
    addons.manifest(name, data=["security/ir.model.access.csv"])
    assert operate(client, "upgrade", name)["success"] is True


def test_failing_upgrade_of_a_dependent_says_what_is_upgraded_all_the_same(
    client: McpClient, addons: Addons, name: str
) -> None:
    base = addons.module(f"{name}_base")
    addons.module(name, depends=[base])
    operate(client, "install", name)
    addons.manifest(name, depends=[base], data=["no_such_file.xml"])
    found = operate(client, "upgrade", base)
    assert found["success"] is False
    assert found["loaded"] == [base]
    assert f"Upgraded and staying: {base}" in found["message"]
    assert "rolled everything back" not in found["message"]


def test_install_that_takes_too_long_is_stopped_and_undone(
    client: McpClient, addons: Addons, name: str, own: OdooServer
) -> None:
    addons.module(name)
    addons.write(
        name,
        "models.py",
        "import time\n"
        + MODEL.format(name="S", table=name)
        + "\n    def init(self):\n        time.sleep(600)\n",
    )
    backend = Backend(own)
    backend.parameter("command_maximum", 6)
    try:
        found = operate(client, "install", name)
    finally:
        backend.parameter("command_maximum", False)
    assert "stopped after 6 s" in found["message"]
    assert found["state"] == "uninstalled"
    waiting = "SELECT name FROM ir_module_module WHERE state LIKE 'to %%'"
    assert backend.rows(waiting) == []
    addons.module(name)
    assert operate(client, "install", name)["success"] is True


def test_audit_entry_tells_the_operation(own: OdooServer) -> None:
    backend = Backend(own)
    key = backend.key("admin")
    with McpClient(own.url, key) as client:
        refused(client, "install", "no_such_module_at_all")
        operate(client, "upgrade", "contacts")
    entries = backend.entries(key)
    assert [entry["status"] for entry in entries] == ["error", "success"]
    assert json.loads(entries[1]["arguments"]) == {"module_name": "contacts"}


def test_install_of_a_killed_server_leaves_no_process(
    own: OdooServer,
    make_server: Callable[..., OdooServer],
    addons: Addons,
    name: str,
) -> None:
    addons.module(name)
    addons.write(
        name,
        "models.py",
        "import time\n"
        + MODEL.format(name="K", table=name)
        + "\n    def init(self):\n        time.sleep(600)\n",
    )
    other = make_server(database=own.database, options=own.options)
    backend = Backend(own)
    key = backend.key("admin")

    def call() -> None:
        with McpClient(other.url, key) as client:
            operate(client, "install", name)

    background = Background(call)
    [job] = eventually(lambda: job_processes(backend, key), "it runs")
    found = "SELECT state FROM ir_module_module WHERE name = %s"
    eventually(
        lambda: backend.rows(found, name) == [{"state": "to install"}],
        "the module is marked",
    )
    install = [job, *job.children(recursive=True)]
    assert len(install) > 2, "a reaper and the fork below it"
    other.kill()
    assert background.failure() is not None
    left = psutil.wait_procs(install, 20)[1]
    assert left == []
    eventually(
        lambda: backend.rows(found, name) == [{"state": "uninstalled"}],
        "the mark is gone",
    )
