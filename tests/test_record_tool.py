"""An administrator's own tools: a record, some code, a schema.

That the transaction of a read-only tool cannot write is proven from outside: the
cursor that all share here has begun already, and keeps its mode.
"""

import json

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DEVELOPER, USER, McpCase

OUTCOMES_LOG = "odoo.addons.odoo_dev_mcp.models.outcomes"


@tagged("post_install", "-at_install")
class TestRecordTool(McpCase):
    def outcome(self, code, _values=None, **arguments):
        name = f"record_tool_{self.env['mcp.tool'].search_count([])}"
        self.make_tool(name, code, **(_values or {}))
        return self.call(name, **arguments)

    def test_what_the_code_leaves_in_action_is_the_result(self):
        for code, text, structured in (
            ("action = 'text'", "text", None),
            ("action = ''", "", None),
            ("action = 0", "0", None),
            ("action = 1.5", "1.5", None),
            ("action = None", "", None),
            ("pass", "", None),
            ("action = {}", "{}", {}),
            ("action = {'a': [1, None, 'ä']}", '{"a":[1,null,"ä"]}', None),
            ("action = []", '{"result":[]}', None),
            ("action = [1, {'b': 2}]", '{"result":[1,{"b":2}]}', None),
            ("action = (1, 2)", '{"result":[1,2]}', None),
        ):
            with self.subTest(code=code):
                outcome = self.outcome(code)
                self.assertFalse(outcome.is_error, outcome.text)
                self.assertEqual(outcome.text, text)
                if text.startswith("{"):
                    structured = json.loads(text)
                self.assertEqual(outcome.structured, structured)

    def test_the_code_finds_its_arguments(self):
        outcome = self.outcome("action = arguments['a'] + arguments['b']", a=1, b=2)
        self.assertEqual(outcome.text, "3")

    def test_the_code_finds_what_server_actions_know(self):
        code = "action = [model._name, env.user.login, time.strftime('%Y') > '2000']"
        outcome = self.outcome(code)
        login = self.developer.login
        self.assertEqual(outcome.structured["result"], ["res.partner", login, True])

    def test_it_runs_as_the_caller_and_never_in_sudo(self):
        code = (
            "action = {'uid': env.uid, 'su': [env.su, model.env.su, "
            "env['res.users'].browse(env.uid).env.su], 'user': env.user.id}"
        )
        found = self.outcome(code).structured
        uid = self.developer.id
        self.assertEqual(found, {"uid": uid, "su": [False] * 3, "user": uid})

    def test_the_callers_access_rights_hold(self):
        outcome = self.outcome("action = env['ir.cron'].search([]).ids")
        self.assertTrue(outcome.is_error)
        self.assertIn("ir.cron", outcome.text)

    def test_the_callers_record_rules_hold(self):
        self.make_tool("keys", "action = env['mcp.api.key'].search([]).mapped('name')")
        guest = self.make_user("mcp_guest", USER)
        secret = self.make_key(guest)
        outcome = self.call("keys", _secret=secret)
        self.assertEqual(outcome.structured["result"], ["key of mcp_guest"])

    def test_it_runs_in_the_callers_language_and_time_zone(self):
        self.developer.tz = "Asia/Tokyo"
        outcome = self.outcome("action = env.context.get('tz')")
        self.assertEqual(outcome.text, "Asia/Tokyo")

    def test_what_it_wrote_is_kept_on_success(self):
        self.outcome("env.user.write({'signature': 'kept'})")
        self.env.invalidate_all()
        self.assertIn("kept", self.developer.signature)

    def test_nothing_that_it_wrote_is_kept_on_failure(self):
        before = self.developer.signature
        code = "env.user.write({'signature': 'lost'})\nraise UserError('no')"
        self.assertTrue(self.outcome(code).is_error)
        self.env.invalidate_all()
        self.assertEqual(self.developer.signature, before)

    def test_what_it_wrote_before_it_asked_a_toolset_is_kept(self):
        code = (
            "env.user.write({'signature': 'kept'})\n"
            "rows = env['mcp.toolset.database'].query_database('SELECT 1 AS one')\n"
            "env.user.flush_recordset()\n"
            "action = rows"
        )
        outcome = self.outcome(code)
        self.assertFalse(outcome.is_error, outcome.text)
        self.env.invalidate_all()
        self.assertIn("kept", self.developer.signature)

    def test_a_user_error_is_told_to_the_caller(self):
        outcome = self.outcome("raise UserError('Order 7 is closed.')")
        self.assertTrue(outcome.is_error)
        self.assertEqual(outcome.text, "Order 7 is closed.")

    def test_any_other_error_is_for_the_log_alone(self):
        for code in (
            "1 / 0",
            "action = arguments['secret_name']",
            "raise Exception('/etc/secret path')",
            "env['no.such.model']",
        ):
            with self.subTest(code=code), self.assertLogs(OUTCOMES_LOG) as logs:
                outcome = self.outcome(code)
                self.assertTrue(outcome.is_error)
                entry = self.entries()[0]
                self.assertIn(f"audit entry {entry.id}", outcome.text)
                self.assertIn(f"audit entry {entry.id}", logs.output[0])
                for word in ("secret", "Error", "Traceback", "no.such"):
                    self.assertNotIn(word, outcome.text)

    def test_a_database_error_is_told_without_its_query(self):
        code = 'env.cr.execute("SELECT 1 / 0 AS my_secret_column")'
        with mute_logger("odoo.sql_db", OUTCOMES_LOG):
            outcome = self.outcome(code)
        self.assertTrue(outcome.is_error)
        self.assertNotIn("my_secret_column", outcome.text)

    def test_a_result_that_is_no_json_is_told(self):
        for code in (
            "action = {'now': datetime.datetime.now()}",
            "action = {'nan': float('nan')}",
            "action = [float('inf')]",
            "action = {'model': model}",
        ):
            with self.subTest(code=code):
                outcome = self.outcome(code)
                self.assertTrue(outcome.is_error)
                self.assertIn("JSON", outcome.text)

    def test_forbidden_code_is_refused_by_odoo(self):
        for code in ("import os", "action = ().__class__", "exec('1')"):
            with self.subTest(code=code):
                with mute_logger(OUTCOMES_LOG), mute_logger("odoo.tools.safe_eval"):
                    try:
                        outcome = self.outcome(code)
                    except (ValidationError, NameError):
                        continue
                self.assertTrue(outcome.is_error)

    def test_the_schema_of_a_tool_is_what_arguments_are_checked_with(self):
        schema = {
            "type": "object",
            "properties": {
                "state": {"enum": ["open", "closed"]},
                "count": {"type": "integer", "minimum": 1},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["state"],
            "additionalProperties": False,
        }
        values = {"input_schema": json.dumps(schema)}
        self.make_tool("strict", "action = arguments", **values)
        self.assertEqual(self.ok("strict", state="open")["state"], "open")
        for arguments, words in (
            ({}, ["'state'", "missing", '"open"', '"closed"']),
            ({"state": "x"}, ["'state'", '"open"', '"x"']),
            ({"state": "open", "count": 0}, ["'count'", "integer", ">= 1"]),
            ({"state": "open", "count": "1"}, ["'count'", "integer", '"1"']),
            ({"state": "open", "tags": ["a", 2]}, ["'tags[1]'", "string"]),
            ({"state": "open", "other": 1}, ["'other'", "state, count, tags"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("strict", **arguments)
                for word in words:
                    self.assertIn(word, text)

    def test_every_fault_of_the_arguments_is_named_at_once(self):
        text = self.refused("list_modules", limit="x", state=5, other=1)
        for name in ("'limit'", "'state'", "'other'"):
            self.assertIn(name, text)

    def test_a_schema_that_is_none_is_refused_on_save(self):
        tool = self.make_tool("any", "action = 1")
        for text in (
            "nonsense",
            "[]",
            "5",
            "{}",
            '{"type": "string"}',
            '{"type": "object", "properties": 5}',
            '{"type": "object", "required": "x"}',
            '{"type": "nothing"}',
        ):
            for field in ("input_schema", "output_schema"):
                with (
                    self.subTest(text=text, field=field),
                    self.assertRaises(ValidationError),
                ):
                    tool[field] = text

    def test_a_name_that_clients_cannot_call_is_refused_on_save(self):
        for name in ("two words", "ä", "a/b", "x" * 129, "a\n", "(x)"):
            with self.subTest(name=name), self.assertRaises(ValidationError):
                self.make_tool(name, "action = 1")
        self.make_tool("x" * 128, "action = 1")

    def test_a_name_is_taken_once(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.make_tool("list_modules", "action = 1")

    def test_code_that_is_changed_runs_at_once(self):
        tool = self.make_tool("changing", "action = 'first'")
        self.assertEqual(self.call("changing").text, "first")
        tool.server_action_id.code = "action = 'second'"
        self.assertEqual(self.call("changing").text, "second")

    def test_code_of_a_built_in_tool_that_is_changed_runs_at_once(self):
        self.ok("list_modules")
        self.tool("list_modules").server_action_id.code = "action = 'replaced'"
        self.assertEqual(self.call("list_modules").text, "replaced")

    def test_a_tool_takes_its_server_action_along(self):
        tool = self.make_tool("short_lived", "action = 1")
        action = tool.server_action_id
        tool.unlink()
        self.assertFalse(action.exists())

    def test_a_server_action_that_a_tool_runs_is_not_deleted(self):
        action = self.make_tool("standing", "action = 1").server_action_id
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            action.unlink()

    def test_the_hints_are_all_said(self):
        tool = self.make_tool("look", "action = 1", read_only_hint=True)
        found = tool._wire({"type": "object"}, None)["annotations"]
        self.assertEqual(
            found,
            {
                "readOnlyHint": True,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": True,
            },
        )

    def test_a_developer_tool_runs_for_developers_alone(self):
        group = self.env.ref(DEVELOPER)
        self.make_tool("sharp", "action = 'cut'", group_ids=group.ids)
        self.assertEqual(self.call("sharp").text, "cut")
