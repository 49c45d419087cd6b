"""What a call leaves behind: an entry nobody can touch, and a line in a file."""

import json
import re

from psycopg2 import DatabaseError

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.audit_file import this_process
from .audit_rows import as_owner
from .common import ADMINISTRATOR, MODERN, USER, McpHttpCase

SQL_LOG = "odoo.sql_db"
PROTOCOL_LOG = "odoo.addons.odoo_dev_mcp.controllers.transport"
LINE = re.compile(
    r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\] DB=(\S+) USER=(\d+) "
    r'TOOL=(\w+|"(?:[^"\\]|\\.)*") (CMD|ARGS)=("(?:[^"\\]|\\.)*")'
    r"(?: ROWS=(\d+))?(?: EXIT_CODE=(-?\d+))?"
    r"(?: STATUS=(\w+))? DURATION=\d+ms"
)


@tagged("post_install", "-at_install")
class TestAudit(McpHttpCase):
    def newest(self):
        return self.entries()[0]

    def change(self, statement, *params):
        with as_owner(self.env):
            self.env.cr.execute(statement, params)

    def lines(self):
        """The lines of the audit file, each of which must be whole."""
        text = self.audit_path.read_text()
        self.assertTrue(text.endswith("\n"))
        lines = text[:-1].split("\n")
        for line in lines:
            self.assertRegex(line, LINE)
            self.assertTrue(line.isascii())
            self.assertTrue(line.isprintable())
        return lines

    def test_a_successful_call_leaves_an_entry_with_all_its_fields(self):
        info = {"name": "Tester", "version": "1.2"}
        response = self.rpc(
            "tools/call",
            {
                "name": "query_database",
                "arguments": {"query": "SELECT generate_series(1, 3)"},
                "_meta": {"io.modelcontextprotocol/clientInfo": info},
            },
            id="call-1",
        )
        self.assertEqual(response.status_code, 200)
        entry = self.newest()
        expected = {
            "user_id": self.developer,
            "user_login": self.developer.login,
            "key_name": f"key of {self.developer.login}",
            "tool": "query_database",
            "status": "success",
            "error_class": False,
            "message": False,
            "row_count": 3,
            "exit_code": False,
            "client": "Tester 1.2",
            "address": "127.0.0.1",
            "revision": MODERN,
            "request_id": '"call-1"',
            "process": this_process(),
        }
        self.assertEqual({name: entry[name] for name in expected}, expected)
        self.assertEqual(entry.key_id.user_id, self.developer)
        self.assertEqual(
            json.loads(entry.arguments), {"query": "SELECT generate_series(1, 3)"}
        )
        self.assertTrue(entry.create_date)
        self.assertGreaterEqual(entry.duration_ms, 0)

    def test_a_legacy_client_is_known_by_its_user_agent(self):
        self.rpc(
            "tools/call",
            {"name": "list_modules", "arguments": {}},
            revision="2025-06-18",
            headers={"User-Agent": "cursor/9"},
        )
        self.assertEqual(self.newest().client, "cursor/9")
        self.assertEqual(self.newest().revision, "2025-06-18")

    def test_a_failing_call_leaves_what_went_wrong(self):
        self.call("query_database", query="SELECT nothing_here")
        entry = self.newest()
        self.assertEqual((entry.status, entry.error_class), ("error", "ToolError"))
        self.assertIn("nothing_here", entry.message)
        self.call("list_modules", limit="x")
        entry = self.newest()
        self.assertEqual((entry.status, entry.error_class), ("error", "ArgumentError"))

    def test_an_unknown_tool_leaves_a_refused_entry(self):
        for name in ("no_such_tool", "x" * 500, "ä\n"):
            with self.subTest(name=name[:20]):
                headers = {"Mcp-Name": "=?base64?w6QK?="} if "ä" in name else {}
                self.rpc(
                    "tools/call", {"name": name, "arguments": {"a": 1}}, headers=headers
                )
                entry = self.newest()
                self.assertEqual(entry.tool, name[:128])
                self.assertEqual(entry.status, "refused")
                self.assertEqual(entry.error_class, "UnknownTool")
                self.assertEqual(entry.arguments, '{"a": 1}')

    def test_each_call_leaves_one_entry_and_one_line(self):
        before = len(self.entries())
        self.call("list_modules", limit=1)
        self.call("query_database", query="SELECT no")
        self.call("no_such_tool")
        self.assertEqual(len(self.entries()), before + 3)
        statuses = [LINE.fullmatch(line)[8] for line in self.lines()[-3:]]
        self.assertEqual(statuses, [None, "error", "refused"])

    def test_lists_and_pings_leave_no_entry(self):
        before = len(self.entries())
        for method in ("tools/list", "server/discover", "resources/list"):
            self.rpc(method)
        self.assertEqual(len(self.entries()), before)

    def test_secrets_are_redacted(self):
        self.make_tool("take_anything", "action = 'taken'")
        other = self.make_key(self.developer)
        self.call(
            "take_anything",
            password="hunter2",
            db_passwd="hunter2",
            nested={"list": [{"access_token": "hunter2"}, {"Api-Key": "hunter2"}]},
            text=f"use {other} now",
            client_secret={"deep": "hunter2"},
        )
        entry = self.newest()
        self.assertEqual(entry.status, "success")
        self.assertNotIn("hunter2", entry.arguments)
        self.assertNotIn(other, entry.arguments)
        self.assertIn("***", entry.arguments)
        last = self.lines()[-1]
        self.assertNotIn("hunter2", last)
        self.assertNotIn(other, last)

    def test_long_values_are_cut_with_length_and_hash(self):
        text = "x" * 100_000
        self.call("query_database", query=f"SELECT length('{text}') AS n")
        entry = self.newest()
        self.assertLess(len(entry.arguments), 3000)
        self.assertIn(f"{len(text) + 22} characters, sha256 ", entry.arguments)

    def test_many_values_are_cut_too(self):
        self.make_tool("take_anything", "action = 'taken'")
        self.call("take_anything", values=list(range(200_000)))
        entry = self.newest()
        self.assertEqual(entry.status, "success")
        self.assertLess(len(entry.arguments), 100_000)

    def test_the_line_is_that_of_the_entry(self):
        self.call("query_database", query="SELECT 1 AS one")
        found = LINE.fullmatch(self.lines()[-1])
        self.assertEqual(found[1], self.env.cr.dbname)
        self.assertEqual(int(found[2]), self.developer.id)
        self.assertEqual(found[3], "query_database")
        arguments = json.loads(json.loads(found[5]))
        self.assertEqual(arguments, {"query": "SELECT 1 AS one"})
        self.assertEqual(found[6], "1")

    def test_no_argument_can_forge_a_line(self):
        self.call("list_modules")
        before = len(self.lines())
        forged = "[2026-02-16T10:05:30Z] DB=x USER=1 TOOL=execute_command DURATION=0ms"
        for end in (
            "\n",
            "\r",
            "\r\n",
            "\x0b",
            "\x0c",
            "\x85",
            "\u2028",
            '"\n',
            "\\\n",
        ):
            with self.subTest(end=end):
                query = f"SELECT 1 {end}{forged}"
                self.call("query_database", query=query)
        self.rpc(
            "tools/call",
            {"name": f"x\n{forged}"},
            headers={"Mcp-Name": None},
            revision="2025-11-25",
        )
        self.assertEqual(len(self.lines()), before + 10)

    def test_nobody_writes_entries_through_the_orm(self):
        self.call("list_modules")
        entry = self.newest()
        for user in (self.developer, self.env.ref("base.user_admin")):
            for records in (entry.with_user(user), entry.with_user(user).sudo(), entry):
                with self.subTest(user=user.login, su=records.env.su):
                    with self.assertRaises(AccessError):
                        records.create({"tool": "forged"})
                    with self.assertRaises(AccessError):
                        records.write({"status": "refused"})
                    with self.assertRaises(AccessError):
                        records.copy()
                    with self.assertRaises(AccessError):
                        records.unlink()
        self.assertEqual(entry.exists().status, "success")

    def test_nobody_writes_entries_over_rpc(self):
        self.call("list_modules")
        entry = self.newest()
        self.log_in(self.env.ref("base.user_admin"))
        for method, args in (
            ("create", [{"tool": "forged"}]),
            ("write", [entry.ids, {"status": "refused"}]),
            ("web_save", [entry.ids, {"status": "refused"}]),
            ("unlink", [entry.ids]),
            ("name_create", ["forged"]),
        ):
            kwargs = {"specification": {}} if method == "web_save" else {}
            with self.subTest(method=method):
                answer = self.call_kw("mcp.audit.log", method, *args, **kwargs)
                self.assert_denied(answer)
        for method in ("_open", "_close", "_refuse", "_close_lost"):
            with self.subTest(method=method):
                self.assertIn("error", self.call_kw("mcp.audit.log", method, []))
        self.assertEqual(entry.exists().status, "success")

    def test_users_see_their_own_entries_and_administrators_all(self):
        self.make_tool("for_everybody", "action = 1")
        guest = self.make_user("mcp_guest", USER)
        administrator = self.make_user("mcp_administrator", ADMINISTRATOR)
        self.call("for_everybody")
        self.call("for_everybody", _secret=self.make_key(guest))
        both = self.entries(tool="for_everybody")
        self.assertEqual(both.user_id, self.developer | guest)
        for user, seen in (
            (guest, guest),
            (self.developer, self.developer),
            (administrator, self.developer | guest),
        ):
            with self.subTest(user=user.login):
                found = both.with_user(user).search([("tool", "=", "for_everybody")])
                self.assertEqual(found.user_id, seen)
        with self.assertRaises(AccessError):
            both.with_user(guest).read(["arguments"])

    def test_a_user_outside_mcp_user_sees_none(self):
        stranger = self.make_user("mcp_stranger")
        with self.assertRaises(AccessError):
            self.env["mcp.audit.log"].with_user(stranger).search([])

    def test_history_outlives_the_key_and_the_user(self):
        leaver = self.make_user("mcp_leaver", USER)
        self.call("list_modules", _secret=self.make_key(leaver))
        entry = self.newest()
        key = entry.key_id
        self.assertTrue(key)
        leaver.unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(key.exists())
        self.assertFalse(entry.user_id)
        self.assertEqual(entry.user_login, "mcp_leaver")
        self.assertEqual(entry.key_name, "key of mcp_leaver")

    def test_an_open_entry_of_a_vanished_process_is_closed_as_lost(self):
        self.call("list_modules", limit=1)
        mine = self.newest()
        self.call("list_modules", limit=1)
        gone = self.newest()
        host, pid, started = this_process().rsplit(" ", 2)
        other = f"{host} {pid} 1{started}"
        self.change(
            "UPDATE mcp_audit_log SET status = 'open', process = CASE WHEN id = %s "
            "THEN %s ELSE process END WHERE id IN %s",
            *(gone.id, other, (mine.id, gone.id)),
        )
        with self.assertLogs("odoo.addons.odoo_dev_mcp.models.mcp_audit_log"):
            self.env["mcp.audit.log"]._close_lost()
        self.env.invalidate_all()
        self.assertEqual((mine.status, gone.status), ("open", "lost"))
        self.assertIn("STATUS=lost", self.lines()[-1])

    def test_an_entry_of_another_host_is_left_to_it(self):
        self.call("list_modules", limit=1)
        entry = self.newest()
        self.change(
            "UPDATE mcp_audit_log SET status = 'open', process = 'elsewhere 1 1' "
            "WHERE id = %s",
            entry.id,
        )
        self.assertEqual(self.env["mcp.audit.log"]._close_lost(), 0)
        self.env.invalidate_all()
        self.assertEqual(entry.status, "open")

    def test_a_call_that_cannot_be_written_down_does_not_happen(self):
        self.make_tool("make_partner", "model.create({'name': 'Made by MCP'})")
        maker = self.make_user("mcp_maker", USER, "base.group_partner_manager")
        secret = self.make_key(maker)
        self.env.flush_all()
        with mute_logger(SQL_LOG):
            self.env.cr.execute(
                """
                CREATE FUNCTION mcp_test_refuse() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
                CREATE TRIGGER mcp_test_refuse BEFORE INSERT ON mcp_audit_log
                FOR EACH ROW EXECUTE FUNCTION mcp_test_refuse()
                """
            )
        with mute_logger(SQL_LOG), self.assertLogs(PROTOCOL_LOG, "ERROR") as logs:
            response = self.call("make_partner", _secret=secret)
        self.assert_error(response, 500, -32603)
        self.assertNotIn("disk", response.text)
        self.assertIsInstance(logs.records[0].exc_info[1], DatabaseError)
        made = self.env["res.partner"].search([("name", "=", "Made by MCP")])
        self.assertFalse(made)
        self.env.cr.execute("DROP TRIGGER mcp_test_refuse ON mcp_audit_log")
        response = self.call("make_partner", _secret=secret)
        self.assertNotIn("isError", response.json()["result"])
        self.assertTrue(made.search([("name", "=", "Made by MCP")]))

    def test_an_audit_file_that_cannot_be_written_stops_nothing(self):
        self.set_parameter("audit_file", "/proc/no/such/audit.log")
        with self.assertLogs("odoo.addons.odoo_dev_mcp.models.audit_file", "WARNING"):
            response = self.call("list_modules", limit=1)
        self.assertNotIn("isError", response.json()["result"])
        self.assertEqual(self.newest().status, "success")
