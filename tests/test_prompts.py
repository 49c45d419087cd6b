"""Prompts as records: listed, put together as the caller, audited and limited."""

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import LEGACY, MODERN, USER
from .prompt_case import PromptCase


@tagged("post_install", "-at_install")
class TestPrompts(PromptCase):
    def test_prompts_are_described_with_their_arguments_in_order(self):
        prompt = self.make_prompt("a_prompt", "x", arguments=["second!", "first"])
        second, first = prompt.argument_ids
        second.write({"sequence": 20, "title": "Two", "description": "The second."})
        first.sequence = 10
        result = self.rpc("prompts/list").json()["result"]
        [row] = [row for row in result["prompts"] if row["name"] == "a_prompt"]
        self.assertEqual(
            row,
            {
                "name": "a_prompt",
                "title": "A_Prompt",
                "description": "The prompt a_prompt of a test.",
                "arguments": [
                    {"name": "first", "required": False},
                    {
                        "name": "second",
                        "title": "Two",
                        "description": "The second.",
                        "required": True,
                    },
                ],
            },
        )
        self.assertEqual((result["ttlMs"], result["cacheScope"]), (0, "private"))

    def test_a_change_of_an_argument_is_listed_at_once(self):
        prompt = self.make_prompt("a_prompt", "x", arguments=["one"])

        def names():
            rows = self.rpc("prompts/list").json()["result"]["prompts"]
            [row] = [row for row in rows if row["name"] == "a_prompt"]
            return [argument["name"] for argument in row["arguments"]]

        self.assertEqual(names(), ["one"])
        prompt.argument_ids.name = "other"
        self.assertEqual(names(), ["other"])
        prompt.argument_ids.unlink()
        self.assertEqual(names(), [])

    def test_every_prompt_is_on_one_page_alone(self):
        built_in = self.listed()
        for number in range(110):
            self.make_prompt(f"prompt_{number:03}", "x")
        found, pages, cursor = [], [], {}
        while cursor is not None:
            result = self.rpc("prompts/list", cursor).json()["result"]
            pages.append(len(result["prompts"]))
            found += [row["name"] for row in result["prompts"]]
            after = result.get("nextCursor")
            cursor = after and {"cursor": after}
        self.assertEqual(pages[:2], [50, 50])
        wanted = {f"prompt_{number:03}" for number in range(110)} | set(built_in)
        self.assertEqual(found, sorted(wanted))

    def test_a_prompt_is_told_in_every_revision(self):
        self.make_prompt("a_prompt", "Hello <t t-out='who'/>", arguments=["who!"])
        for revision in (*LEGACY, MODERN):
            with self.subTest(revision=revision):
                result = self.got("a_prompt", {"who": "you"}, revision=revision)
                self.assertEqual(
                    result["description"], "The prompt a_prompt of a test."
                )
                content = {"type": "text", "text": "Hello you"}
                messages = [{"role": "user", "content": content}]
                self.assertEqual(result["messages"], messages)
                modern = revision == MODERN
                self.assertEqual(result.get("resultType") == "complete", modern)

    def test_a_required_argument_that_is_missing_is_named(self):
        prompt = self.make_prompt("a_prompt", "x", arguments=["who!", "what"])
        prompt.argument_ids[0].description = "Whom to greet."
        for arguments in (None, {}, {"what": "x"}):
            with self.subTest(arguments=arguments):
                response = self.ask("a_prompt", arguments)
                self.assert_error(response, 400, -32602, "'who'", "Whom to greet.")
        for revision in LEGACY:
            response = self.ask("a_prompt", {}, revision=revision)
            self.assert_error(response, 200, -32602, "'who'")

    def test_an_argument_that_it_does_not_take_is_named(self):
        self.make_prompt("a_prompt", "x", arguments=["who", "what"])
        response = self.ask("a_prompt", {"who": "a", "whom": "b"})
        self.assert_error(response, 400, -32602, "'whom'", "who, what")
        self.make_prompt("no_arguments", "x")
        response = self.ask("no_arguments", {"a": "b"})
        self.assert_error(response, 400, -32602, "'a'", "none")

    def test_an_argument_is_text(self):
        self.make_prompt("a_prompt", "x", arguments=["who"])
        for value in (1, None, ["a"], {"a": 1}):
            response = self.ask("a_prompt", {"who": value})
            self.assert_error(response, 400, -32602, "arguments")

    def test_a_get_is_written_to_the_audit(self):
        self.make_prompt("a_prompt", "x", arguments=["password", "other"])
        self.got("a_prompt", {"password": "hunter2", "other": "seen"})
        [entry] = self.entries(tool="prompts/get")
        self.assertEqual(entry.status, "success")
        self.assertEqual(entry.user_id, self.developer)
        self.assertIn('"name": "a_prompt"', entry.arguments)
        self.assertIn("seen", entry.arguments)
        self.assertNotIn("hunter2", entry.arguments)
        self.assertIn('TOOL="prompts/get"', self.audit_path.read_text())

    def test_a_refusal_is_written_to_the_audit(self):
        self.make_prompt("a_prompt", "x", arguments=["who!"])
        self.ask("no_such")
        self.ask("a_prompt")
        missing, unknown = self.entries(tool="prompts/get")
        self.assertEqual(unknown.status, "refused")
        self.assertEqual(unknown.error_class, "UnknownPrompt")
        self.assertEqual(missing.status, "refused")
        self.assertEqual(missing.error_class, "InvalidArguments")

    def test_a_get_is_counted_by_the_metrics(self):
        def calls():
            rows = self.env["mcp.metric"]._counted()
            return sum(row[3] for row in rows if row[0] == "prompts/get")

        before = calls()
        self.make_prompt("a_prompt", "x")
        self.got("a_prompt")
        self.assertEqual(calls(), before + 1)
        self.assertIn("prompts/get", self.env["mcp.metric"]._tools())

    def test_a_limit_holds(self):
        limit = self.env["mcp.rate.limit"].create({"name": "one", "calls": 1})
        self.make_prompt("a_prompt", "x", rate_limit_id=limit.id)
        self.got("a_prompt")
        response = self.ask("a_prompt")
        self.assert_error(response, 200, -32603, "one")
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)

    def test_arguments_are_completed_by_code(self):
        action = self.make_action(
            "action = [arguments['name'], arguments['value'], env.user.login] + "
            "[k + '=' + v for k, v in arguments['context'].items()]"
        )
        arguments = ["who", "what"]
        values = {"completion_action_id": action.id, "arguments": arguments}
        self.make_prompt("a_prompt", "x", **values)
        login = self.developer.login
        found = self.proposed("a_prompt", "who", "a", context={"what": "b"})
        self.assertEqual(found, ["who", "a", login, "what=b"])
        found = self.proposed("a_prompt", "who", "a")
        self.assertEqual(found, ["who", "a", login])
        for revision in LEGACY:
            found = self.proposed("a_prompt", "what", "", revision=revision)
            self.assertEqual(found, ["what", "", login])

    def test_without_completion_there_are_no_proposals(self):
        self.make_prompt("a_prompt", "x", arguments=["who"])
        self.make_prompt("coded", code="action = 'x'", arguments=["who"])
        for name in ("a_prompt", "coded"):
            self.assertEqual(self.proposed(name, "who"), [])

    def test_completion_knows_prompts_and_their_arguments_only(self):
        self.make_prompt("a_prompt", "x", arguments=["who"])
        self.assert_error(self.complete("no_such", "a"), 400, -32602, "no_such")
        response = self.complete("a_prompt", "what")
        self.assert_error(response, 400, -32602, "'what'", "who")

    def test_a_hundred_proposals_are_told_at_once(self):
        action = self.make_action("action = [str(n) for n in range(250)]")
        values = {"completion_action_id": action.id, "arguments": ["n"]}
        self.make_prompt("a_prompt", "x", **values)
        completion = self.complete("a_prompt", "n").json()["result"]["completion"]
        self.assertEqual(len(completion["values"]), 100)
        self.assertEqual((completion["total"], completion["hasMore"]), (250, True))

    def test_names_are_checked_and_unique(self):
        for name in ("", "a b", "ä", "x" * 129):
            with self.subTest(name=name), self.assertRaises(ValidationError):
                self.make_prompt(name, "x")
        for argument in ("", "a-b", "_a", "1a", "ä"):
            with self.subTest(argument=argument), self.assertRaises(ValidationError):
                self.make_prompt("a_prompt", "x", arguments=[argument])
        self.make_prompt("a_prompt", "x")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.make_prompt("a_prompt", "x")

    def test_a_prompt_has_a_template_or_code(self):
        for template in (None, ""):
            with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
                self.make_prompt("a_prompt", template)

    def test_its_code_goes_with_it(self):
        completion = self.make_action("action = []")
        values = {"code": "action = ''", "completion_action_id": completion.id}
        prompt = self.make_prompt("a_prompt", **values)
        actions = prompt.server_action_id | completion
        prompt.unlink()
        self.assertFalse(actions.exists())

    def test_the_playing_field_is_the_callers_own(self):
        self.make_prompt("a_prompt", "<t t-out='env.user.login'/>")
        guest = self.make_user("mcp_guest", USER)
        self.assertEqual(self.text("a_prompt"), self.developer.login)
        secret = self.make_key(guest)
        self.assertEqual(self.text("a_prompt", secret=secret), "mcp_guest")
