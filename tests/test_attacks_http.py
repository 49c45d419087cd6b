"""Bodies, hosts, origins, keys and texts of somebody who means harm, at Odoo's port."""

import base64
import datetime
import itertools
import re

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.caller import Credentials
from ..models.exceptions import NotAuthenticated
from ..models.key_facts import key_hash
from ..models.registrar import Registrar
from .attacks.http import BODIES, HOSTS, ORIGINS
from .attacks.keys import ELSEWHERE, GUESSES
from .attacks.text import FORGED, TEXTS
from .common import LEGACY, McpCase, McpHttpCase

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
LINE = re.compile(
    r'\[[0-9TZ:-]{20}\] DB=\S+ USER=\d+ TOOL=(\S+|"(?:[^"\\]|\\.)*") '
    r'(CMD|ARGS)="(?:[^"\\]|\\.)*"(?: ROWS=\d+)?(?: EXIT_CODE=-?\d+)?'
    r"(?: STATUS=\w+)? DURATION=\d+ms"
)


@tagged("post_install", "-at_install")
class TestAttacksHttp(McpHttpCase):
    def state(self):
        """What a call leaves: entries, and lines of the file."""
        self.env.cr.execute("SELECT count(*) FROM mcp_audit_log")
        text = self.audit_path.read_text() if self.audit_path.exists() else ""
        return self.env.cr.fetchone()[0], text

    def assert_no_call(self, before):
        self.assertEqual(self.state(), before)

    def test_a_body_that_can_be_read_in_two_ways_is_no_call(self):
        before = self.state()
        for body in BODIES:
            with self.subTest(kind=body.kind, sent=body.sent[:80]):
                response = self.send(body.sent, body.headers)
                self.assert_error(response, body.status, body.code)
                self.assertLess(len(response.content), 1000)
        self.assert_no_call(before)
        self.assertEqual(self.rpc("tools/list").status_code, 200)

    def test_a_body_is_nothing_to_whoever_has_no_key(self):
        before = self.state()
        answers = set()
        for body in BODIES:
            if body.status == 415:
                continue
            for header in (None, "Bearer odoo_mcp_" + "A" * 43):
                headers = {**body.headers, "Authorization": header}
                response = self.send(body.sent, headers)
                self.assertEqual(response.status_code, 401, body.sent[:80])
                answers.add((header, response.content))
        self.assertEqual(len(answers), 2)
        self.assert_no_call(before)

    def test_a_host_that_only_looks_like_this_server_is_refused(self):
        for host in HOSTS:
            sent = host.encode().decode("latin-1")
            with self.subTest(host=host):
                self.assertIn(self.send(LIST, {"Host": sent}).status_code, (400, 403))

    def test_an_origin_that_only_looks_like_this_server_is_refused(self):
        for origin in ORIGINS:
            sent = origin.encode().decode("latin-1").strip()
            headers = {"Host": "localhost", "Origin": sent}
            with self.subTest(origin=origin):
                response = self.send(LIST, headers)
                self.assert_error(response, 403, -32004)
                self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    def guesses(self, text):
        key = self.secret
        parts = {
            "{key}": key,
            "{key0}": key[:-1],
            "{0key}": key[1:],
            "{middle}": key[len("odoo_mcp_") :],
            "{tail}": key[1:],
            "{reversed}": key[::-1],
            "{upper}": key.upper(),
            "{lower}": key.lower().replace("odoo_mcp_", "Odoo_mcp_"),
            "{fullwidth}": "".join(chr(0xFEE0 + ord(letter)) for letter in key),
            "{hash}": key_hash(key),
            "{head}": self.key.hint.rstrip("…"),
            "{id}": str(self.key.id),
            "{name}": self.key.name,
            "{login}": self.developer.login,
            "{base64}": base64.b64encode(f"admin:{key}".encode()).decode(),
        }
        for name, value in parts.items():
            text = text.replace(name, value)
        return text.encode().decode("latin-1")

    @property
    def key(self):
        return self.env["mcp.api.key"].search([("user_id", "=", self.developer.id)])

    def test_a_guess_at_a_key_is_no_key_however_near(self):
        before = self.state()
        for kind, header in GUESSES:
            sent = self.guesses(header)
            with self.subTest(kind=kind, header=header):
                response = self.send(LIST, {"Authorization": sent})
                self.assertEqual(response.status_code, 401, response.text)
                self.assertNotIn(self.secret, response.text)
        self.assert_no_call(before)

    def test_a_key_or_a_name_elsewhere_than_in_its_header_is_none(self):
        for name, value in ELSEWHERE.items():
            headers = {"Authorization": None, name: self.guesses(value)}
            with self.subTest(name=name):
                self.assertEqual(self.send(LIST, headers).status_code, 401)
        for name in ("key", "api_key", "access_token", "authorization", "bearer"):
            body = {**LIST, "params": {name: self.secret, "_meta": {name: self.secret}}}
            path = f"/mcp/v1?{name}={self.secret}"
            response = self.send(body, {"Authorization": None}, path=path)
            self.assertEqual(response.status_code, 401)

    def assert_whole_lines(self):
        """The file has nothing but lines of calls, in printable ASCII."""
        written = self.audit_path.read_bytes()
        self.assertTrue(all(byte == 10 or 32 <= byte < 127 for byte in written))
        lines = written.decode().split("\n")
        self.assertEqual(lines.pop(), "")
        for line in lines:
            self.assertRegex(line, f"^{LINE.pattern}$")
        return lines

    def test_a_text_forges_nothing_in_the_audit_wherever_it_stands(self):
        self.make_tool("take_anything", "action = 'taken'")
        self.call("take_anything")
        before = len(self.assert_whole_lines())
        for text in TEXTS:
            with self.subTest(text=ascii(text)[:60]):
                info = {"name": text, "version": text}
                params = {
                    "name": "take_anything",
                    "arguments": {"value": text, text: [{text: text}]},
                    "_meta": {"io.modelcontextprotocol/clientInfo": info},
                }
                response = self.rpc("tools/call", params, id=text)
                if "\0" in text:
                    continue
                self.assertEqual(response.status_code, 200, response.text)
                entry = self.entries(tool="take_anything")[0]
                self.assertEqual(entry.status, "success")
                self.assertTrue(entry.arguments.isascii())
                self.assertTrue(entry.arguments.isprintable())
        lines = self.assert_whole_lines()
        self.assertGreaterEqual(len(lines), before + len(TEXTS) - 1)
        self.assertFalse([line for line in lines if line.startswith(FORGED[:10])])

    def test_a_text_forges_nothing_as_the_name_of_what_is_not_there(self):
        self.call("list_modules", limit=1)
        before = len(self.assert_whole_lines())
        methods = (
            *(("tools/call", "name"), ("prompts/get", "name")),
            ("resources/read", "uri"),
        )
        for text, (method, name) in zip(TEXTS, itertools.cycle(methods), strict=False):
            with self.subTest(method=method, text=ascii(text)[:60]):
                response = self.rpc(method, {name: text}, revision=LEGACY[-1])
                self.assertEqual(response.status_code, 200, response.text)
                self.assertIn("error", response.json())
        self.assertGreater(len(self.assert_whole_lines()), before)


