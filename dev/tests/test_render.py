"""Pages of a real server in a real browser, which leaves nothing."""

import base64
import glob
import json
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dev import browser
from dev.tests.backend import Backend
from dev.tests.client import McpClient, unmarked
from dev.tests.processes import processes
from dev.tests.waiting import eventually

pytestmark = pytest.mark.skipif(not browser.program(), reason="there is no Chromium")

FOLDER = "odoo-mcp-"
SHORT = 15


def shown(client: McpClient, **arguments: Any) -> tuple[dict, bytes]:
    """What is told, and the picture or PDF that goes with it."""
    result = client.tool("render", **arguments)
    assert "structuredContent" in result, result["content"][0]["text"]
    data = b""
    for block in result["content"][1:]:
        data = base64.b64decode(block.get("data") or block["resource"]["blob"])
    return unmarked(result["structuredContent"]), data


def size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG. https://www.w3.org/TR/png-3/#11IHDR"""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", picture[16:24])


def template(backend: Backend, name: str, body: str) -> str:
    """The key of a new QWeb template, which is a whole page."""
    arch = f'<t t-name="{name}"><html><head><title>{name}</title></head>'
    arch += f"<body>{body}</body></html></t>"
    values = {"name": name, "type": "qweb", "key": name, "arch": arch}
    backend.execute("ir.ui.view", "create", values)
    return name


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Neither a process of the browser nor a folder of it stays."""
    before = set(glob.glob(f"{tempfile.gettempdir()}/{FOLDER}*"))
    yield
    eventually(lambda: not processes(f"/{FOLDER}"), "the browser has ended")
    # those of other tests end, too
    eventually(
        lambda: set(glob.glob(f"{tempfile.gettempdir()}/{FOLDER}*")) <= before,
        "the folder of the browser is gone",
    )


def test_page_is_a_picture(client: McpClient) -> None:
    told, picture = shown(client, target="/web/login", width=800)
    assert size(picture) == (800, told["height"])
    assert len(picture) > 5000
    assert told["status"] == 200
    assert told["url"].startswith("/web/login")
    assert "console" not in told


def test_view_of_a_record_is_shown_through_each_door(
    either_door: str, key: str
) -> None:
    with McpClient(either_door, key) as client:
        told, picture = shown(client, target="base.view_partner_form", ids=[1])
    assert told["title"] == "My Company"
    assert size(picture)[0] == 1366
    assert len(picture) > 20_000
    assert "console" not in told


def test_view_as_html_is_what_the_web_client_made_of_it(client: McpClient) -> None:
    told, _ = shown(client, target="res.partner list", ids=[1], format="html")
    assert "o_list_view" in told["html"]
    assert "My Company" in told["html"]


def test_page_is_that_of_the_user(client: McpClient, backend: Backend) -> None:
    backend.user("mcp_seer")
    told, _ = shown(client, target="/odoo", format="html", user="mcp_seer")
    assert told["user"] == "mcp_seer"
    assert '"username": "mcp_seer"' in told["html"]
    told, _ = shown(client, target="/odoo", format="html")
    assert '"username": "admin"' in told["html"]


def test_user_sees_no_more_than_they_may(client: McpClient, backend: Backend) -> None:
    backend.user("mcp_blind")
    keys = "user.env['ir.config_parameter'].search([]).mapped('key')"
    name = template(backend, "test.rights", f'<p t-esc="{keys}"/>')
    told, _ = shown(client, target=name, format="html")
    assert "database.uuid" in told["html"]
    result = client.tool("render", target=name, format="html", user="mcp_blind")
    assert result["isError"] is True
    assert "ir.config_parameter" in result["content"][0]["text"]


def test_page_that_fails_is_told_so(client: McpClient) -> None:
    report = "base.report_irmodulereference"
    told, _ = shown(client, target=report, ids=[10**9], format="html")
    # 19.0 knows that a record which is missing is not found
    assert told["status"] == 404 or "log" in told["more"]


def test_no_session_stays(client: McpClient) -> None:
    looks = (
        "import pathlib, odoo\n"
        "store = pathlib.Path(odoo.http.root.session_store.path)\n"
        "files = [path for path in store.rglob('*') if path.is_file()]\n"
        "' '.join(p.name for p in files if 'mcp_look' in p.read_text())"
    )

    def sessions() -> set[str]:
        result = client.tool("odoo_shell", code=looks)
        return set(result["structuredContent"]["return_value"].split())

    before = sessions()
    shown(client, target="/odoo", format="html")
    shown(client, target="/web/login")
    # those of other tests end, too
    eventually(lambda: sessions() <= before, "the sessions are gone")


def test_report_is_a_pdf(client: McpClient) -> None:
    told, pdf = shown(
        client, target="base.ir_module_reference_print", ids=[1], format="pdf"
    )
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 5000
    assert told["bytes"] == len(pdf)


def test_console_of_the_page_is_told(client: McpClient, backend: Backend) -> None:
    body = """<script>console.error("one", 2); nothing.here();</script>"""
    told, _ = shown(client, target=template(backend, "test.console", body))
    assert told["title"] == "test.console"
    assert "error: one 2" in told["console"]
    assert any("nothing is not defined" in line for line in told["console"])


def test_nobody_else_is_asked(client: McpClient, backend: Backend) -> None:
    urls = ("http://192.0.2.1/a.png", "http://localhost:1/b.png", "file:///etc/passwd")
    body = "".join(f'<img src="{url}"/>' for url in urls)
    told, _ = shown(client, target=template(backend, "test.others", body))
    assert set(urls[:2]) <= set(told["kept_back"])


def test_page_that_would_write_does_not(client: McpClient, backend: Backend) -> None:
    params = {
        "model": "res.partner",
        "method": "create",
        "args": [{"name": "written by a page"}],
        "kwargs": {},
    }
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "params": params})
    # the path says that it reads; the server heeds what is in the body
    body = f"""<script>fetch("/web/dataset/call_kw/res.partner/read", {{
        method: "POST", body: {message!r},
        headers: {{"Content-Type": "application/json"}}}})</script>"""
    told, _ = shown(client, target=template(backend, "test.writer", body))
    assert told["kept_back"] == ["res.partner.create"]
    query = "SELECT FROM res_partner WHERE name = 'written by a page'"
    assert not backend.rows(query)


def test_page_that_asks_in_disguise_changes_nothing(
    client: McpClient, backend: Backend
) -> None:
    call = {
        "model": "res.partner",
        "method": "create",
        "args": [{"name": "written in disguise"}],
        "kwargs": {},
    }
    rpc = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call", "params": call})
    code = "env['res.partner'].create({'name': 'written in disguise'})"
    tool = {"name": "odoo_shell", "arguments": {"code": code}}
    mcp = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}
    sent = (
        ("/web%2Fdataset/call_kw/res.partner/read", rpc),
        ("/mcp/v1/session", json.dumps(mcp)),
    )
    asked = "".join(
        f"""fetch({path!r}, {{method: "POST", body: {message!r},
            headers: {{"Content-Type": "application/json"}}}})
            .then(r => r.text()).then(text => console.error(text.slice(0, 300)));"""
        for path, message in sent
    )
    page = template(backend, "test.disguise", f"<script>{asked}</script>")
    told, _ = shown(client, target=page, user="admin")
    query = "SELECT FROM res_partner WHERE name = 'written in disguise'"
    assert not backend.rows(query)
    assert any("own pages" in line for line in told["console"]), told


def test_session_of_a_look_can_only_read(backend: Backend) -> None:
    session, file = backend.shell(
        "from odoo import http\n"
        "from odoo.addons.odoo_dev_mcp.models import page_session\n"
        "store = http.root.session_store\n"
        "store.delete = lambda session: None\n"
        "with page_session.session_of(env.ref('base.user_admin')) as sid:\n"
        "    answer([sid, store.get_session_filename(sid)])\n"
    )

    def asked(method: str, *args: object) -> dict:
        call = {"model": "res.partner", "method": method, "args": args, "kwargs": {}}
        return requests.post(
            f"{backend.server.url}/web/dataset/call_kw/res.partner/{method}",
            json={"jsonrpc": "2.0", "id": 1, "method": "call", "params": call},
            cookies={"session_id": session},
            timeout=60,
        ).json()

    assert asked("search_count", [])["result"] > 0
    refused = asked("create", [{"name": "written with a look"}])
    Path(file).unlink()
    assert "only looked at" in refused["error"]["data"]["message"]


def test_page_that_hangs_ends_in_time(client: McpClient, backend: Backend) -> None:
    name = template(backend, "test.hangs", "<script>while (true) {}</script>")
    [tool] = backend.execute("mcp.tool", "search", [("name", "=", "render")])
    backend.execute("mcp.tool", "write", [tool], {"timeout": SHORT})
    try:
        result = client.tool("render", target=name)
    finally:
        backend.execute("mcp.tool", "write", [tool], {"timeout": 0})
    assert result["isError"] is True


def test_page_that_is_not_there_is_told(client: McpClient) -> None:
    told, _ = shown(client, target="/nothing/here", format="html")
    assert told["status"] == 404
