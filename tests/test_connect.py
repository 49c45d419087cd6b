"""What a client is told to connect, and a key's life after that.

By Odoo's own RPC, as its web client does.
"""

import datetime
import json
import shlex
from pathlib import Path

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from ..models import listener_settings
from ..models.client_snippets import CLIENTS, endpoint
from ..models.mcp_api_key import PREFIX, key_hash
from .common import ADMINISTRATOR, DEVELOPER, USER, McpHelpers, McpHttpCase

try:
    import tomllib
except ImportError:  # Python 3.10
    tomllib = None

CONNECT = "mcp.client.connect"
SHOW = "mcp.api.key.show"
BASE = "https://odoo.example.com"
URL = f"{BASE}/mcp/v1"
LISTENER = "http://127.0.0.1:8768/mcp/v1"
KEY = PREFIX + "x" * 43
BEARER = f"Bearer {KEY}"
SHOWN = ("client", "door", "key", "loopback", "place", "snippet", "url")


class ConnectHelpers(McpHelpers):
    """Keys by their secret, and the page that shows one."""

    def set_base_url(self, url):
        self.env["ir.config_parameter"].set_param("web.base.url", url)

    def record(self, secret):
        """The record of a key, as the superuser finds it by its hash."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT id FROM mcp_api_key WHERE key_hash = %s", [key_hash(secret)]
        )
        return self.env["mcp.api.key"].browse(self.env.cr.fetchone())

    def listen(self, url=LISTENER):
        """Have the dedicated listener run, as far as this database can tell."""
        self.assertTrue(listener_settings.take(self.env.cr))
        self.addCleanup(
            self.env.cr.execute,
            "SELECT pg_advisory_unlock(%s, %s)",
            [listener_settings.LOCK_CLASS, listener_settings.lock_id()],
        )
        listener_settings.tell(self.env.cr, url=url)


@tagged("post_install", "-at_install")
class TestConnect(ConnectHelpers, McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls.make_user("mcp_connecting", DEVELOPER)

    def setUp(self):
        super().setUp()
        self.set_base_url(BASE)

    def connect(self, **values):
        """The action that the dialog ends with, for whoever is logged in."""
        created = self.call_kw(CONNECT, "create", values)
        self.assertIn("result", created, created)
        return self.call_kw(CONNECT, "generate_key", [created["result"]])["result"]

    def page(self, **context):
        """The values of the page, as the web client gets them with an onchange."""
        context = {f"default_{name}": value for name, value in context.items()}
        answer = self.call_kw(
            SHOW, "onchange", [], {}, [], {name: {} for name in SHOWN}, context=context
        )
        self.assertIn("result", answer, answer)
        return answer["result"]["value"]

    def snippet(self, client, url=URL):
        return CLIENTS[client].snippet(url, KEY)

    def test_the_dialog_makes_a_key_and_shows_how_the_client_connects(self):
        self.log_in(self.owner)
        action = self.connect(client="cursor")
        self.assertEqual(action["res_model"], SHOW)
        context = action["context"]
        secret = context["default_key"]
        key = self.record(secret)
        self.assertEqual(key.id, context["default_key_number"])
        self.assertEqual((key.user_id, key.name), (self.owner, "Cursor"))
        page = self.page(
            key=secret, key_number=key.id, client=context["default_client"]
        )
        server = json.loads(page["snippet"])["mcpServers"]["odoo"]
        self.assertEqual(server["headers"], {"Authorization": f"Bearer {secret}"})
        self.assertIn("list_modules", self.offered(secret))

    def test_the_dialog_asks_for_the_password_first(self):
        self.log_in(self.owner, identified=False)
        action = self.connect()
        self.assertEqual(action["res_model"], "res.users.identitycheck")
        self.assertFalse(self.owner.mcp_api_key_ids)

    def test_the_dialog_narrows_the_key_as_asked(self):
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        self.log_in(self.owner)
        self.connect(
            name="Mine", read_only=True, toolset_ids=self.only(toolset), duration="7"
        )
        key = self.owner.mcp_api_key_ids
        self.assertEqual(key.name, "Mine")
        self.assertTrue(key.read_only and key.narrowed)
        self.assertEqual(key.toolset_ids, toolset)

    def test_a_user_outside_mcp_user_cannot_connect(self):
        self.log_in(self.make_user("mcp_stranger"))
        self.assert_denied(self.call_kw(CONNECT, "create", {}))

    def test_nothing_is_stored_of_a_key_that_was_shown(self):
        self.log_in(self.owner)
        secret = self.connect(client="codex")["context"]["default_key"]
        for client in CLIENTS:
            self.page(key=secret, client=client)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace = 'public'::regnamespace"
        )
        tables = [table for (table,) in self.env.cr.fetchall()]
        self.assertIn("mcp_client_connect", tables)
        models = self.env.registry.models.values()
        transient = {model._table for model in models if model._transient}
        for table in {*transient, "mcp_api_key", "ir_config_parameter"} & set(tables):
            with self.subTest(table=table):
                self.env.cr.execute(
                    f'SELECT count(*) FROM "{table}" t WHERE strpos(t::text, %s) > 0',
                    [secret],
                )
                self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertFalse(self.env[CONNECT].search([]))

    def test_the_page_cannot_be_saved(self):
        self.log_in(self.owner)
        values = {"key": KEY, "client": "cursor", "door": "odoo"}
        for method, args in (
            ("create", [values]),
            ("web_save", [[], values, {}]),
        ):
            with self.subTest(method=method):
                self.assert_denied(self.call_kw(SHOW, method, *args))

    def test_a_command_is_words_of_a_shell(self):
        words = shlex.split(self.snippet("claude_code"))
        self.assertEqual(
            words,
            [
                *("claude", "mcp", "add", "--transport", "http", "odoo", URL),
                *("--header", f"Authorization: {BEARER}"),
            ],
        )

    def test_json_snippets_hold_url_and_key_where_their_client_reads_them(self):
        headers = {"Authorization": BEARER}
        remote = {
            "command": "npx",
            "args": ["mcp-remote", URL, "--header", "Authorization:${AUTH_HEADER}"],
            "env": {"AUTH_HEADER": BEARER},
        }
        typed = {"type": "http", "url": URL, "headers": headers}
        for client, top, server in (
            ("claude_desktop", "mcpServers", remote),
            ("cursor", "mcpServers", {"url": URL, "headers": headers}),
            ("vscode", "servers", typed),
            ("gemini", "mcpServers", {"httpUrl": URL, "headers": headers}),
            ("windsurf", "mcpServers", {"serverUrl": URL, "headers": headers}),
            ("generic", "mcpServers", typed),
        ):
            with self.subTest(client=client):
                found = json.loads(self.snippet(client))
                self.assertEqual(found, {top: {"odoo": server}})

    def test_the_snippet_of_codex_is_toml(self):
        if tomllib is None:
            self.skipTest("Python 3.10 has no tomllib")
        server = {"url": URL, "http_headers": {"Authorization": BEARER}}
        found = tomllib.loads(self.snippet("codex"))
        self.assertEqual(found, {"mcp_servers": {"odoo": server}})

    def test_mcp_remote_is_told_when_a_key_travels_in_the_clear(self):
        for url, told in (
            (URL, False),
            ("http://localhost:8069/mcp/v1", False),
            ("http://192.0.2.7:8069/mcp/v1", True),
        ):
            with self.subTest(url=url):
                snippet = self.snippet("claude_desktop", url)
                self.assertEqual("--allow-http" in snippet, told)

    def test_each_client_is_told_where_its_snippet_goes(self):
        self.log_in(self.owner)
        for client in CLIENTS:
            page = self.page(key=KEY, client=client)
            with self.subTest(client=client):
                self.assertIn(KEY, page["snippet"])
                self.assertIn(URL, page["snippet"])
                self.assertTrue(page["place"].endswith(":"))

    def test_the_readme_says_the_same(self):
        readme = (Path(__file__).parents[1] / "README.md").read_text()
        local = "http://127.0.0.1:8069/mcp/v1"
        for client in CLIENTS:
            snippet = CLIENTS[client].snippet(local, "KEY")
            if snippet.startswith("{"):
                snippet = json.dumps(json.loads(snippet))
            with self.subTest(client=client):
                self.assertIn(snippet, readme)

    def test_a_client_calls_the_address_of_odoo_unless_the_listeners_is_chosen(self):
        self.log_in(self.owner)
        self.assertEqual(self.page(key=KEY)["url"], URL)
        # nobody listens: there is nothing to choose
        self.assertFalse(self.page(key=KEY, door="listener")["url"])
        self.listen()
        page = self.page(key=KEY)
        self.assertEqual((page["door"], page["url"]), ("odoo", URL))
        self.assertFalse(page["loopback"])
        page = self.page(key=KEY, door="listener")
        self.assertEqual(page["url"], LISTENER)
        self.assertIn(LISTENER, page["snippet"])
        self.assertTrue(page["loopback"])

    def test_a_listener_at_all_addresses_is_called_at_loopback(self):
        self.listen("http://0.0.0.0:8768/mcp/v1")
        self.log_in(self.owner)
        self.assertEqual(self.page(key=KEY, door="listener")["url"], LISTENER)

    def test_without_an_address_there_is_no_snippet(self):
        self.set_base_url("odoo.example.com")
        self.log_in(self.owner)
        page = self.page(key=KEY)
        self.assertEqual((page["url"], page["snippet"]), (False, False))
        self.assertEqual(page["key"], KEY)
        self.listen()
        page = self.page(key=KEY)
        self.assertEqual((page["door"], page["url"]), ("listener", LISTENER))

    def test_an_address_that_a_shell_would_read_otherwise_is_none(self):
        for base in (
            *("", False, "odoo", "ftp://odoo.example.com", "https://"),
            *("https://odoo.example.com/$(id)", "https://a b", 'https://a"b'),
            *("https://odoo.example.com;id", "https://odoo:99999", "https://[::1"),
        ):
            with self.subTest(base=base):
                self.assertIsNone(endpoint(base))

    def test_the_page_is_told_of_the_first_call(self):
        secret = self.make_key(self.owner)
        key = self.record(secret)
        self.log_in(self.owner)
        self.assertIs(
            self.call_kw("mcp.api.key", "first_call", key.ids)["result"], False
        )
        self.call("list_modules", _secret=secret, limit=1)
        self.call("get_module_info", _secret=secret, module_name="base")
        found = self.call_kw("mcp.api.key", "first_call", key.ids)["result"]
        first = self.entries(key_id=key.id)[-1]
        self.assertEqual(
            found,
            {
                "client": first.client or "",
                "tool": "list_modules",
                "time": fields.Datetime.to_string(first.create_date),
            },
        )

    def test_nobody_else_is_told_of_the_first_call(self):
        key = self.record(self.secret)
        self.call("list_modules", limit=1)
        for groups in (USER, ADMINISTRATOR):
            self.log_in(self.make_user(f"mcp_{groups.split('_')[-1]}", groups))
            answer = self.call_kw("mcp.api.key", "first_call", key.ids)
            with self.subTest(groups=groups):
                self.assert_denied(answer)

    def test_an_mcp_user_reads_the_first_call_with_no_right_beyond_their_own(self):
        user = self.make_user("mcp_plain", USER)
        key = self.record(self.make_key(user))
        self.log_in(user)
        self.assertIs(
            self.call_kw("mcp.api.key", "first_call", key.ids)["result"], False
        )


@tagged("post_install", "-at_install")
class TestRotate(ConnectHelpers, McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls.make_user("mcp_rotating", DEVELOPER)

    def rotate(self, key):
        return self.call_kw("mcp.api.key", "action_rotate", key.ids)

    def answer(self, secret):
        return self.rpc(
            "tools/list", headers={"Authorization": f"Bearer {secret}"}
        ).status_code

    def rotated(self, secret):
        """The new key's secret, and its record."""
        self.log_in(self.owner)
        action = self.rotate(self.record(secret))["result"]
        self.assertEqual(action["res_model"], SHOW)
        new = action["context"]["default_key"]
        return new, self.record(new)

    def test_the_new_key_works_and_the_old_one_no_more(self):
        old = self.make_key(self.owner)
        self.assertEqual(self.answer(old), 200)
        new, key = self.rotated(old)
        self.assertEqual(self.answer(new), 200)
        self.assertEqual(self.answer(old), 401)
        self.assertEqual(self.record(old).state, "revoked")
        self.assertEqual((key.user_id, key.state), (self.owner, "active"))

    def test_the_new_key_may_do_the_same_for_as_long(self):
        tool = self.tool("list_modules")
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        old = self.make_key(
            self.owner,
            read_only=True,
            toolset_ids=[Command.set(toolset.ids)],
            tool_ids=[Command.set(tool.ids)],
            networks="127.0.0.0/8",
            expiration_date=fields.Datetime.now() + datetime.timedelta(days=30),
        )
        offered = self.offered(old)
        new, key = self.rotated(old)
        self.assertEqual(self.offered(new), offered)
        self.assertEqual(
            (key.name, key.read_only, key.toolset_ids, key.tool_ids, key.networks),
            (f"key of {self.owner.login}", True, toolset, tool, "127.0.0.0/8"),
        )
        left = key.expiration_date - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 30 * 86400, delta=3600)

    def test_a_key_for_what_is_gone_opens_nothing_after_rotation(self):
        tool = self.make_tool("short_lived", "action = 1")
        old = self.make_key(self.owner, tool_ids=[Command.set(tool.ids)])
        tool.unlink()
        new, key = self.rotated(old)
        self.assertTrue(key.narrowed)
        self.assertEqual(self.offered(new), [])

    def test_a_key_for_what_is_switched_off_keeps_it(self):
        tool = self.make_tool("resting", "action = 1")
        old = self.make_key(self.owner, tool_ids=[Command.set(tool.ids)])
        tool.active = False
        new, _key = self.rotated(old)
        self.assertEqual(self.offered(new), [])
        tool.active = True
        self.assertEqual(self.offered(new), ["resting"])

    def test_a_key_for_a_tool_that_is_switched_off_is_narrowed(self):
        tool = self.make_tool("resting", "action = 1", active=False)
        secret = self.make_key(self.owner, tool_ids=[Command.set(tool.ids)])
        self.assertEqual(self.offered(secret), [])

    def test_rotation_asks_for_the_password_first(self):
        old = self.make_key(self.owner)
        self.log_in(self.owner, identified=False)
        action = self.rotate(self.record(old))["result"]
        self.assertEqual(action["res_model"], "res.users.identitycheck")
        self.assertEqual(self.answer(old), 200)

    def test_only_its_owner_rotates_a_key(self):
        old = self.make_key(self.owner)
        for groups in (USER, ADMINISTRATOR):
            self.log_in(self.make_user(f"mcp_{groups.split('_')[-1]}", groups))
            with self.subTest(groups=groups):
                self.assert_denied(self.rotate(self.record(old)))
        self.assertEqual(self.answer(old), 200)
        self.assertEqual(len(self.owner.mcp_api_key_ids), 1)

    def test_a_revoked_or_suspended_key_is_not_brought_back_by_rotation(self):
        self.log_in(self.owner)
        for end in ("action_suspend", "action_revoke"):
            key = self.record(self.make_key(self.owner))
            getattr(key, end)()
            with self.subTest(end=end):
                self.assertIn("error", self.rotate(key))
        self.assertEqual(len(self.owner.mcp_api_key_ids), 2)

    def test_an_expired_key_is_rotated_for_the_same_period(self):
        old = self.make_key(self.owner)
        key = self.record(old)
        self.env.cr.execute(
            "UPDATE mcp_api_key SET create_date = create_date - interval '8 days', "
            "expiration_date = create_date - interval '1 day' WHERE id = %s",
            key.ids,
        )
        self.env.invalidate_all()
        self.assertEqual(key.state, "expired")
        new, key = self.rotated(old)
        self.assertEqual(self.answer(new), 200)
        left = key.expiration_date - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 7 * 86400, delta=3600)


