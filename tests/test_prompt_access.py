"""Who gets which prompts, and who decides it."""

from odoo import Command
from odoo.tests import tagged

from .common import ADMINISTRATOR, DEVELOPER, SETTINGS, USER
from .prompt_case import PromptCase


@tagged("post_install", "-at_install")
class TestPromptAccess(PromptCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.make_user("mcp_guest", USER)
        cls.administrator = cls.make_user("mcp_administrator", ADMINISTRATOR)
        cls.settings = cls.make_user("mcp_settings", SETTINGS)
        developers = cls.env.ref(DEVELOPER)
        values = {"arguments": ["who"], "group_ids": developers.ids}
        cls.prompt = cls.make_prompt("for_developers", "x", **values)
        cls.open = cls.make_prompt("for_everybody", "x", arguments=["who"])

    def test_groups_decide_who_gets_a_prompt(self):
        self.assertLessEqual({"for_developers", "for_everybody"}, set(self.listed()))
        for user in (self.guest, self.administrator):
            secret = self.make_key(user)
            self.assertEqual(self.listed(secret), ["for_everybody"])
            self.text("for_everybody", secret=secret)

    def test_a_hidden_prompt_and_an_unknown_one_answer_alike(self):
        secret = self.make_key(self.guest)
        self.open.active = False
        for name in ("for_developers", "for_everybody"):
            unknown = "x" * len(name)
            for ask in (
                self.ask,
                lambda prompt, **o: self.complete(prompt, "who", **o),
            ):
                answers = []
                for wanted in (name, unknown):
                    response = ask(wanted, secret=secret)
                    body = self.assert_error(response, 400, -32602, wanted)
                    answers.append(response.text.replace(wanted, ""))
                    self.assertNotIn("data", body["error"])
                self.assertEqual(*answers)

    def test_a_prompt_that_is_switched_off_is_gone_at_once(self):
        self.log_in(self.administrator)
        ids = self.prompt.ids
        self.call_kw("mcp.prompt", "write", ids, {"active": False})
        self.assertNotIn("for_developers", self.listed())
        self.assert_error(self.ask("for_developers"), 400, -32602)
        self.call_kw("mcp.prompt", "write", ids, {"active": True})
        self.assertIn("for_developers", self.listed())
        self.prompt.toolset_id.active = False
        self.assertNotIn("for_developers", self.listed())

    def test_a_key_for_one_toolset_gets_its_prompts_alone(self):
        other = self.env.ref("odoo_dev_mcp.mcp_toolset_jobs")
        values = {"toolset_ids": [Command.set(other.ids)]}
        secret = self.make_key(self.developer, **values)
        self.assertEqual(self.listed(secret), [])
        self.prompt.toolset_id = other
        self.assertEqual(self.listed(secret), ["for_developers"])
        self.assert_error(self.ask("for_everybody", secret=secret), 400, -32602)

    def test_a_key_for_one_tool_gets_no_prompt(self):
        """Ids of tools and of prompts are not mixed up."""
        for tool in self.env["mcp.tool"].search([]):
            values = {"tool_ids": [Command.set(tool.ids)]}
            secret = self.make_key(self.developer, **values)
            self.assertEqual(self.listed(secret), [])

    def test_a_read_only_key_gets_prompts(self):
        secret = self.make_key(self.developer, read_only=True)
        self.assertEqual(self.listed(secret), self.listed())
        self.text("for_developers", secret=secret)

    def test_what_a_prompt_says_is_for_settings_administrators(self):
        action = self.make_action("action = 'x'")
        argument = self.prompt.argument_ids
        changes = (
            {"name": "renamed"},
            {"template": "other"},
            {"server_action_id": action.id},
            {"completion_action_id": action.id},
            {"group_ids": [[5, 0, 0]]},
            {"toolset_id": self.env.ref("odoo_dev_mcp.mcp_toolset_database").id},
            {"argument_ids": [[0, 0, {"name": "new"}]]},
            {"argument_ids": [[1, argument.id, {"name": "renamed"}]]},
        )
        self.log_in(self.administrator)
        before = self.prompt.read()
        for values in changes:
            with self.subTest(values=values):
                answer = self.call_kw("mcp.prompt", "write", self.prompt.ids, values)
                self.assert_denied(answer, "Settings administrator")
        self.assert_denied(self.call_kw("mcp.prompt", "copy", self.prompt.ids))
        self.assertEqual(self.prompt.read(), before)
        self.log_in(self.settings)
        for values in changes:
            answer = self.call_kw("mcp.prompt", "write", self.prompt.ids, values)
            self.assertNotIn("error", answer)

    def test_arguments_cannot_be_changed_around_the_prompt(self):
        argument = self.prompt.argument_ids
        for user in (self.administrator, self.developer, self.guest):
            self.log_in(user)
            for method, *arguments in (
                ("write", argument.ids, {"required": True}),
                ("write", argument.ids, {"prompt_id": self.open.id}),
                ("unlink", argument.ids),
                ("create", {"prompt_id": self.prompt.id, "name": "new"}),
                ("copy", argument.ids),
            ):
                with self.subTest(user=user.login, method=method):
                    answer = self.call_kw("mcp.prompt.argument", method, *arguments)
                    self.assert_denied(answer)
        self.assertEqual(self.prompt.argument_ids, argument)
        self.assertFalse(argument.required)

    def test_what_an_administrator_governs_they_may_change(self):
        self.log_in(self.administrator)
        for values in (
            {"title": "Other"},
            {"description": "Other words."},
            {"rate_limit_id": False},
            {"timeout": 5},
            {"active": False},
        ):
            with self.subTest(values=values):
                answer = self.call_kw("mcp.prompt", "write", self.prompt.ids, values)
                self.assertNotIn("error", answer)

    def test_a_user_changes_nothing(self):
        for user in (self.guest, self.developer):
            self.log_in(user)
            ids = self.open.ids
            for method, *arguments in (
                ("write", ids, {"active": False}),
                ("unlink", ids),
                ("create", {"name": "x"}),
            ):
                with self.subTest(user=user.login, method=method):
                    answer = self.call_kw("mcp.prompt", method, *arguments)
                    self.assert_denied(answer)

    def test_a_user_sees_records_of_the_prompts_that_they_may_get(self):
        prompts = self.env["mcp.prompt"].with_user(self.guest)
        self.assertEqual(prompts.search([]), self.open)
        found = prompts.env["mcp.prompt.argument"].search([])
        self.assertEqual(found, self.open.argument_ids)
        for user in (self.developer, self.administrator):
            found = self.env["mcp.prompt"].with_user(user).search([])
            self.assertLessEqual(self.prompt | self.open, found)
            arguments = self.env["mcp.prompt.argument"].with_user(user).search([])
            self.assertLessEqual(self.prompt.argument_ids, arguments)
