"""The whole story as one client lives it: from finding a module to reading its log."""

from collections.abc import Callable
from pathlib import Path

from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import McpClient
from dev.tests.waiting import eventually

MANIFEST = (
    "{'name': 'Library', 'author': 'Test', 'license': 'LGPL-3',"
    " 'depends': ['contacts'], 'data': ['security/ir.model.access.csv']}"
)
MODEL = """\
import logging

from odoo import fields, models

_logger = logging.getLogger(__name__)


class LibraryBook(models.Model):
    _name = "library.book"
    _description = "Book"

    name = fields.Char(required=True)
"""
FIELD = """\
    pages = fields.Integer(default=42)

    def count(self):
        _logger.warning("counted %s pages", sum(self.mapped("pages")))
        return sum(self.mapped("pages"))
"""
ACL = (
    "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\n"
    "library_book,library.book,model_library_book,base.group_user,1,1,1,1\n"
)


def test_an_agent_develops_a_module_on_a_running_odoo(
    make_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    stack: Stack,
    tmp_path: Path,
) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "__manifest__.py").write_text("{'name': 'Seed'}")
    (tmp_path / "seed" / "__init__.py").touch()
    paths = ",".join(map(str, [*stack.addons_paths, tmp_path]))
    own = make_server(database=make_database("story"), options={"addons_path": paths})
    with McpClient(own.url, Backend(own).key("admin")) as client:

        def ask(tool: str, **arguments: object) -> dict:
            result = client.tool(tool, **arguments)
            assert not result.get("isError"), result["content"][0]["text"]
            return result["structuredContent"]

        # find a module and read its source
        [module] = ask("list_modules", search="contacts", state="installed")["modules"]
        info = ask("get_module_info", module_name=module["name"])
        source = ask("read_file", path=f"{info['path']}/__manifest__.py")
        assert "Contacts" in source["content"]

        # write a new addon on disk and install it
        folder = f"{tmp_path}/library"
        for path, text in (
            ("__manifest__.py", MANIFEST),
            ("__init__.py", "from . import models\n"),
            ("models/__init__.py", "from . import library_book\n"),
            ("models/library_book.py", MODEL),
            ("security/ir.model.access.csv", ACL),
        ):
            assert ask("write_file", path=f"{folder}/{path}", content=text)["created"]
        assert ask("install_module", module_name="library")["state"] == "installed"

        # see its table in the schema
        schema = ask(
            "get_db_schema", action="describe_table", table_name="library.book"
        )
        assert schema["models"] == ["library.book"]
        assert "pages" not in {column["name"] for column in schema["columns"]}

        # change it, upgrade it, restart Odoo
        path = f"{folder}/models/library_book.py"
        ask("write_file", path=path, content=FIELD, mode="append")
        upgraded = ask("upgrade_module", module_name="library")
        assert upgraded["restart_needed"] is True
        started = own.log().count("HTTP service (werkzeug) running")
        ask("service_status", service="odoo", action="restart")
    eventually(
        lambda: own.log().count("HTTP service (werkzeug) running") > started,
        "restarted",
    )
    own.wait_ready()

    # run code against the new field, and read the log of it
    with McpClient(own.url, client.key) as again:
        code = "env['library.book'].create([{'name': 'a'}, {'name': 'b'}]).count()"
        ran = again.tool("odoo_shell", code=code)["structuredContent"]
        assert (ran["error"], ran["return_value"]) == (None, 84)
        log = again.tool(
            "service_status", action="logs", grep="library_book", level="WARNING"
        )
        assert "counted 84 pages" in log["structuredContent"]["log_lines"][-1]