@tagged("post_install", "-at_install")
class TestKeySearch(ConnectHelpers, McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls.make_user("mcp_searching", DEVELOPER)

    def setUp(self):
        super().setUp()
        now = fields.Datetime.now()
        ends = {"soon": 7, "later": 30, "ended": -1, "ended_suspended": -1}
        self.keys = {}
        for name in ("lasting", "suspended", "revoked", *ends):
            days = ends.get(name)
            end = days and now + datetime.timedelta(days=days)
            secret = self.make_key(self.owner, name=name, expiration_date=end)
            self.keys[name] = self.record(secret)
        self.keys["suspended"].action_suspend()
        self.keys["ended_suspended"].action_suspend()
        self.keys["revoked"].action_revoke()
        self.used = self.make_key(self.owner, name="used")
        self.call("list_modules", _secret=self.used, limit=1)

    def found(self, *domain):
        self.env.invalidate_all()
        keys = self.env["mcp.api.key"].search(
            [("user_id", "=", self.owner.id), *domain]
        )
        return set(keys.mapped("name"))

    def test_each_state_is_found_as_it_is_told(self):
        every = self.env["mcp.api.key"].search([("user_id", "=", self.owner.id)])
        for state in ("active", "suspended", "expired", "revoked"):
            told = every.filtered(lambda key, state=state: key.state == state)
            with self.subTest(state=state):
                self.assertTrue(told)
                self.assertEqual(
                    self.found(("state", "=", state)), set(told.mapped("name"))
                )
                self.assertEqual(
                    self.found(("state", "!=", state)),
                    set((every - told).mapped("name")),
                )
        self.assertEqual(
            self.found(("state", "in", ["expired", "revoked"])),
            {"ended", "ended_suspended", "revoked"},
        )
        self.assertEqual(self.found(("state", "in", [])), set())
        self.assertEqual(self.found(("state", "not in", [])), set(every.mapped("name")))

    def test_keys_that_were_never_used_are_found(self):
        self.assertEqual(self.found(("last_use", "!=", False)), {"used"})
        self.assertEqual(self.found(("last_use", "=", False)), {*self.keys})
        with self.assertRaises(UserError):
            self.found(("last_use", ">", "2026-01-01"))

    def test_calls_are_counted_up_to_ten_thousand_and_the_last_is_told(self):
        key = self.keys["lasting"]
        self.env.cr.execute(
            "INSERT INTO mcp_audit_log (create_date, key_id, tool, status) "
            "SELECT timestamp '2026-01-01' + n * interval '1 second', %s, 'x', "
            "'success' FROM generate_series(1, 10001) n",
            key.ids,
        )
        self.env.invalidate_all()
        self.assertEqual(key.use_count, 10_000)
        self.assertEqual(key.last_use, datetime.datetime(2026, 1, 1, 2, 46, 41))

    def test_a_key_expires_soon_within_two_weeks(self):
        soon = {name for name, key in self.keys.items() if key.expires_soon}
        self.assertEqual(soon, {"soon"})


@tagged("post_install", "-at_install")
class TestConnectTours(ConnectHelpers, HttpCase):
    """Each tour is walked as the user whose password it gives."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()

    def walk(self, tour, login):
        """Walk a tour from the list of keys on."""
        url = "/odoo/action-odoo_dev_mcp.mcp_api_key_action"
        self.start_tour(url, f"odoo_dev_mcp_{tour}", login=login)

    def test_from_the_preferences_to_the_first_call(self):
        self.make_user("mcp_connecting", DEVELOPER)
        self.set_base_url(self.base_url())
        self.walk("connect", "mcp_connecting")

    def test_a_user_keeps_order_among_their_keys(self):
        owner = self.make_user("mcp_rotating", USER)
        soon = fields.Datetime.now() + datetime.timedelta(days=3)
        ending = self.make_key(owner, name="Ending", expiration_date=soon)
        self.make_key(owner, name="Lasting")
        self.walk("keys", "mcp_rotating")
        self.env.invalidate_all()
        self.assertEqual(self.record(ending).state, "revoked")
        newest = owner.mcp_api_key_ids.sorted("id")[-1]
        self.assertEqual((newest.name, newest.state), ("Ending", "active"))
