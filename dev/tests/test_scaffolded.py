"""What scaffold_module writes installs, passes its tests, and pylint-odoo as it is."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from dev import python_env
from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import McpClient

MODULE = "mcp_library"


class WithTools(Stack):
    """A stack whose processes find pylint in their PATH, and import coverage."""

    def variables(self) -> dict[str, str]:
        own = super().variables()
        linters = python_env.environment("lint").bin
        [packages] = python_env.environment("coverage").root.glob("lib/*/site-packages")
        found = filter(None, [own.get("PYTHONPATH"), str(packages)])
        return {
            **own,
            "PATH": f"{own['PATH']}{os.pathsep}{linters}",
            "PYTHONPATH": os.pathsep.join(found),
        }


@pytest.fixture(scope="module")
def addons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where new modules are made."""
    folder = tmp_path_factory.mktemp("addons")
    (folder / "placeholder").mkdir()
    (folder / "placeholder/__init__.py").write_text("")
    (folder / "placeholder/__manifest__.py").write_text(
        "{'name': 'Placeholder', 'author': 'T', 'license': 'LGPL-3'}"
    )
    return folder


@pytest.fixture(scope="module")
def client(
    make_database: Callable[[str], str],
    addons: Path,
    stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[McpClient]:
    """A developer of a server with that addons path."""
    paths = [*stack.source.addons_paths, addons, stack.addons_paths[-1]]
    server = OdooServer(
        WithTools(stack.source, stack.env, stack.postgres),
        make_database("scaffolded"),
        options={
            "addons_path": ",".join(map(str, paths)),
            "max_cron_threads": 0,
            "data_dir": tmp_path_factory.mktemp("data"),
        },
    )
    with server:
        backend = Backend(server)
        rules = backend.execute("mcp.rate.limit", "search", [])
        backend.execute("mcp.rate.limit", "write", rules, {"calls": 1_000_000})
        backend.parameter("handover_seconds", 500)
        with McpClient(server.url, backend.key("admin")) as found:
            yield found


def call(client: McpClient, tool: str, /, **arguments: object) -> Mapping:
    result = client.tool(tool, **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def test_what_is_scaffolded_installs_and_passes_its_tests_and_pylint_odoo(
    client: McpClient, addons: Path
) -> None:
    made = call(
        client, "scaffold_module", kind="module", name=MODULE, model="library.book"
    )
    # the first that is writable and not Odoo's own
    assert made["folder"] == str(addons / MODULE)
    call(client, "install_module", module_name=MODULE)
    call(client, "scaffold_module", kind="model", name="library.loan", module=MODULE)
    call(client, "scaffold_module", kind="test", name="returns", module=MODULE)
    linted = call(client, "lint_module", module=MODULE)
    assert "pylint-odoo" in linted["linters"]
    assert linted["findings"] == []
    tested = call(client, "run_tests", modules=[MODULE])
    assert tested["success"] is True, tested
    assert tested["run"] == 7
    assert "coverage" not in tested
    upgraded = call(client, "upgrade_module", module_name=MODULE)
    assert upgraded["log"] == []


def test_what_pylint_odoo_finds_is_told_with_its_place(
    client: McpClient, addons: Path
) -> None:
    name = "mcp_linted"
    call(client, "scaffold_module", kind="module", name=name)
    path = addons / name / "models" / f"{name}_record.py"
    text = path.read_text() + "\n    def init(self):\n        self.env.cr.commit()\n"
    path.write_text(text)
    [finding] = call(client, "lint_module", module=name)["findings"]
    line = text.split("\n").index("        self.env.cr.commit()") + 1
    assert finding["at"] == f"{path}:{line}"
    assert finding["code"].startswith("invalid-commit")
    assert finding["severity"] == "error"
    (addons / name / ".pylintrc").write_text(
        "[MESSAGES CONTROL]\ndisable=all\nenable=manifest-required-author\n"
    )
    linted = call(client, "lint_module", module=name)
    assert [row["code"][:24] for row in linted["findings"]] == [
        "manifest-required-author"
    ]
    assert linted["linters"][-1].endswith(f"{name}/.pylintrc")


def test_a_module_that_is_looked_at_runs_nothing(
    client: McpClient, addons: Path
) -> None:
    name = "mcp_hooked"
    call(client, "scaffold_module", kind="module", name=name)
    module = addons / name
    for hook in ("init-hook", "evaluation"):
        (module / ".pylintrc").write_text(
            f"[MAIN]\n{hook}=open('{addons}/{hook}', 'w')\nload-plugins=plugin\n"
            "[MESSAGES CONTROL]\ndisable=all\nenable=odoolint\n"
        )
        for python in ("plugin", "pylint", "pylint_odoo", "json"):
            (module / f"{python}.py").write_text(f"open('{addons}/{python}', 'w')\n")
        linted = call(client, "lint_module", module=name)
        assert "pylint-odoo" in linted["linters"][-1]
        assert "load-plugins" in linted["hint"]
    left = {path.name for path in addons.iterdir() if path.is_file()}
    assert left == set()


def test_lines_that_no_test_has_run_are_told(client: McpClient, addons: Path) -> None:
    name = "mcp_covered"
    call(client, "scaffold_module", kind="module", name=name)
    path = addons / name / "models" / f"{name}_record.py"
    text = f"{path.read_text()}\n    def never(self):\n        return 1\n"
    path.write_text(text)
    found = call(client, "run_tests", modules=[name], coverage=True)
    assert found["success"] is True, found
    measured = found["coverage"]
    assert 50 < measured["percent"] < 100
    [row] = [row for row in measured["files"] if row["file"] == str(path)]
    assert row["missing"] == str(text.split("\n").index("        return 1") + 1)
    assert 50 < row["percent"] < 100
