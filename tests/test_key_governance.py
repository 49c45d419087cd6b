"""Who makes, sees and governs keys: by Odoo's own RPC, as its web client does."""

import datetime

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.mcp_api_key import key_hash
from .common import ADMINISTRATOR, FOR_USERS, USER, McpHttpCase

WIZARD = "mcp.api.key.generate"


@tagged("post_install", "-at_install")
class TestKeyGovernance(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls.make_user("mcp_owner", USER)
        cls.administrator = cls.make_user("mcp_administrator", ADMINISTRATOR)

    def keys_of(self, user):
        return self.env["mcp.api.key"].search([("user_id", "=", user.id)])

    def generate(self, **values):
        """The action that the wizard ends with, for whoever is logged in."""
        created = self.call_kw(WIZARD, "create", {"name": "laptop", **values})
        self.assertIn("result", created, created)
        return self.call_kw(WIZARD, "generate_key", [created["result"]])

    def test_the_wizard_makes_a_key_that_works(self):
        self.log_in(self.owner)
        action = self.generate()["result"]
        self.assertEqual(action["res_model"], "mcp.api.key.show")
        secret = action["context"]["default_key"]
        key = self.keys_of(self.owner)
        self.assertEqual((key.name, key.state), ("laptop", "active"))
        self.assertTrue(secret.startswith(key.hint.rstrip("…")))
        self.assertEqual(self.offered(secret), FOR_USERS)

    def test_the_wizard_asks_for_the_password_first(self):
        self.log_in(self.owner, identified=False)
        action = self.generate()["result"]
        self.assertEqual(action["res_model"], "res.users.identitycheck")
        self.assertFalse(self.keys_of(self.owner))
        answer = self.call_kw("res.users", "action_mcp_generate_key", [self.owner.id])
        self.assertEqual(answer["result"]["res_model"], "res.users.identitycheck")

    def test_the_preferences_open_the_wizard_after_the_password(self):
        self.log_in(self.owner)
        answer = self.call_kw("res.users", "action_mcp_generate_key", [self.owner.id])
        self.assertEqual(answer["result"]["res_model"], WIZARD)

    def test_the_wizard_narrows_the_key_as_asked(self):
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        self.log_in(self.owner)
        self.generate(
            duration="7",
            read_only=True,
            toolset_ids=self.only(toolset),
            networks="192.0.2.0/24",
        )
        key = self.keys_of(self.owner)
        self.assertTrue(key.read_only)
        self.assertTrue(key.narrowed)
        self.assertEqual(key.toolset_ids, toolset)
        self.assertEqual(key.networks, "192.0.2.0/24")
        left = key.expiration_date - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 7 * 86400, delta=3600)

    def test_a_key_without_an_end_is_asked_for_by_name(self):
        self.log_in(self.owner)
        self.generate(duration="0")
        self.assertFalse(self.keys_of(self.owner).expiration_date)

    def test_the_wizard_refuses_what_makes_no_key(self):
        past = fields.Datetime.now() - datetime.timedelta(days=1)
        self.log_in(self.owner)
        for values in (
            {"networks": "nonsense"},
            {"networks": "192.0.2.7/24"},
            {"duration": "-1"},
            {"duration": "-1", "expiration_date": fields.Datetime.to_string(past)},
            {"duration": "12"},
            {"name": False},
        ):
            with self.subTest(values=values), mute_logger("odoo.sql_db"):
                answer = self.call_kw(WIZARD, "create", {"name": "x", **values})
                self.assertIn("error", answer)
        self.assertFalse(self.keys_of(self.owner))

    def test_a_key_belongs_to_who_was_asked_for_the_password(self):
        self.log_in(self.owner)
        wizard = self.call_kw(WIZARD, "create", {"name": "mine"})["result"]
        self.log_in(self.administrator)
        self.call_kw(WIZARD, "generate_key", [wizard])
        self.assertFalse(self.keys_of(self.owner))

    def test_a_user_outside_mcp_user_cannot_use_the_wizard(self):
        self.log_in(self.make_user("mcp_stranger"))
        self.assert_denied(self.call_kw(WIZARD, "create", {"name": "x"}))
        self.assert_denied(self.call_kw("mcp.api.key", "search_read", []))

    def test_nothing_is_left_of_a_key_that_was_shown(self):
        self.log_in(self.owner)
        secret = self.generate()["result"]["context"]["default_key"]
        self.assertFalse(self.env[WIZARD].search([("create_uid", "=", self.owner.id)]))
        self.assertFalse(self.env["mcp.api.key.show"]._auto)
        self.env.flush_all()
        self.env.cr.execute("SELECT k::text FROM mcp_api_key k")
        self.assertNotIn(secret, str(self.env.cr.fetchall()))

    def test_a_key_cannot_be_made_past_the_wizard(self):
        self.log_in(self.owner)
        for name, args in (
            ("_generate", [self.owner.id, {"name": "x"}]),
            ("_authenticate", [{}]),
            ("_look_up", [self.secret]),
        ):
            with self.subTest(method=name):
                self.assertIn("error", self.call_kw("mcp.api.key", name, *args))
        self.assertFalse(self.keys_of(self.owner))

    def test_the_hash_of_a_key_is_unreadable_for_everybody(self):
        self.make_key(self.owner)
        key = self.keys_of(self.owner)
        for user in (self.owner, self.administrator, self.env.ref("base.user_admin")):
            as_user = key.with_user(user)
            with self.subTest(user=user.login):
                self.assertNotIn("key_hash", as_user.fields_get())
                with self.assertRaises(AccessError):
                    as_user.read(["key_hash"])
                with self.assertRaises(AccessError):
                    as_user.search([("key_hash", "=like", "0%")])
                with self.assertRaises(AccessError):
                    as_user.search([], order="key_hash")
                with self.assertRaises(UserError):
                    as_user.export_data(["key_hash"])
        self.log_in(self.owner)
        self.assert_denied(self.call_kw("mcp.api.key", "read", key.ids, ["key_hash"]))
        row = self.call_kw("mcp.api.key", "read", key.ids)["result"][0]
        self.assertNotIn("key_hash", row)

    def test_a_user_sees_only_their_own_keys(self):
        secret = self.make_key(self.owner)
        self.assertTrue(secret)
        mine, other = self.keys_of(self.owner), self.keys_of(self.developer)
        self.log_in(self.owner)
        found = self.call_kw("mcp.api.key", "search", [])["result"]
        self.assertEqual(found, mine.ids)
        self.assert_denied(self.call_kw("mcp.api.key", "read", other.ids, ["name"]))

    def test_an_administrator_sees_all_keys(self):
        self.make_key(self.owner)
        self.log_in(self.administrator)
        found = self.call_kw("mcp.api.key", "search", [])["result"]
        wanted = self.keys_of(self.owner) | self.keys_of(self.developer)
        self.assertLessEqual(set(wanted.ids), set(found))

    def test_a_user_governs_only_their_own_keys(self):
        self.make_key(self.owner)
        mine, other = self.keys_of(self.owner), self.keys_of(self.developer)
        self.log_in(self.owner)
        for method in ("action_suspend", "action_resume", "action_revoke"):
            with self.subTest(method=method):
                self.assert_denied(self.call_kw("mcp.api.key", method, other.ids))
                answer = self.call_kw("mcp.api.key", method, (mine | other).ids)
                self.assert_denied(answer)
        self.assertEqual((mine.state, other.state), ("active", "active"))
        for method, state in (
            ("action_suspend", "suspended"),
            ("action_resume", "active"),
            ("action_revoke", "revoked"),
        ):
            self.assertNotIn("error", self.call_kw("mcp.api.key", method, mine.ids))
            self.assertEqual(mine.state, state)

    def test_an_administrator_governs_all_keys(self):
        key = self.keys_of(self.developer)
        self.log_in(self.administrator)
        answer = self.call_kw("mcp.api.key", "action_revoke", key.ids)
        self.assertNotIn("error", answer)
        self.assertEqual(key.state, "revoked")
        self.assertEqual(self.rpc("tools/list").status_code, 401)

    def test_keys_are_not_written_through_the_orm(self):
        self.make_key(self.owner)
        key = self.keys_of(self.owner)
        values = {
            "name": "forged",
            "user_id": self.administrator.id,
            "key_hash": key_hash("x"),
        }
        for user in (self.owner, self.administrator, self.env.ref("base.user_admin")):
            keys = key.with_user(user)
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    keys.create(values)
                for change in (
                    {"expiration_date": False},
                    {"read_only": False},
                    {"narrowed": False},
                    {"networks": False},
                    {"suspended": False},
                    {"revoked_date": False},
                    {"user_id": user.id},
                    {"key_hash": key_hash("x")},
                ):
                    with self.assertRaises(AccessError):
                        keys.write(change)
                with self.assertRaises(AccessError):
                    keys.unlink()

    def test_keys_are_not_written_through_the_users_preferences(self):
        self.make_key(self.owner)
        key = self.keys_of(self.owner)
        self.log_in(self.owner)
        for command in (
            [0, 0, {"name": "x", "key_hash": key_hash("x")}],
            [1, key.id, {"read_only": False, "name": "forged"}],
            [2, key.id, 0],
        ):
            with self.subTest(command=command):
                answer = self.call_kw(
                    "res.users",
                    "write",
                    [self.owner.id],
                    {"mcp_api_key_ids": [command]},
                )
                self.assert_denied(answer)
        self.assertEqual(key.exists().name, f"key of {self.owner.login}")
