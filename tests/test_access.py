"""Which tools there are for whom, and who decides it."""

from odoo import Command
from odoo.tests import tagged
from odoo.tools import convert_file, mute_logger

from .common import (
    ADMINISTRATOR,
    DEVELOPER,
    FOR_USERS,
    SETTINGS,
    USER,
    McpHttpCase,
)

BUILT_IN = [
    "check_access",
    "database_activity",
    "edit_file",
    "execute_command",
    "execute_sql",
    "explain_query",
    "find_definition",
    "get_db_schema",
    "get_module_info",
    "inspect_model",
    "inspect_view",
    "install_module",
    "job",
    "lint_module",
    "list_files",
    "list_modules",
    "odoo_shell",
    "query_database",
    "read_config",
    "read_file",
    "read_logs",
    "render",
    "run_tests",
    "scaffold_module",
    "search_code",
    "search_records",
    "service_status",
    "upgrade_module",
    "write_file",
    "write_records",
]
DATABASE = {
    *("database_activity", "execute_sql", "explain_query"),
    *("get_db_schema", "query_database"),
}
TOOLSETS = (
    *("orm", "database", "modules", "filesystem", "terminal", "code", "quality"),
    *("tests", "views", "shell", "service", "config", "jobs"),
)


@tagged("post_install", "-at_install")
class TestAccess(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.make_user("mcp_guest", USER)
        cls.administrator = cls.make_user("mcp_administrator", ADMINISTRATOR)
        cls.settings = cls.make_user("mcp_settings", SETTINGS)

    def error_of(self, name, secret=None):
        response = self.call(name, _secret=secret)
        return self.assert_error(response, 400, -32602)["error"]

    def test_a_developer_is_offered_the_built_in_tools(self):
        self.assertEqual(self.offered(), BUILT_IN)

    def test_a_settings_administrator_is_a_developer(self):
        self.assertEqual(self.offered(self.make_key(self.settings)), BUILT_IN)

    def test_users_who_are_no_developers_are_offered_their_own_records(self):
        for user in (self.guest, self.administrator):
            with self.subTest(user=user.login):
                self.assertEqual(self.offered(self.make_key(user)), FOR_USERS)

    def test_a_hidden_tool_and_an_unknown_one_answer_alike(self):
        self.tool("list_modules").active = False
        developers_only = "query_database"
        for user in (self.guest, self.administrator):
            secret = self.make_key(user)
            for name in (developers_only, "list_modules"):
                with self.subTest(user=user.login, name=name):
                    hidden = self.error_of(name, secret)
                    unknown = self.error_of("x" * len(name), secret)
                    unknown["message"] = unknown["message"].replace(
                        "x" * len(name), name
                    )
                    self.assertEqual(hidden, unknown)

    def test_an_administrator_sees_records_of_tools_that_they_cannot_call(self):
        self.log_in(self.administrator)
        found = self.call_kw("mcp.tool", "search_read", [], ["name"])["result"]
        self.assertLessEqual(set(BUILT_IN), {row["name"] for row in found})
        self.error_of("query_database", self.make_key(self.administrator))

    def test_a_user_sees_records_of_the_tools_that_they_may_call(self):
        self.make_tool("for_everybody", "action = 1")
        self.log_in(self.guest)
        found = self.call_kw("mcp.tool", "search_read", [], ["name"])["result"]
        names = {row["name"] for row in found}
        self.assertIn("for_everybody", names)
        self.assertEqual(names.intersection(BUILT_IN), set(FOR_USERS))

    def test_a_tool_that_is_toggled_in_the_list_is_gone_at_once(self):
        self.assertIn("list_modules", self.offered())
        self.log_in(self.administrator)
        tool = self.tool("list_modules")
        for method, values in (("write", {"active": False}), ("web_save", None)):
            answer = (
                self.call_kw("mcp.tool", method, tool.ids, values)
                if values
                else self.call_kw(
                    "mcp.tool",
                    method,
                    tool.ids,
                    {"active": True},
                    specification={"active": {}},
                )
            )
            self.assertNotIn("error", answer)
            with self.subTest(method=method):
                self.assertEqual("list_modules" in self.offered(), values is None)
        self.call_kw("mcp.tool", "write", tool.ids, {"active": False})
        self.error_of("list_modules")

    def test_a_toolset_that_is_switched_off_hides_its_tools(self):
        self.log_in(self.administrator)
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        self.call_kw("mcp.toolset", "write", toolset.ids, {"active": False})
        self.assertEqual(set(self.offered()), set(BUILT_IN) - DATABASE)
        self.error_of("query_database")
        self.call_kw("mcp.toolset", "write", toolset.ids, {"active": True})
        self.assertEqual(self.offered(), BUILT_IN)

    def test_an_upgrade_never_switches_a_tool_on_again(self):
        self.tool("list_modules").active = False
        toolset = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        toolset.active = False
        for name in ("mcp_toolset_data", "mcp_tool_data"):
            path = f"data/{name}.xml"
            convert_file(self.env, "odoo_dev_mcp", path, {}, mode="update")
        self.env.invalidate_all()
        self.assertFalse(self.tool("list_modules").active)
        self.assertFalse(toolset.active)
        gone = {*DATABASE, "list_modules"}
        self.assertEqual(set(self.offered()), set(BUILT_IN) - gone)

    def test_an_upgrade_keeps_who_may_call_and_how_often(self):
        tool = self.tool("list_modules")
        tool.group_ids = [Command.set(self.env.ref(SETTINGS).ids)]
        tool.rate_limit_id = False
        path = "data/mcp_tool_data.xml"
        convert_file(self.env, "odoo_dev_mcp", path, {}, mode="update")
        self.env.invalidate_all()
        self.assertEqual(tool.group_ids, self.env.ref(SETTINGS))
        self.assertFalse(tool.rate_limit_id)

    def test_a_tool_without_groups_is_for_every_mcp_user(self):
        self.make_tool("for_everybody", "action = 'here'")
        for user in (self.guest, self.administrator, self.developer):
            with self.subTest(user=user.login):
                self.assertIn("for_everybody", self.offered(self.make_key(user)))

    def test_a_change_of_groups_is_seen_at_once(self):
        self.make_tool("for_some", "action = 1", group_ids=self.env.ref(DEVELOPER).ids)
        secret = self.make_key(self.guest)
        self.assertEqual(self.offered(secret), FOR_USERS)
        group = self.env.ref(DEVELOPER)
        field = "user_ids" if "user_ids" in group._fields else "users"
        group.write({field: [Command.link(self.guest.id)]})
        self.assertIn("for_some", self.offered(secret))
        group.write({field: [Command.unlink(self.guest.id)]})
        self.assertEqual(self.offered(secret), FOR_USERS)

    def test_what_a_tool_runs_is_for_settings_administrators(self):
        tool = self.tool("list_modules")
        other = self.tool("query_database").server_action_id
        changes = (
            {"server_action_id": other.id},
            {"group_ids": [Command.clear()]},
            {"toolset_id": self.env.ref("odoo_dev_mcp.mcp_toolset_database").id},
            {"read_only_hint": False},
            {"name": "renamed"},
        )
        self.log_in(self.administrator)
        before = tool.read()
        for values in changes:
            with self.subTest(values=values):
                answer = self.call_kw("mcp.tool", "write", tool.ids, values)
                self.assert_denied(answer, "Settings administrator")
        self.assert_denied(self.call_kw("mcp.tool", "copy", tool.ids))
        self.assertEqual(tool.read(), before)
        self.log_in(self.settings)
        for values in changes:
            answer = self.call_kw("mcp.tool", "write", tool.ids, values)
            self.assertNotIn("error", answer)

    def test_what_a_tool_runs_cannot_be_changed_around_the_tool(self):
        tool, toolset = self.tool("list_modules"), self.tool("list_modules").toolset_id
        self.log_in(self.administrator)
        for model, ids, values in (
            ("mcp.toolset", toolset.ids, {"tool_ids": [[1, tool.id, {"name": "x"}]]}),
            (
                "mcp.toolset",
                toolset.ids,
                {"tool_ids": [[1, tool.id, {"group_ids": [[5, 0, 0]]}]]},
            ),
            (
                "mcp.rate.limit",
                tool.rate_limit_id.ids,
                {"tool_ids": [[1, tool.id, {"read_only_hint": False}]]},
            ),
            (
                "ir.actions.server",
                tool.server_action_id.ids,
                {"code": "action = env.cr.execute('SELECT 1')"},
            ),
        ):
            with self.subTest(model=model, values=values):
                self.assert_denied(self.call_kw(model, "write", ids, values))

    def test_a_toolset_cannot_take_a_tool_from_another_by_its_own_list(self):
        tool = self.tool("list_modules")
        database = self.env.ref("odoo_dev_mcp.mcp_toolset_database")
        self.log_in(self.administrator)
        values = {"tool_ids": [[4, tool.id, 0]]}
        answer = self.call_kw("mcp.toolset", "write", database.ids, values)
        self.assert_denied(answer)
        self.assertNotEqual(tool.toolset_id, database)

    def test_what_an_administrator_governs_they_may_change(self):
        tool = self.tool("list_modules")
        self.log_in(self.administrator)
        for values in (
            {"title": "Modules"},
            {"description": "Other words."},
            {"rate_limit_id": False},
            {"timeout": 5},
            {"active": False},
        ):
            with self.subTest(values=values):
                answer = self.call_kw("mcp.tool", "write", tool.ids, values)
                self.assertNotIn("error", answer)

    def test_a_user_changes_nothing(self):
        tool = self.make_tool("for_everybody", "action = 1")
        limit = self.env.ref("odoo_dev_mcp.mcp_rate_limit_queries")
        for user in (self.guest, self.developer):
            self.log_in(user)
            for record in (tool, tool.toolset_id, limit):
                with self.subTest(user=user.login, model=record._name):
                    ids, change = record.ids, {"active": False}
                    answer = self.call_kw(record._name, "write", ids, change)
                    self.assert_denied(answer)
                    self.assert_denied(self.call_kw(record._name, "unlink", ids))
                    values = {"name": "x"}
                    answer = self.call_kw(record._name, "create", values)
                    self.assert_denied(answer)

    def test_toolset_methods_are_closed_to_rpc(self):
        calls = (
            ("mcp.toolset.database", "query_database", {"query": "SELECT 1"}),
            ("mcp.toolset.database", "get_db_schema", {"action": "list_tables"}),
            ("mcp.toolset.modules", "list_modules", {}),
            ("mcp.toolset.modules", "get_module_info", {"module_name": "base"}),
        )
        for user in (self.guest, self.developer, self.settings):
            self.log_in(user)
            for model, method, arguments in calls:
                with self.subTest(user=user.login, method=method):
                    answer = self.call_kw(model, method, [], **arguments)
                    self.assertIn("error", answer)
                    self.assertNotIn("result", answer)
                    answer = self.call_kw(model, method, **arguments)
                    self.assertIn("error", answer)

    def test_toolset_methods_are_closed_to_external_rpc(self):
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": 1,
            "params": {
                "service": "object",
                "method": "execute_kw",
                "args": [
                    self.env.cr.dbname,
                    self.settings.id,
                    self.settings.login,
                    "mcp.toolset.modules",
                    "list_modules",
                    [],
                ],
            },
        }
        with mute_logger("odoo.http"):
            response = self.send(body, {"Authorization": None}, path="/jsonrpc")
        answer = response.json()
        self.assertNotIn("result", answer)
        self.assertIn("private", answer["error"]["data"]["message"].lower())

    def test_the_order_of_tools_is_the_order_of_their_names(self):
        for name in ("zebra", "Alpha", "beta.x", "beta-x", "beta_x"):
            self.make_tool(name, "action = 1")
        names = self.offered()
        self.assertEqual(names, sorted(names))
        self.assertEqual(names, self.offered())

    def test_every_tool_is_on_one_page_alone(self):
        wanted = {f"tool_{number:03}" for number in range(120)} | set(BUILT_IN)
        for name in sorted(wanted - set(BUILT_IN), reverse=True):
            self.make_tool(name, "action = 1")
        found, pages, cursor = [], 0, {}
        while cursor is not None:
            result = self.rpc("tools/list", cursor).json()["result"]
            found += [tool["name"] for tool in result["tools"]]
            pages += 1
            after = result.get("nextCursor")
            cursor = after and {"cursor": after}
        self.assertEqual(pages, 3)
        self.assertEqual(found, sorted(wanted))

    def test_a_bad_cursor_is_invalid_params(self):
        for cursor in ("nonsense", "é", "=", "AAA", "/w==", "a b", "x" * 9999):
            with self.subTest(cursor=cursor[:20]):
                response = self.rpc("tools/list", {"cursor": cursor})
                self.assert_error(response, 400, -32602, "cursor")

    def test_a_cursor_of_a_tool_that_is_gone_goes_on_after_it(self):
        for number in range(60):
            self.make_tool(f"a_tool_{number:03}", "action = 1")
        result = self.rpc("tools/list").json()["result"]
        last = result["tools"][-1]["name"]
        self.env["mcp.tool"].search([("name", "=", last)]).unlink()
        after = {"cursor": result["nextCursor"]}
        names = [
            t["name"] for t in self.rpc("tools/list", after).json()["result"]["tools"]
        ]
        expected = [f"a_tool_{number:03}" for number in range(50, 60)] + BUILT_IN
        self.assertEqual(names, expected)
