"""What a client says it wants, by URL or header: only ever less than its key allows."""

from urllib.parse import urlencode

from odoo import Command
from odoo.tests import tagged

from ..controllers.narrowing import MOST_NAMES
from .common import ENDPOINT, LEGACY, USER, McpHttpCase
from .test_access import BUILT_IN
from .test_resources import BOTH, RESOURCES, TEMPLATES

DATABASE_READING = ["explain_query", "get_db_schema", "query_database"]
DATABASE = sorted([*DATABASE_READING, "database_activity", "execute_sql"])
MODULES = ["get_module_info", "install_module", "list_modules", "upgrade_module"]
READING = sorted(
    [
        *DATABASE_READING,
        *("get_module_info", "list_modules", "read_config", "read_file"),
        *("search_records", "check_access", "inspect_model", "inspect_view"),
        *("find_definition", "search_code", "lint_module", "list_files", "read_logs"),
    ]
)


@tagged("post_install", "-at_install")
class TestNarrowing(McpHttpCase):
    def ask(self, method, params=None, *, url="", **options):
        """The response to a request with a query string."""
        return self.rpc(method, params, path=f"{ENDPOINT}?{url}", **options)

    def tools(self, url="", secret=None, **headers):
        """The names in tools/list; ``Toolsets`` is the header ``X-MCP-Toolsets``."""
        sent = {f"X-MCP-{name}": value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {secret or self.secret}"
        response = self.ask("tools/list", url=url, headers=sent)
        return self.names(response.json())

    @staticmethod
    def names(answer):
        return [tool["name"] for tool in answer["result"]["tools"]]

    def resources(self, url=""):
        found = []
        for method, key in BOTH:
            rows = self.ask(method, url=url).json()["result"][key]
            found += [row.get("uri") or row["uriTemplate"] for row in rows]
        return found

    def test_the_url_leaves_the_toolsets_and_the_tools_that_it_names(self):
        for url, left in (
            ("toolsets=database", DATABASE),
            ("toolsets=database,modules", sorted(DATABASE + MODULES)),
            ("toolsets=database%2Cmodules", sorted(DATABASE + MODULES)),
            ("tools=read_file,query_database", ["query_database", "read_file"]),
            ("toolsets=database&tools=read_file", [*DATABASE, "read_file"]),
            ("toolsets=+database+,&tools=%20read_file", [*DATABASE, "read_file"]),
            ("readonly=1", READING),
            ("toolsets=database&readonly=1", DATABASE_READING),
            ("tools=write_file&readonly=true", []),
        ):
            with self.subTest(url=url):
                self.assertEqual(self.tools(url), left)

    def test_headers_leave_the_same(self):
        self.assertEqual(self.tools(Toolsets="database"), DATABASE)
        self.assertEqual(self.tools(Tools="read_file, job"), ["job", "read_file"])
        found = self.tools(Toolsets="database", Tools="read_file", Readonly="true")
        self.assertEqual(found, [*DATABASE_READING, "read_file"])

    def test_url_and_header_leave_what_both_leave(self):
        for url, headers, left in (
            ("toolsets=database,modules", {"Toolsets": "modules,shell"}, MODULES),
            ("toolsets=database", {"Toolsets": "modules"}, []),
            ("toolsets=database", {"Tools": "read_file,execute_sql"}, ["execute_sql"]),
            ("toolsets=database&readonly=0", {"Readonly": "1"}, DATABASE_READING),
            ("toolsets=database&readonly=1", {"Readonly": "0"}, DATABASE_READING),
        ):
            with self.subTest(url=url, **headers):
                self.assertEqual(self.tools(url, **headers), left)

    def test_prompts_go_with_their_toolsets(self):
        for url, left in (
            ("toolsets=database", ["explain_access"]),
            ("toolsets=service&readonly=1", ["fix_last_error"]),
            ("tools=read_file", []),
        ):
            rows = self.ask("prompts/list", url=url).json()["result"]["prompts"]
            self.assertEqual([row["name"] for row in rows], left)
        wanted = {"name": "fix_last_error"}
        response = self.ask("prompts/get", wanted, url="toolsets=database")
        self.assert_error(response, 400, -32602, "Unknown prompt")

    def test_nothing_is_left_that_the_key_withholds(self):
        modules = self.env.ref("odoo_dev_mcp.mcp_toolset_modules")
        job = self.tool("job")
        narrow = self.make_key(
            self.developer,
            toolset_ids=[Command.set(modules.ids)],
            tool_ids=[Command.set(job.ids)],
        )
        reading = self.make_key(self.developer, read_only=True)
        for secret, url, left in (
            (narrow, "toolsets=database", []),
            (narrow, "tools=query_database,list_modules", ["list_modules"]),
            (narrow, "toolsets=jobs,database", ["job"]),
            (narrow, "readonly=0", sorted(["job", *MODULES])),
            (reading, "readonly=0", READING),
            (reading, "tools=execute_sql&readonly=false", []),
        ):
            with self.subTest(url=url):
                self.assertEqual(self.tools(url, secret), left)

    def test_nothing_is_left_that_the_user_may_not(self):
        secret = self.make_key(self.make_user("mcp_guest", USER))
        self.make_tool("for_everybody", "action = 1")
        self.assertEqual(self.tools("toolsets=database", secret), [])
        self.assertEqual(self.tools("toolsets=modules", secret), ["for_everybody"])

    def test_nothing_is_left_that_is_switched_off(self):
        self.tool("query_database").active = False
        self.assertEqual(self.tools("tools=query_database"), [])

    def test_a_name_that_is_none_matches_nothing(self):
        for url in (
            "toolsets=databse",
            "toolsets=DATABASE",
            "toolsets=database;modules",
            "toolsets=all",
            "toolsets=%00",
            "toolsets=%ff%fe",
            "toolsets=*",
            "tools=query",
            "toolsets=query_database&tools=database",
        ):
            with self.subTest(url=url):
                self.assertEqual(self.tools(url), [])
        self.assertEqual(self.tools("toolsets=nonsense,database"), DATABASE)

    def test_an_empty_list_leaves_nothing(self):
        for url in ("toolsets=", "toolsets", "tools=", "tools=,,", "toolsets=%20"):
            with self.subTest(url=url):
                self.assertEqual(self.tools(url), [])
                self.assertEqual(self.resources(url), [])
        self.assertEqual(self.tools(Toolsets=""), [])
        self.assertEqual(self.tools("toolsets=&tools=job"), ["job"])

    def test_readonly_is_all_that_does_not_mean_no(self):
        for word in ("1", "true", "YES", "on", "", "2", "flase", "null", "0,1", "1,0"):
            with self.subTest(word=word):
                self.assertEqual(self.tools(urlencode({"readonly": word})), READING)
                self.assertEqual(self.tools(Readonly=word), READING)
        self.assertEqual(self.tools("readonly"), READING)
        for word in ("0", "false", "No", "off", "0,false"):
            with self.subTest(word=word):
                self.assertEqual(self.tools(urlencode({"readonly": word})), BUILT_IN)
                self.assertEqual(self.tools(Readonly=word), BUILT_IN)

    def test_what_is_said_twice_adds_up(self):
        both = sorted(DATABASE + MODULES)
        self.assertEqual(self.tools("toolsets=database&toolsets=modules"), both)
        self.assertEqual(self.tools("tools=job&tools=read_file"), ["job", "read_file"])
        self.assertEqual(self.tools("readonly=0&readonly=1"), READING)
        self.assertEqual(self.tools("readonly=1&readonly=0"), READING)

    def test_a_slip_in_the_name_of_a_parameter_leaves_no_more(self):
        for name in ("toolset", "Toolsets", "TOOLSETS", "tool_sets", "toolsets[]"):
            with self.subTest(name=name):
                self.assertEqual(self.tools(urlencode({name: "database"})), DATABASE)
        for name in ("readOnly", "read_only", "read-only"):
            with self.subTest(name=name):
                self.assertEqual(self.tools(f"{name}=1"), READING)
        headers = {"X-MCP-Toolset": "database", "x-mcp-read-only": "1"}
        found = self.names(self.ask("tools/list", headers=headers).json())
        self.assertEqual(found, DATABASE_READING)

    def test_a_name_that_is_spelled_wrong_adds_nothing_to_one_that_is_right(self):
        self.assertEqual(self.tools("toolsets=database&toolset=modules"), [])
        self.assertEqual(self.tools(Toolsets="database", Tool="read_file"), [])
        self.assertEqual(
            self.tools("toolset=database&tool=job"), sorted([*DATABASE, "job"])
        )

    def test_other_parameters_and_headers_mean_nothing(self):
        for url in ("db=nothing", "debug=1", "lang=xx", "a=%", "&&=", "?", "name=job"):
            with self.subTest(url=url):
                self.assertEqual(self.tools(url), BUILT_IN)
        self.assertEqual(self.tools(Insiders="1"), BUILT_IN)

    def test_names_behind_the_most_match_nothing(self):
        many = [f"tool_{number}" for number in range(MOST_NAMES - 1)]
        url = urlencode({"tools": ",".join([*many, "job", "read_file"])})
        self.assertEqual(self.tools(url), ["job"])

    def test_a_key_in_the_url_is_none(self):
        for name in ("key", "api_key", "access_token", "Authorization", "token"):
            url, headers = urlencode({name: self.secret}), {"Authorization": None}
            with self.subTest(name=name):
                response = self.ask("tools/list", url=url, headers=headers)
                self.assertEqual(response.status_code, 401)

    def test_a_tool_that_is_narrowed_away_and_an_unknown_one_answer_alike(self):
        unknown = "x" * len("write_file")
        for url in ("toolsets=database", "tools=job", "readonly=1", "toolsets="):
            with self.subTest(url=url):
                answers = []
                for name in ("write_file", unknown):
                    call = {"name": name, "arguments": {}}
                    response = self.ask("tools/call", call, url=url)
                    answers.append(self.assert_error(response, 400, -32602))
                message = answers[1]["error"]["message"]
                answers[1]["error"]["message"] = message.replace(unknown, "write_file")
                self.assertEqual(answers[0], answers[1])
                entry = self.entries(tool="write_file")[0]
                self.assertEqual(entry.status, "refused")

    def test_a_tool_that_is_left_runs_and_is_in_the_audit(self):
        call = {"name": "list_modules", "arguments": {"search": "odoo_dev_mcp"}}
        for url in ("toolsets=modules", "tools=list_modules", "readonly=1"):
            with self.subTest(url=url):
                response = self.ask("tools/call", call, url=url)
                self.assertNotIn("isError", response.json()["result"])
                self.assertEqual(self.entries(tool="list_modules")[0].status, "success")

    def test_resources_are_left_by_their_toolset(self):
        self.assertEqual(self.resources(), RESOURCES + TEMPLATES)
        for url, left in (
            ("toolsets=database", ["odoo://schema/{table}"]),
            ("toolsets=modules&tools=read_config", ["odoo://modules"]),
            ("tools=read_config,list_modules,get_db_schema", []),
            ("readonly=1", RESOURCES + TEMPLATES),
        ):
            with self.subTest(url=url):
                self.assertEqual(self.resources(url), left)

    def test_a_resource_that_is_narrowed_away_and_an_unknown_one_answer_alike(self):
        for url in ("toolsets=database", "tools=list_modules"):
            answers = []
            for uri in ("odoo://modules", "odoo://modulex"):
                response = self.ask("resources/read", {"uri": uri}, url=url)
                answers.append(self.assert_error(response, 400, -32602))
            text = str(answers[1]).replace("odoo://modulex", "odoo://modules")
            self.assertEqual(str(answers[0]), text)
        read = {"uri": "odoo://modules"}
        response = self.ask("resources/read", read, url="toolsets=modules")
        self.assertIn("contents", response.json()["result"])

    def test_a_template_that_is_narrowed_away_completes_nothing(self):
        params = {
            "ref": {"type": "ref/resource", "uri": "odoo://schema/{table}"},
            "argument": {"name": "table", "value": "res_par"},
        }
        response = self.ask("completion/complete", params, url="toolsets=database")
        self.assertIn("values", response.json()["result"]["completion"])
        for url in ("toolsets=modules", "tools=get_db_schema"):
            response = self.ask("completion/complete", params, url=url)
            self.assert_error(response, 400, -32602, "Unknown template")

    def test_capabilities_tell_what_is_left(self):
        path = f"{ENDPOINT}/capabilities?toolsets=modules&readonly=1"
        found = self.send(b"", method="GET", path=path).json()
        self.assertEqual(found["tools"], ["get_module_info", "list_modules"])
        self.assertEqual(found["resources"], ["odoo://modules"])

    def test_every_revision_is_narrowed(self):
        for revision in LEGACY:
            with self.subTest(revision=revision):
                response = self.ask("tools/list", url="tools=job", revision=revision)
                self.assertEqual(self.names(response.json()), ["job"])

    def test_each_message_of_a_batch_is_narrowed(self):
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        batch = [{**call, "params": {"name": "list_modules"}}, listing]
        refused, listed = self.send(batch, path=f"{ENDPOINT}?tools=job").json()
        self.assertEqual(refused["error"]["code"], -32602)
        self.assertEqual(self.names(listed), ["job"])

    def test_a_caller_without_a_key_is_narrowed_too(self):
        self.set_parameter("anonymous_user_id", self.developer.id)
        headers = {"Authorization": None}
        response = self.ask("tools/list", url="toolsets=database", headers=headers)
        self.assertEqual(self.names(response.json()), DATABASE)

    def test_a_toolset_goes_by_its_new_code_at_once(self):
        self.assertEqual(self.tools("toolsets=database"), DATABASE)
        self.env.ref("odoo_dev_mcp.mcp_toolset_database").code = "sql"
        self.assertEqual(self.tools("toolsets=database"), [])
        self.assertEqual(self.tools("toolsets=sql"), DATABASE)

    def test_a_page_in_a_browser_may_send_the_headers(self):
        headers = {"Origin": self.base_url(), "Authorization": None}
        response = self.send(b"", headers, method="OPTIONS")
        allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
        for name in ("X-MCP-Toolsets", "X-MCP-Tools", "X-MCP-Readonly"):
            self.assertIn(name, allowed)