@tagged("post_install", "-at_install")
class TestAttacksKeys(McpCase):
    def test_a_bad_key_costs_the_same_however_bad_it_is(self):
        """Else the time that an answer takes would tell how near a guess is."""
        past = fields.Datetime.now() - datetime.timedelta(days=1)
        keys = {"unknown": "odoo_mcp_" + "A" * 43, "no key": "nonsense"}
        for name, change in (
            ("revoked", {"revoked_date": past}),
            ("suspended", {"suspended": True}),
            ("expired", {"expiration_date": past}),
        ):
            keys[name] = self.make_key(self.developer, name=name)
            self.env.flush_all()
            (column, value), *_rest = change.items()
            self.env.cr.execute(
                SQL(
                    "UPDATE mcp_api_key SET %s = %s WHERE key_hash = %s",
                    SQL.identifier(column),
                    value,
                    key_hash(keys[name]),
                )
            )
        self.env.registry.clear_all_caches()
        # whatever else is remembered is
        self.call("list_modules", limit=1)
        told, counts = {}, {}
        for name, key in keys.items():
            registrar = Registrar(self.registry)
            before = self.cr.sql_log_count
            with self.assertRaises(NotAuthenticated) as refused:
                registrar.offered(Credentials(key, "127.0.0.1"), "mcp.tool")
            counts[name] = self.cr.sql_log_count - before
            told[name] = str(refused.exception)
        self.assertEqual(told["unknown"], told["no key"])
        # what is no key by its form is not looked up, and nobody has to guess the form
        self.assertLessEqual(counts.pop("no key"), counts["unknown"])
        self.assertEqual(len(set(counts.values())), 1, counts)
        self.assertGreater(counts["unknown"], 0)
