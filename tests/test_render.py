"""render, as far as it needs no server: what it refuses, and what it keeps back."""

import json
import os
from unittest.mock import patch

from odoo import http
from odoo.tests import BaseCase, tagged

from .. import compat
from ..models import page_session, server_config
from ..models.exceptions import ArgumentError, UnknownTool
from ..models.page_requests import answered_here, is_own
from ..models.render_target import checked_path
from .common import USER, McpCase

ORIGIN = "http://127.0.0.1:8069"


def posted(path, **params):
    """A request of a page, as DevTools tells it."""
    data = json.dumps({"params": params})
    return {"url": ORIGIN + path, "method": "POST", "postData": data}


@tagged("post_install", "-at_install")
class TestRender(McpCase):
    def test_an_unknown_target_is_told_with_the_nearest_names(self):
        for target, near in (
            ("web.external_layot", "web.external_layout"),
            ("base.view_partner_fom", "base.view_partner_form"),
            ("res.partnr list", "res.partner"),
        ):
            with self.subTest(target=target):
                text = self.refused("render", target=target)
                self.assertIn(near, text)

    def test_an_unknown_user_is_told_with_the_nearest_logins(self):
        text = self.refused("render", target="/odoo", user="mcp_developr")
        self.assertIn("mcp_developer", text)

    def test_an_archived_user_sees_nothing(self):
        self.make_user("mcp_gone").active = False
        text = self.refused("render", target="/odoo", user="mcp_gone")
        self.assertIn("no active user", text)

    def test_only_a_developer_renders_as_another_user(self):
        self.make_user("mcp_other")
        user = self.make_user("mcp_plain", USER)
        secret = self.make_key(user)
        with self.assertRaises(UnknownTool):
            self.call("render", _secret=secret, target="/odoo")
        for group in self.tool("render").group_ids:
            self.tool("render").group_ids -= group
        outcome = self.call(
            "render", _secret=secret, target="web.external_layout", user="mcp_other"
        )
        self.assertIn("Only MCP developers", outcome.text)
        outcome = self.call(
            "render", _secret=secret, target="web.external_layout", format="html"
        )
        self.assertFalse(outcome.is_error, outcome.text)

    def test_a_template_is_rendered_as_html_without_a_browser(self):
        told = self.ok("render", target="web.external_layout", format="html")
        self.assertIn("<div", told["html"])
        self.assertEqual(told["length"], len(told["html"]))

    def test_a_template_that_needs_more_tells_where_it_fails(self):
        text = self.refused("render", target="mail.message_origin_link", format="html")
        self.assertIn("mail.message_origin_link", text)
        self.assertIn("self", text)

    def test_what_a_template_writes_is_undone(self):
        self.env["ir.ui.view"].create(
            {
                "name": "test",
                "type": "qweb",
                "key": "test.writes",
                "arch": '<t t-name="test.writes"><p t-esc="user.name"/>'
                "<p t-esc=\"user.write({'signature': 'written'})\"/></t>",
            }
        )
        told = self.ok("render", target="test.writes", format="html")
        self.assertIn("mcp_developer", told["html"])
        self.assertNotIn("written", str(self.developer.signature))

    def test_a_template_comes_in_the_language_of_its_user_and_knows_no_call(self):
        other = self.make_user("mcp_other")
        other.tz = "Asia/Tokyo"
        self.developer.tz = "Europe/Lisbon"
        self.env["ir.ui.view"].create(
            {
                "name": "test",
                "type": "qweb",
                "key": "test.context",
                "arch": '<t t-name="test.context"><p t-esc="user.env.context"/></t>',
            }
        )
        for login, zone in (("mcp_other", "Asia/Tokyo"), (None, "Europe/Lisbon")):
            told = self.ok("render", target="test.context", format="html", user=login)
            self.assertIn(zone, told["html"])
            self.assertNotIn("mcp_call", told["html"])

    def test_a_database_that_odoo_does_not_open_there_is_told_with_the_remedy(self):
        options = {**server_config.options(), "dbfilter": "^%d$"}
        with patch.object(server_config, "options", lambda: options):
            text = self.refused("render", target="/odoo", format="html")
        self.assertIn(f"^(%d|{self.env.cr.dbname})$", text)

    def test_a_database_is_opened_where_odoo_s_own_filter_says_so(self):
        for filtered in (None, "^%d$", "^%h$", "shop|a", "^www", ".*"):
            for host in ("127.0.0.1", "www.shop.example", "shop.example:80"):
                for names in ([], ["shop", "a"], ["a"]):
                    options = {"dbfilter": filtered, "db_name": names}
                    if not compat.ODOO_19:
                        options["db_name"] = ",".join(names)
                    with patch.object(http, "config", options):
                        wanted = http.db_filter(["shop"], host=host)
                    found = page_session.opens(options, "shop", host)
                    self.assertEqual(found, bool(wanted), (options, host))

    def test_a_template_that_commits_is_refused(self):
        self.env["ir.ui.view"].create(
            {
                "name": "test",
                "type": "qweb",
                "key": "test.commits",
                "arch": '<t t-name="test.commits">'
                "<p t-esc=\"user.write({'signature': 'committed'})\"/>"
                '<p t-esc="user.env.cr.commit()"/></t>',
            }
        )
        text = self.refused("render", target="test.commits", format="html")
        self.assertIn("ends its transaction", text)
        self.assertNotIn("committed", str(self.developer.signature))

    def test_without_a_browser_the_remedy_is_told(self):
        with patch.dict(os.environ, {"PATH": "/nowhere"}):
            text = self.refused("render", target="web.external_layout")
        self.assertIn("apt install chromium", text)
        self.assertIn("html", text)

    def test_records_are_asked_for_where_they_belong(self):
        report = "base.report_irmodulereference"
        text = self.refused("render", target=report)
        self.assertIn("ir.module.module", text)
        for target in ("/odoo", "web.external_layout"):
            text = self.refused("render", target=target, ids=[1])
            self.assertIn("'ids'", text)
        text = self.refused("render", target="res.partner search")
        self.assertIn("search", text)

    def test_a_reading_key_has_no_such_tool(self):
        secret = self.make_key(self.developer, read_only=True)
        with self.assertRaises(UnknownTool):
            self.call("render", _secret=secret, target="/odoo")


