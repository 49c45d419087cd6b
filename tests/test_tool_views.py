"""What the views of a tool show and make."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form
from odoo.tools.safe_eval import safe_eval

from .audit_rows import as_owner
from .common import ADMINISTRATOR, SETTINGS, USER, McpCase


class TestToolViews(McpCase):
    """A tool from scratch, what it takes, and how it did today."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = cls.make_user("settings", SETTINGS)
        cls.governor = cls.make_user("governor", ADMINISTRATOR)

    def form(self, user):
        """The form of a new tool, as the menu opens it."""
        action = self.env["ir.actions.actions"]._for_xml_id(
            "odoo_dev_mcp.mcp_tool_action"
        )
        context = self.env["ir.actions.act_window"].browse(action["id"]).context
        tools = self.env["mcp.tool"].with_user(user)
        return Form(tools.with_context(**safe_eval(context)))

    def make_from_scratch(self, user):
        with self.form(user) as form:
            form.name = "find_partners"
            form.title = "Find partners"
            form.description = "Find partners by a part of their name."
        return form.record

    def test_a_new_tool_begins_with_code_that_works(self):
        tool = self.make_from_scratch(self.settings)
        self.env["res.partner"].create({"name": "Ada of a test"})
        outcome = self.call("find_partners", name="Ada of a")
        self.assertEqual(outcome.structured, {"partners": ["Ada of a test"]})
        self.assertIn("missing", self.call("find_partners").text)
        self.assertEqual(tool.server_action_id.usage, "mcp_tool")
        self.assertEqual(tool.effect, "reads")

    def test_the_code_of_a_tool_is_changed_in_its_form_at_once(self):
        tool = self.make_from_scratch(self.settings)
        self.call("find_partners", name="x")
        with Form(tool.with_user(self.settings)) as form:
            form.code = "action = {'changed': arguments['name']}"
        outcome = self.call("find_partners", name="x")
        self.assertEqual(outcome.structured, {"changed": "x"})

    def test_code_that_calls_a_method_which_is_no_tool_is_still_code(self):
        tool = self.make_from_scratch(self.settings)
        tool.code = "action = model.search_count(**arguments)"
        self.env.invalidate_all()
        self.assertFalse(tool.built_in)
        self.assertTrue(self.tool("query_database").built_in)

    def test_a_tool_from_scratch_goes_with_its_action(self):
        tool = self.make_from_scratch(self.settings)
        action = tool.server_action_id
        tool.with_user(self.settings).unlink()
        self.assertFalse(action.exists())

    def test_an_administrator_without_settings_cannot_make_a_tool_or_its_code(self):
        with self.assertRaises(AccessError):
            self.env["mcp.tool"].with_user(self.governor).create(
                {
                    "name": "mine",
                    "title": "Mine",
                    "description": "Mine.",
                    "toolset_id": self.env.ref("odoo_dev_mcp.mcp_toolset_own").id,
                    "code": "action = {}",
                }
            )
        tool = self.make_from_scratch(self.settings).with_user(self.governor)
        for values in ({"code": "action = {}"}, {"model_id": 1}):
            with self.assertRaises(AccessError):
                tool.write(values)

    def test_the_code_of_a_tool_is_for_settings_administrators_to_read(self):
        tool = self.make_from_scratch(self.settings)
        reader = self.make_user("reader", USER)
        for user in (reader, self.governor):
            with self.assertRaises(AccessError):
                tool.with_user(user).read(["code"])
            self.assertTrue(tool.with_user(user).parameters)

    def test_the_arguments_of_built_in_and_own_tools_are_told_to_people(self):
        shown = str(self.tool("query_database").parameters)
        for words in ("query", "required", "array", "1000"):
            self.assertIn(words, shown)
        tool = self.make_from_scratch(self.settings)
        self.assertIn("A part of the partner&#39;s name.", str(tool.parameters))
        tool.input_schema = '{"type": "object"}'
        self.assertIn("without arguments", str(tool.parameters))
        schema = '{"type": "object", "properties": {"<b>": {"description": "<i>"}}}'
        tool.input_schema = schema
        self.assertNotIn("<b>", str(tool.parameters))
        self.assertNotIn("<i>", str(tool.parameters))

    def test_calls_and_errors_of_the_last_day_are_counted(self):
        for query in ("SELECT 1", "SELECT nothing", "SELECT 2"):
            self.call("query_database", query=query)
        with as_owner(self.env):
            self.env.cr.execute(
                "UPDATE mcp_audit_log SET create_date = create_date "
                "- interval '25 hours' WHERE id = (SELECT max(id) FROM mcp_audit_log)"
            )
        tool = self.tool("query_database").with_user(self.developer)
        self.assertEqual((tool.calls_day, tool.errors_day), (2, 1))

    def test_users_count_their_own_calls_alone(self):
        self.call("query_database", query="SELECT 1")
        tool = self.tool("query_database")
        tool.group_ids = [Command.clear()]
        self.assertEqual(tool.with_user(self.governor).calls_day, 1)
        reader = self.make_user("reader", USER)
        self.assertEqual(tool.with_user(reader).calls_day, 0)

    def test_what_is_tried_is_called_as_clients_call_it(self):
        action = self.tool("query_database").action_try()
        self.assertEqual(action["params"]["name"], "query_database")
        resource = self.env.ref("odoo_dev_mcp.mcp_resource_modules")
        self.assertEqual(resource.action_try()["params"]["name"], "odoo://modules")
