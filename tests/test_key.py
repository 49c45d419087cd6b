"""What a key opens, and what it does not."""

import datetime

from odoo import Command, fields
from odoo.tests import tagged

from ..models.mcp_api_key import PREFIX, key_hash
from .common import DEVELOPER, USER, McpHttpCase

READ = "SELECT 1 AS one"


@tagged("post_install", "-at_install")
class TestKey(McpHttpCase):
    def record(self, secret=None):
        """The record of a key, as the superuser finds it by its hash."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT id FROM mcp_api_key WHERE key_hash = %s",
            [key_hash(secret or self.secret)],
        )
        (found,) = self.env.cr.fetchone()
        return self.env["mcp.api.key"].browse(found)

    def ask(self, secret, **headers):
        bearer = {"Authorization": f"Bearer {secret}"}
        return self.rpc("tools/list", headers={**bearer, **headers})

    def assert_unauthorized(self, secret, *words):
        response = self.ask(secret)
        self.assert_error(response, 401, -32003, *words)
        self.assertIn("WWW-Authenticate", response.headers)
        response = self.call("list_modules", _secret=secret)
        self.assert_error(response, 401, -32003, *words)

    def test_a_key_is_recognisable_and_has_256_bits(self):
        self.assertRegex(self.secret, rf"^{PREFIX}[A-Za-z0-9_-]{{43}}$")
        self.assertNotEqual(self.secret, self.make_key(self.developer))

    def test_only_the_hash_of_a_key_is_stored(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT k::text FROM mcp_api_key k WHERE id = %s", [self.record().id]
        )
        (row,) = self.env.cr.fetchone()
        self.assertIn(key_hash(self.secret), row)
        self.assertNotIn(self.secret, row)
        # what is shown of it leaves far more bits than can be tried
        self.assertLessEqual(len(self.record().hint.rstrip("…")), len(PREFIX) + 4)

    def test_a_valid_key_opens(self):
        self.assertEqual(self.ask(self.secret).status_code, 200)

    def test_an_unknown_or_malformed_key_is_refused_with_401(self):
        flipped = self.secret[:-1] + ("A" if self.secret[-1] != "A" else "B")
        for secret in (
            flipped,
            self.secret[:-1],
            self.secret + "A",
            self.secret.upper(),
            self.secret.removeprefix(PREFIX),
            PREFIX,
            PREFIX + "A" * 43,
            key_hash(self.secret),
            PREFIX + "'" * 43,
            "x" * 5000,
            "%s",
        ):
            with self.subTest(secret=secret[:60]):
                self.assert_unauthorized(secret, "not known")

    def test_an_expired_key_is_refused_with_401(self):
        # the test's own transaction has begun, and its now() stands, since a while
        past = fields.Datetime.now() - datetime.timedelta(hours=1)
        self.assert_unauthorized(
            self.make_key(self.developer, expiration_date=past), "expired"
        )

    def test_a_key_opens_until_it_expires(self):
        later = fields.Datetime.now() + datetime.timedelta(hours=1)
        secret = self.make_key(self.developer, expiration_date=later)
        self.assertEqual(self.ask(secret).status_code, 200)

    def test_a_suspended_key_is_refused_until_it_is_resumed(self):
        self.record().action_suspend()
        self.assert_unauthorized(self.secret, "suspended")
        self.record().action_resume()
        self.assertEqual(self.ask(self.secret).status_code, 200)

    def test_a_revoked_key_never_opens_again(self):
        self.record().action_revoke()
        self.assert_unauthorized(self.secret, "revoked")
        self.record().action_suspend()
        self.record().action_resume()
        self.assert_unauthorized(self.secret, "revoked")
        self.assertEqual(self.record().state, "revoked")

    def test_revoking_twice_keeps_the_first_date(self):
        key = self.record()
        key.action_revoke()
        first = key.revoked_date
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mcp_api_key SET revoked_date = revoked_date - interval '1 day' "
            "WHERE id = %s RETURNING revoked_date",
            [key.id],
        )
        (earlier,) = self.env.cr.fetchone()
        self.env.invalidate_all()
        key.action_revoke()
        self.assertEqual(key.revoked_date, earlier)
        self.assertLess(key.revoked_date, first)

    def test_the_key_of_an_inactive_user_is_refused_with_401(self):
        self.developer.active = False
        self.assert_unauthorized(self.secret)

    def test_a_key_follows_its_user_out_of_the_groups(self):
        user = self.make_user("mcp_leaver", USER)
        secret = self.make_key(user)
        self.assertEqual(self.ask(secret).status_code, 200)
        group = self.env.ref(USER)
        field = "user_ids" if "user_ids" in group._fields else "users"
        group.write({field: [Command.unlink(user.id)]})
        self.assert_error(self.ask(secret), 403, -32004, "MCP User")

    def test_a_user_outside_mcp_user_is_403(self):
        secret = self.make_key(self.make_user("mcp_outsider"))
        response = self.ask(secret)
        self.assert_error(response, 403, -32004, "MCP User", "administrator")

    def test_a_key_from_the_wrong_network_is_403(self):
        for networks, status in (
            ("192.0.2.0/24", 403),
            ("2001:db8::/32, 10.0.0.1", 403),
            ("127.0.0.1", 200),
            ("192.0.2.0/24, 127.0.0.0/8", 200),
            ("0.0.0.0/0", 200),
        ):
            with self.subTest(networks=networks):
                secret = self.make_key(self.developer, networks=networks)
                response = self.ask(secret)
                self.assertEqual(response.status_code, status, response.text)
                if status == 403:
                    self.assert_error(response, 403, -32004, "127.0.0.1")

    def test_the_network_is_not_taken_from_a_header(self):
        secret = self.make_key(self.developer, networks="192.0.2.0/24")
        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
            with self.subTest(header=header):
                response = self.ask(secret, **{header: "192.0.2.7"})
                self.assertEqual(response.status_code, 403)

    def test_a_read_only_key_calls_only_read_only_tools(self):
        self.make_tool("change_something", "action = 'changed'")
        self.make_tool("look_at_something", "action = 'seen'", read_only_hint=True)
        secret = self.make_key(self.developer, read_only=True)
        names = self.offered(secret)
        self.assertIn("look_at_something", names)
        self.assertNotIn("change_something", names)
        self.assertIn("change_something", self.offered())
        response = self.call("change_something", _secret=secret)
        self.assert_error(response, 400, -32602, "Unknown tool")
        response = self.call("look_at_something", _secret=secret)
        self.assertEqual(response.json()["result"]["content"][0]["text"], "seen")

    def test_a_key_for_toolsets_or_tools_opens_those_alone(self):
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        tool = self.tool("list_modules")
        database = sorted(toolset.tool_ids.mapped("name"))
        for values, expected in (
            ({"toolset_ids": [Command.set(toolset.ids)]}, database),
            ({"tool_ids": [Command.set(tool.ids)]}, ["list_modules"]),
            (
                {
                    "toolset_ids": [Command.set(toolset.ids)],
                    "tool_ids": [Command.set(tool.ids)],
                },
                sorted([*database, "list_modules"]),
            ),
        ):
            with self.subTest(expected=expected):
                secret = self.make_key(self.developer, **values)
                self.assertEqual(self.offered(secret), expected)
                response = self.call("get_module_info", _secret=secret, module_name="x")
                self.assert_error(response, 400, -32602, "Unknown tool")

    def test_a_narrowed_key_never_widens(self):
        guest = self.make_user("mcp_guest", USER)
        tools = self.tool("query_database")
        secret = self.make_key(guest, tool_ids=[Command.set(tools.ids)])
        self.assertEqual(self.offered(secret), [])
        response = self.call("query_database", _secret=secret, query=READ)
        self.assert_error(response, 400, -32602, "Unknown tool")

    def test_a_narrowed_key_whose_tools_are_deleted_opens_nothing(self):
        tool = self.make_tool("short_lived", "action = 1")
        secret = self.make_key(self.developer, tool_ids=[Command.set(tool.ids)])
        self.assertEqual(self.offered(secret), ["short_lived"])
        tool.unlink()
        self.assertEqual(self.offered(secret), [])
        response = self.call("list_modules", _secret=secret)
        self.assert_error(response, 400, -32602, "Unknown tool")

    def test_a_narrowed_key_whose_toolset_is_deleted_opens_nothing(self):
        toolset = self.env["mcp.toolset"].create({"name": "Gone", "code": "gone"})
        secret = self.make_key(self.developer, toolset_ids=[Command.set(toolset.ids)])
        self.assertEqual(self.offered(secret), [])
        toolset.unlink()
        self.assertEqual(self.offered(secret), [])

    def test_last_use_and_count_come_from_the_audit_log(self):
        key = self.record()
        self.assertEqual((key.last_use, key.use_count), (False, 0))
        for _number in range(2):
            self.call("list_modules", limit=1)
        self.env.invalidate_all()
        self.assertEqual(key.use_count, 2)
        newest = self.entries(key_id=key.id)[0]
        self.assertEqual(key.last_use, newest.create_date)

    def test_a_call_writes_nothing_to_its_key(self):
        self.env.flush_all()
        query = "SELECT k::text FROM mcp_api_key k WHERE id = %s"
        self.env.cr.execute(query, [self.record().id])
        before = self.env.cr.fetchone()
        self.call("list_modules", limit=1)
        self.env.cr.execute(query, [self.record().id])
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_two_users_keys_act_as_each_of_them(self):
        self.make_tool("who_am_i", "action = env.user.login")
        other = self.make_user("mcp_other", DEVELOPER)
        for user in (self.developer, other):
            response = self.call("who_am_i", _secret=self.make_key(user))
            text = response.json()["result"]["content"][0]["text"]
            self.assertEqual(text, user.login)
