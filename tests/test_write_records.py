"""write_records: the ORM's writing, under the caller's own rights, or only tried."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import compat
from ..models import ir_mail_server
from ..models.own_grants import GOVERNORS
from ..models.record_reader import told
from .common import DEVELOPER, SETTINGS, USER, McpCase

LOGS = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


@tagged("post_install", "-at_install")
class TestWriteRecords(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = cls.make_user("orm_writer", USER, "base.group_partner_manager")
        cls.plain_secret = cls.make_key(cls.plain)
        cls.reader = cls.make_user("orm_reader", USER)
        cls.reader_secret = cls.make_key(cls.reader)
        cls.boss = cls.make_user("orm_boss", SETTINGS, "base.group_partner_manager")
        cls.boss_secret = cls.make_key(cls.boss)
        cls.partner = cls.env["res.partner"].create({"name": "Orm Ångström"})

    def written(self, operation, /, **arguments):
        arguments = {"_secret": self.plain_secret, "model": "res.partner", **arguments}
        return self.ok("write_records", operation=operation, **arguments)

    def fault(self, operation, /, **arguments):
        arguments = {"_secret": self.plain_secret, "model": "res.partner", **arguments}
        with mute_logger(*LOGS, "odoo.sql_db"):
            return self.refused("write_records", operation=operation, **arguments)

    def assert_fault(self, words, operation, /, **arguments):
        text = self.fault(operation, **arguments)
        for word in words:
            self.assertIn(word, text)

    def part(self, result, model):
        return next(row for row in result["changes"] if row["model"] == model)

    def count(self):
        """How many rows each table has that a partner's life touches."""
        self.env.flush_all()
        self.env.invalidate_all()
        names = (
            "res.partner",
            "mail.message",
            "mail.mail",
            "ir.attachment",
            "res.users",
        )
        return {
            name: self.env[name].with_context(active_test=False).search_count([])
            for name in names
        }

    def test_records_are_created(self):
        one = self.written("create", values={"name": "☃ One"})
        self.assertEqual(one["created"], [{"id": one["ids"][0], "name": "☃ One"}])
        two = self.written("create", values=[{"name": "A"}, {"name": "B"}])
        created = self.env["res.partner"].browse(two["ids"])
        self.assertEqual(created.mapped("name"), ["A", "B"])
        self.assertEqual(created.create_uid, self.plain)

    def test_records_are_written_and_old_and_new_are_told(self):
        ids = self.partner.ids
        result = self.written("write", ids=ids, values={"ref": "r", "name": "New"})
        self.assertEqual(result["ids"], ids)
        self.assertEqual(
            result["changes"],
            [{"id": ids[0], "ref": [None, "r"], "name": ["Orm Ångström", "New"]}],
        )
        self.assertEqual(self.partner.name, "New")
        again = self.written("write", ids=ids, values={"name": "New"})
        self.assertEqual(again["changes"], [])

    def test_records_are_deleted_and_named(self):
        result = self.written("unlink", ids=self.partner.ids)
        self.assertEqual(
            result["deleted"], [{"id": self.partner.id, "name": "Orm Ångström"}]
        )
        self.assertFalse(self.partner.exists())

    def test_relations_take_commands(self):
        values = {
            "child_ids": [[0, 0, {"name": "Child"}]],
            "category_id": [[0, 0, {"name": "Orm tag"}]],
        }
        self.written("write", ids=self.partner.ids, values=values)
        self.assertEqual(self.partner.child_ids.name, "Child")
        tag = self.partner.category_id
        self.assertEqual(tag.name, "Orm tag")
        self.written(
            "write", ids=self.partner.ids, values={"category_id": [[3, tag.id]]}
        )
        self.assertFalse(self.partner.category_id)

    def test_methods_are_called(self):
        ids = self.partner.ids
        result = self.written("call", method="copy", ids=ids, args=[{"name": "Copy"}])
        self.assertEqual(result["result"]["model"], "res.partner")
        self.assertEqual(result["result"]["records"][0]["name"], "Copy")
        result = self.written("call", method="search_count", args=[[["id", "in", ids]]])
        self.assertEqual(result["result"], 1)
        result = self.written(
            "call", method="name_search", kwargs={"name": "Orm Å", "limit": 1}
        )
        self.assertEqual(result["result"], [[self.partner.id, "Orm Ångström"]])
        result = self.written("call", method="fields_get", args=[["name"], ["type"]])
        self.assertEqual(result["result"]["name"], {"type": "char"})
        action = self.written("call", method="get_formview_action", ids=ids)["result"]
        self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", *ids))

    def test_a_huge_result_is_cut(self):
        self.env["res.partner"].create(
            [{"name": f"Huge {n}", "comment": "y" * 900} for n in range(300)]
        )
        rows = self.written(
            "call",
            method="search_read",
            args=[[["name", "like", "Huge"]], ["name", "comment"]],
        )["result"]
        self.assertLess(len(rows), 100)
        self.assertIn("more", rows[-1])
        ids = self.written("call", method="search", args=[[["name", "like", "Huge"]]])[
            "result"
        ]
        self.assertEqual((len(ids["ids"]), ids["records"][-1]), (300, {"more": 295}))

    def test_what_a_method_returns_tells_no_more_than_the_user_may_read(self):
        hidden = self.env["res.partner"].create({"name": "Top secret"})
        self.env["ir.rule"].create(
            {
                "name": "Orm: not that one",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {hidden.id})]",
            }
        )
        env = self.env(user=self.plain.id, su=False)
        for result in (hidden, [hidden], {"a": hidden.sudo()}):
            self.assertNotIn("secret", str(told(env["res.partner"], result)))

    def test_secret_parameters_are_told_by_no_method(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("orm_test.api_secret", "hunter2hunter2")
        for method, arguments in (
            ("get_param", ["orm_test.api_secret"]),
            ("search_read", [[["key", "=", "orm_test.api_secret"]], ["value"]]),
        ):
            for dry_run in (False, True):
                outcome = self.written(
                    "call",
                    model="ir.config_parameter",
                    method=method,
                    args=arguments,
                    dry_run=dry_run,
                    _secret=self.boss_secret,
                )
                self.assertIn("***MASKED***", str(outcome["result"]))
                self.assertNotIn("hunter2", str(outcome))

    def test_methods_get_the_context_that_is_sent_but_not_ours(self):
        result = self.written(
            "call",
            method="default_get",
            args=[["name"]],
            kwargs={"context": {"default_name": "Dee", "mcp_call": {"x": 1}}},
        )
        self.assertEqual(result["result"], {"name": "Dee"})

    def test_private_methods_are_refused(self):
        for method in (
            *("_write", "_read_group", "__class__", "__init__", "_search", "env"),
            *("sudo", "with_user", "with_env", "with_context", "init", "mapped"),
            *("filtered_domain", "invalidate_model", "pool", "id", "_fields"),
        ):
            with self.subTest(method=method):
                text = self.fault("call", method=method, ids=self.partner.ids)
                self.assertRegex(text, "private|has no method")
        for method in ("search_records", "write_records", "tell_access"):
            text = self.fault("call", model="mcp.toolset.orm", method=method)
            self.assertIn("private", text)
        text = self.fault("call", method="odoo_shell", model="mcp.toolset.shell")
        self.assertIn("private", text)

    def test_access_rights_hold(self):
        values = {"name": "x"}
        for operation, arguments in (
            ("create", {"values": values}),
            ("write", {"ids": self.partner.ids, "values": values}),
            ("unlink", {"ids": self.partner.ids}),
            ("call", {"ids": self.partner.ids, "method": "write", "args": [values]}),
            ("call", {"ids": self.partner.ids, "method": "copy"}),
        ):
            for dry_run in (False, True):
                with self.subTest(operation=operation, dry_run=dry_run):
                    self.assert_fault(
                        ["check_access"],
                        operation,
                        _secret=self.reader_secret,
                        dry_run=dry_run,
                        **arguments,
                    )
        self.assertEqual(self.partner.name, "Orm Ångström")

    def test_record_rules_hold(self):
        self.env["ir.rule"].create(
            {
                "name": "Orm: none of these",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.partner.id})]",
            }
        )
        for operation, arguments in (
            ("write", {"values": {"name": "x"}}),
            ("unlink", {}),
            ("call", {"method": "read"}),
        ):
            with self.subTest(operation=operation):
                text = self.fault(operation, ids=self.partner.ids, **arguments)
                self.assertIn("check_access", text)
                self.assertNotIn("Ångström", text)

    def test_nobody_raises_themselves(self):
        groups = "group_ids" if "group_ids" in self.env["res.users"] else "groups_id"
        developer = self.env.ref(DEVELOPER)
        for operation, arguments in (
            (
                "write",
                {"ids": self.reader.ids, "values": {groups: [[4, developer.id]]}},
            ),
            (
                "call",
                {
                    "ids": self.reader.ids,
                    "method": "write",
                    "args": [{groups: [[4, developer.id]]}],
                },
            ),
        ):
            with self.subTest(operation=operation):
                self.assert_fault(
                    ["governs tool calls"],
                    operation,
                    model="res.users",
                    _secret=self.boss_secret,
                    **arguments,
                )
        self.assertFalse(any(map(self.reader.has_group, GOVERNORS)))
        text = self.fault(
            "write", model="res.users", ids=self.plain.ids, values={groups: [[5]]}
        )
        self.assertTrue(text)

    def test_what_governs_tool_calls_is_not_changed(self):
        tool = self.tool("odoo_shell")
        for model, operation, arguments in (
            ("mcp.tool", "write", {"ids": tool.ids, "values": {"active": False}}),
            ("mcp.tool", "unlink", {"ids": tool.ids}),
            (
                "ir.config_parameter",
                "create",
                {"values": {"key": "odoo_dev_mcp.allowed_hosts", "value": "x"}},
            ),
            (
                "ir.config_parameter",
                "call",
                {"method": "set_param", "args": ["odoo_dev_mcp.query_rows", "7"]},
            ),
            (
                "ir.rule",
                "create",
                {
                    "values": {
                        "name": "x",
                        "model_id": self.env["ir.model"]._get_id("mcp.audit.log"),
                        "domain_force": "[]",
                    }
                },
            ),
        ):
            for dry_run in (False, True):
                with self.subTest(model=model, operation=operation, dry_run=dry_run):
                    text = self.fault(
                        operation,
                        model=model,
                        dry_run=dry_run,
                        _secret=self.boss_secret,
                        **arguments,
                    )
                    self.assertRegex(text, "governs tool calls|check_access")
        self.assertTrue(tool.exists().active)

    def test_what_there_is_not_is_named_with_the_nearest(self):
        ids = self.partner.ids
        for words, operation, arguments in (
            (["res.partner"], "create", {"model": "res.partnre", "values": {}}),
            (["values", "'nmae'", "name"], "create", {"values": {"nmae": "x"}}),
            (["values[1]", "email"], "create", {"values": [{}, {"emial": "x"}]}),
            (
                ["values.child_ids[0][2]", "res.partner", "name"],
                "create",
                {"values": {"name": "x", "child_ids": [[0, 0, {"nmae": "x"}]]}},
            ),
            (["values.type", "invoice"], "create", {"values": {"type": "nonsense"}}),
            (["country_id", "id"], "create", {"values": {"country_id": "Belgium"}}),
            (["category_id", "[6, 0, ids]"], "create", {"values": {"category_id": 5}}),
            (["999999999"], "write", {"ids": [999999999], "values": {"name": "x"}}),
            (["ids", "search_records"], "write", {"values": {"name": "x"}}),
            (["ids"], "unlink", {}),
            (["values"], "write", {"ids": ids}),
            (["values"], "create", {}),
            (["method"], "call", {"ids": ids}),
            (["serch", "search"], "call", {"method": "serch"}),
            (["takes no ids"], "call", {"method": "search_count", "ids": ids}),
            (
                ["copy", "default"],
                "call",
                {"method": "copy", "ids": ids, "args": [1, 2]},
            ),
            (["nope"], "call", {"method": "copy", "ids": ids, "kwargs": {"nope": 1}}),
            (["call"], "create", {"values": {"name": "x"}, "method": "copy"}),
        ):
            with self.subTest(operation=operation, arguments=arguments):
                self.assert_fault(words, operation, **arguments)

    def test_what_odoo_says_is_kept(self):
        text = self.fault(
            "write", ids=self.partner.ids, values={"parent_id": self.partner.id}
        )
        self.assertIn("recursive", text.lower())
        country = self.env.ref("base.be")
        text = self.fault(
            "create",
            model="res.country",
            values={"name": country.name, "code": country.code},
            _secret=self.boss_secret,
        )
        self.assertIn("unique", text)
        text = self.fault(
            "create",
            model="res.country",
            values={"code": "Q9"},
            _secret=self.boss_secret,
        )
        self.assertIn("name", text)
        self.partner.company_id = self.env.company
        text = self.fault(
            "unlink",
            model="res.company",
            ids=self.env.company.ids,
            _secret=self.boss_secret,
        )
        self.assertTrue(text)

    def test_a_call_that_fails_keeps_nothing(self):
        before = self.count()
        self.fault("create", values=[{"name": "kept?"}, {"name": "x", "parent_id": -5}])
        self.assertEqual(self.count(), before)

    def test_a_trial_tells_old_and_new_and_what_odoo_computes(self):
        child = self.env["res.partner"].create(
            {"name": "Child", "parent_id": self.partner.id, "type": "contact"}
        )
        company = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        before = self.count()
        result = self.written(
            "write",
            ids=self.partner.ids,
            values={"name": "New", "parent_id": company.id},
            dry_run=True,
        )
        self.assertTrue(result["dry_run"])
        rows = {row["id"]: row for row in self.part(result, "res.partner")["updated"]}
        own = rows[self.partner.id]["values"]
        self.assertEqual(own["name"], ["Orm Ångström", "New"])
        self.assertEqual(own["parent_id"], [None, {"id": company.id, "name": "Firm"}])
        self.assertEqual(
            own["commercial_partner_id"][1], {"id": company.id, "name": "Firm"}
        )
        self.assertEqual(own["complete_name"], ["Orm Ångström", "Firm, New"])
        self.assertIn("commercial_partner_id", rows[child.id]["values"])
        self.assertEqual(self.count(), before)
        self.assertEqual(self.partner.name, "Orm Ångström")
        self.assertFalse(self.partner.parent_id)

    def test_a_trial_tells_what_is_created(self):
        before = self.count()
        result = self.written(
            "create",
            values={"name": "Tried", "child_ids": [[0, 0, {"name": "And child"}]]},
            dry_run=True,
        )
        created = self.part(result, "res.partner")["created"]
        self.assertEqual(
            {row["values"]["name"] for row in created}, {"Tried", "And child"}
        )
        self.assertEqual(self.count(), before)
        self.assertTrue(self.part(result, "mail.message"))

    def test_a_trial_tells_what_is_deleted_with_it(self):
        tag = self.env["res.partner.category"].create({"name": "Orm root"})
        leaf = tag.create({"name": "Orm leaf", "parent_id": tag.id})
        self.partner.category_id = tag
        result = self.written(
            "unlink", model="res.partner.category", ids=tag.ids, dry_run=True
        )
        deleted = self.part(result, "res.partner.category")["deleted"]
        self.assertEqual({row["id"] for row in deleted}, {tag.id, leaf.id})
        self.assertEqual(
            {row["name"] for row in deleted}, {"Orm root", "Orm root / Orm leaf"}
        )
        self.assertTrue(
            any("category" in name for name in result["rows_of_other_tables"])
        )
        self.assertEqual(self.partner.category_id, tag)

    def test_a_trial_tells_relations(self):
        tag = self.env["res.partner.category"].create({"name": "Orm tag"})
        result = self.written(
            "write",
            ids=self.partner.ids,
            values={"category_id": [[4, tag.id]]},
            dry_run=True,
        )
        [row] = self.part(result, "res.partner")["updated"]
        self.assertEqual(
            row["values"]["category_id"], [[], [{"id": tag.id, "name": "Orm tag"}]]
        )

    def test_a_trial_of_a_method_tells_its_result(self):
        result = self.written("call", method="copy", ids=self.partner.ids, dry_run=True)
        self.assertEqual(result["result"]["model"], "res.partner")
        self.assertEqual(len(self.part(result, "res.partner")["created"]), 1)
        self.assertFalse(
            self.env["res.partner"].browse(result["result"]["ids"]).exists()
        )

    def test_a_trial_tells_no_values_that_the_user_may_not_read(self):
        other = self.env["res.partner"].create(
            {"name": "Hidden child", "parent_id": self.partner.id}
        )
        self.env["ir.rule"].create(
            {
                "name": "Orm: not that one",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {other.id})]",
            }
        )
        result = self.written(
            "write", ids=self.partner.ids, values={"name": "Renamed"}, dry_run=True
        )
        self.assertNotIn("Hidden", str(result))
        part = self.part(result, "res.partner")
        self.assertEqual([row["id"] for row in part["updated"]], self.partner.ids)
        self.assertEqual(part["not_told"], {"updated": 1})

    def test_a_trial_connects_to_no_mail_server(self):
        server = self.env["ir.mail_server"]
        with patch.object(ir_mail_server, "is_trial", return_value=True) as asked:
            self.assertIsNone(getattr(server, compat.MAIL_CONNECT)())
        asked.assert_called_once()

    def test_a_trial_sends_no_mail(self):
        mail = self.env["mail.mail"].create(
            {"subject": "Orm", "email_to": "a@example.com", "body_html": "<p>x</p>"}
        )
        result = self.written(
            "call",
            model="mail.mail",
            method="send",
            ids=mail.ids,
            dry_run=True,
            _secret=self.boss_secret,
        )
        self.assertEqual(mail.state, "outgoing")
        self.assertIn("changes", result)

    def test_a_method_that_commits_is_refused(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "commits",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "code",
                "code": "env['res.partner'].create({'name': 'committed'})\n"
                "env.cr.commit()",
            }
        )
        before = self.count()
        for code in (
            "env.cr.commit()",
            "env.cr.rollback()",
            "env.cr.execute('COMMIT')",
            "try:\n    env.cr.commit()\nexcept Exception:\n    pass",
        ):
            action.code = f"env['res.partner'].create({{'name': 'c'}})\n{code}"
            for dry_run in (False, True):
                with self.subTest(code=code, dry_run=dry_run):
                    text = self.fault(
                        "call",
                        model="ir.actions.server",
                        method="run",
                        ids=action.ids,
                        dry_run=dry_run,
                        _secret=self.boss_secret,
                    )
                    self.assertIn("nothing is kept", text)
                    self.assertEqual(self.count(), before)

    def test_a_trial_leaves_no_cache_behind(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("orm_test.x", "old")
        self.written(
            "call",
            model="ir.config_parameter",
            method="set_param",
            args=["orm_test.x", "new"],
            dry_run=True,
            _secret=self.boss_secret,
        )
        self.assertEqual(parameters.get_param("orm_test.x"), "old")

    def test_a_key_that_only_reads_does_not_reach_it(self):
        from ..models.caller import Call, Credentials
        from ..models.exceptions import Refusal
        from ..models.registrar import Registrar

        tool = self.tool("write_records")
        self.assertFalse(tool.read_only_hint)
        self.assertTrue(tool.destructive_hint)
        self.assertFalse(tool.group_ids)
        secret = self.make_key(self.plain, name="ro", read_only=True)
        with self.assertRaises(Refusal):
            Registrar(self.registry).call_tool(
                Credentials(secret, "127.0.0.1"),
                Call(
                    name="write_records",
                    arguments={
                        "model": "res.partner",
                        "operation": "create",
                        "values": {"name": "x"},
                    },
                    revision="2026-07-28",
                ),
            )

    def test_huge_lists_are_refused_or_told_in_short(self):
        self.assert_fault(
            ["1000"], "create", values=[{"name": str(n)} for n in range(1001)]
        )
        result = self.written(
            "create", values=[{"name": f"Many {n}"} for n in range(200)], dry_run=True
        )
        part = self.part(result, "res.partner")
        self.assertLessEqual(len(part["created"]), 20)
        self.assertEqual(part["not_told"]["created"], 200 - len(part["created"]))