class TestRequests(BaseCase):
    def test_a_path_leads_to_this_server_alone(self):
        for path in ("//evil.example/", "/\\evil.example", "http://evil.example/"):
            with self.subTest(path=path), self.assertRaises(ArgumentError):
                checked_path(path)
        self.assertEqual(checked_path("/odoo/contacts?a=b#c"), "/odoo/contacts?a=b#c")
        self.assertEqual(checked_path("/a b\r\n"), "/a%20b%0D%0A")

    def test_requests_to_others_and_files_are_not_let_through(self):
        host = "127.0.0.1:8069"
        for url in (
            "file:///etc/passwd",
            "http://127.0.0.1:5432/",
            "http://127.0.0.1:8069@evil.example/",
            "http://evil.example/",
            "https://127.0.0.1:8069/",
            "ftp://127.0.0.1:8069/",
            "chrome://version",
        ):
            with self.subTest(url=url):
                self.assertFalse(is_own(url, host))
        for url in (ORIGIN + "/web", "data:,x", f"blob:{ORIGIN}/1"):
            self.assertTrue(is_own(url, host))

    def test_what_changes_records_is_kept_back(self):
        call = "/web/dataset/call_kw/res.partner/web_read"
        for method in ("create", "write", "unlink", "web_save", "action_archive"):
            # the server heeds what is in the body
            request = posted(call, model="res.partner", method=method)
            self.assertIn(f"res.partner.{method}", answered_here(request).told)
        for path in ("/web/dataset/call_button/x", "/web/action/run", "/jsonrpc"):
            request = posted(path, model="res.partner", method="do_it")
            self.assertTrue(answered_here(request), path)
        self.assertTrue(answered_here({**posted(call), "postData": "{"}))

    def test_what_governs_this_server_is_only_read(self):
        call = "/web/dataset/call_kw/x"
        for model in ("mcp.tool", "res.config.settings", "res.groups"):
            request = posted(call, model=model, method="anything")
            self.assertTrue(answered_here(request), model)
            request = posted(call, model=model, method="web_search_read")
            self.assertIsNone(answered_here(request), model)

    def test_reading_goes_on(self):
        call = "/web/dataset/call_kw/x"
        for method in ("web_search_read", "web_read", "get_views", "onchange"):
            request = posted(call, model="res.partner", method=method)
            self.assertIsNone(answered_here(request), method)
        self.assertIsNone(answered_here({"url": ORIGIN, "method": "GET"}))
        self.assertIsNone(answered_here(posted("/web/action/load", action_id=1)))
