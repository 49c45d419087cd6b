"""read_logs: what went wrong, once each, and what is new since the last call."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import config

import odoo.addons

from ..models import log_groups, mcp_toolset_service_logs
from ..models.guardrails import Guardrails
from .common import McpCase

ADDONS = odoo.addons.__path__[0]


def failure(time, number, *, place="sale/models/sale.py", error="ValueError", pid=7):
    """An error as Odoo logs it: in an addon, and below it in Odoo."""
    return (
        f"2026-11-26 {time},001 {pid} ERROR shop odoo.http: Exception during request "
        f"handling. \n"
        "Traceback (most recent call last):\n"
        '  File "/opt/odoo/odoo/http.py", line 2554, in __call__\n'
        "    response = request._serve_db()\n"
        f'  File "{ADDONS}/{place}", line 12, in total\n'
        "    return 1 / self.number\n"
        '  File "/usr/lib/python3/thing.py", line 3, in inner\n'
        "    raise error\n"
        f"{error}: number {number}\n"
    )


def line(time, text, *, level="INFO", logger="odoo.addons.sale", database="shop"):
    """A record of one line."""
    return f"2026-11-26 {time},001 7 {level} {database} {logger}: {text} \n"


def access(time, path="/web/dataset/call_kw", pid=7, status=200):
    """An access line of Odoo's HTTP server."""
    return (
        f"2026-11-26 {time},500 {pid} INFO shop werkzeug: 127.0.0.1 - - "
        f'[26/Nov/2026 {time}] "POST {path} HTTP/1.1" {status} - 5 0.003 0.010\n'
    )


@tagged("post_install", "-at_install")
class TestReadLogs(McpCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name).resolve() / "odoo.log"
        logfile = patch.dict(config.options, {"logfile": str(self.path)})
        logfile.start()
        self.addCleanup(logfile.stop)

    def logged(self, *lines):
        with self.path.open("a") as file:
            file.write("".join(lines))

    def logs(self, **arguments):
        return self.ok("read_logs", **arguments)

    def test_the_same_error_is_told_once_with_how_often_and_when(self):
        self.logged(
            failure("10:00:00", 1),
            line("10:01:00", "fine"),
            failure("10:02:00", 2),
            failure("10:03:00", 3, place="stock/models/stock.py"),
            failure("10:04:00", 4),
            failure("10:05:00", 5, error="odoo.exceptions.UserError"),
        )
        found = self.logs()
        self.assertEqual(found["total"], 3)
        self.assertEqual(
            [(row["error"], row.get("count", 1)) for row in found["records"]],
            [
                ("odoo.exceptions.UserError: number 5", 1),
                ("ValueError: number 4", 3),
                ("ValueError: number 3", 1),
            ],
        )
        thrice = found["records"][1]
        self.assertEqual(thrice["first"], "2026-11-26T10:00:00Z")
        self.assertEqual(thrice["last"], "2026-11-26T10:04:00Z")
        self.assertEqual(thrice["place"], "sale/models/sale.py:12 in total")
        self.assertTrue(thrice["traceback"].endswith("ValueError: number 4"))
        self.assertIn("http.py", thrice["traceback"])
        self.assertNotIn("fine", str(found))

    def test_errors_without_a_traceback_are_the_same_but_for_numbers(self):
        self.logged(
            *(line(f"10:00:0{n}", f"Job {n} of 'x{n}' failed", level="ERROR")
              for n in range(3)),
            line("10:01:00", "Job failed", level="ERROR"),
        )  # fmt: skip
        rows = self.logs()["records"]
        self.assertEqual([row.get("count", 1) for row in rows], [1, 3])
        self.assertEqual(rows[1]["message"], "Job 2 of 'x2' failed")

    def test_the_request_of_an_error_is_the_one_that_ended_then(self):
        self.logged(
            failure("10:00:00", 1, pid=8),
            access("10:00:00", "/other", pid=9),
            access("10:00:01", "/shop/cart", pid=8, status=500),
            failure("10:05:00", 1, place="x/a.py", pid=8),
            access("10:05:09", pid=8),
        )
        late, first = self.logs()["records"]
        self.assertEqual(first["request"], "POST /shop/cart 500")
        self.assertNotIn("request", late)

    def test_filters(self):
        self.logged(
            failure("10:00:00", 1),
            line("10:01:00", "slow", level="WARNING", logger="odoo.addons.sale.models"),
            line("10:02:00", "slow", level="WARNING", logger="odoo.addons.sales"),
            line("10:03:00", "BAD", level="CRITICAL", database="other"),
        )
        for arguments, count in (
            ({}, 2),
            ({"level": "warning"}, 4),
            ({"level": "critical"}, 1),
            ({"level": "warning", "logger": "odoo.addons.sale"}, 2),
            ({"database": "shop"}, 1),
            ({"text": "bad"}, 1),
            ({"text": "DURING request"}, 1),
            ({"text": "self.number"}, 1),
            ({"since": "2026-11-26T10:01:30Z"}, 1),
            ({"since": "2026-11-26T11:01:30+01:00", "level": "warning"}, 2),
            ({"since": "2026-11-26 10:03:01"}, 0),
        ):
            with self.subTest(arguments):
                found = self.logs(**arguments)
                self.assertEqual((found["total"], len(found["records"])), (count,) * 2)

    def test_an_unknown_logger_or_database_is_told_with_the_nearest(self):
        self.logged(failure("10:00:00", 1))
        self.assertIn("odoo.http", self.logs(logger="odoo.htpp")["note"])
        self.assertIn("shop", self.logs(database="shpo")["note"])
        for since in ("yesterday", "@1", "@x.y"):
            text = self.refused("read_logs", since=since)
            self.assertIn("'since'", text)

    def test_what_has_been_read_is_not_told_again(self):
        self.logged(failure("10:00:00", 1))
        first = self.logs()
        self.assertEqual(first["total"], 1)
        nothing = self.logs(since=first["next"])
        self.assertEqual((nothing["records"], nothing["total"]), ([], 0))
        self.assertEqual(nothing["next"], first["next"])
        self.logged(failure("10:01:00", 2))
        self.assertEqual(
            [row["error"] for row in self.logs(since=first["next"])["records"]],
            ["ValueError: number 2"],
        )

    def test_a_line_that_is_being_written_is_told_when_it_is_whole(self):
        self.logged("2026-11-26 10:00:00,001 7 ERROR shop odoo.http: ha")
        first = self.logs()
        self.assertEqual(first["total"], 0)
        self.logged("lf \n")
        [row] = self.logs(since=first["next"])["records"]
        self.assertEqual(row["message"], "half")

    def test_a_log_that_was_rotated_is_read_on_in_both_files(self):
        self.logged(failure("10:00:00", 1))
        first = self.logs()
        self.logged(failure("10:01:00", 2, place="a/x.py"))
        self.path.rename(f"{self.path}.1")
        self.logged(failure("10:02:00", 3, place="b/x.py"))
        found = self.logs(since=first["next"])
        self.assertEqual(
            [row["error"] for row in found["records"]],
            ["ValueError: number 3", "ValueError: number 2"],
        )
        self.assertNotIn("note", found)
        self.assertNotEqual(found["next"], first["next"])

    def test_a_log_that_was_rotated_twice_names_the_file_in_between(self):
        self.logged(failure("10:00:00", 1))
        first = self.logs()
        self.path.rename(f"{self.path}.2")
        os.utime(f"{self.path}.2", (1, 1))
        self.logged(failure("10:01:00", 2))
        self.path.rename(f"{self.path}.1")
        Path(f"{self.path}.3.gz").write_bytes(b"older")
        os.utime(f"{self.path}.3.gz", (0, 0))
        self.logged(failure("10:02:00", 3))
        note = self.logs(since=first["next"])["note"]
        self.assertIn(f"stands in {self.path}.1.", note)

    def test_a_log_whose_past_is_gone_is_told_whole(self):
        self.logged(failure("10:00:00", 1), failure("10:00:01", 1))
        first = self.logs()
        self.path.write_text(failure("10:02:00", 3))
        found = self.logs(since=first["next"])
        self.assertEqual((found["total"], "was cut" in found["note"]), (1, True))
        self.path.rename(f"{self.path}.2")
        self.logged(failure("10:03:00", 4))
        os.unlink(f"{self.path}.2")
        found = self.logs(since=first["next"])
        self.assertEqual(found["total"], 1)

    def test_our_own_noise_is_left_out_until_it_is_asked_for(self):
        own = "odoo.addons.odoo_dev_mcp.models.registrar"
        self.logged(
            line("10:00:00", "query_database: success", logger=own),
            line("10:00:01", "odd", level="WARNING", logger=own),
            access("10:00:02", "/mcp/v1"),
            line("10:00:03", "failed, audit entry 5", level="ERROR", logger=own),
            access("10:00:04", "/web"),
        )
        rows = self.logs(level="info")["records"]
        self.assertEqual([row["time"][11:19] for row in rows], ["10:00:04", "10:00:03"])
        self.assertEqual(self.logs(level="info", logger=own)["total"], 3)

    def test_lines_below_a_warning_are_told_one_by_one_up_to_the_limit(self):
        self.logged(*(line(f"10:00:{n:02d}", "the same") for n in range(30)))
        found = self.logs(level="info", limit=5)
        self.assertEqual(len(found["records"]), 5)
        self.assertEqual(found["records"][0]["time"], "2026-11-26T10:00:29Z")
        self.assertIn("limit", found["note"])

    def test_kinds_beyond_the_limit_are_counted(self):
        self.logged(
            *(failure(f"10:00:{n:02d}", n, place=f"a/{n}.py") for n in range(30))
        )
        found = self.logs(limit=10)
        self.assertEqual((len(found["records"]), found["total"]), (10, 30))
        self.assertIn("20 older", found["note"])

    def test_the_answer_stays_short_however_long_the_log_is(self):
        long = failure("10:00:00", "x" * 100_000)
        self.logged(
            *(long.replace("10:00:00", f"10:00:{n:02d}").replace("/sale.py", f"/{n}.py")
              for n in range(40)),
        )  # fmt: skip
        outcome = self.call("read_logs", limit=40)
        self.assertLess(len(outcome.text), 2 * log_groups.LONGEST_TOTAL + 40 * 1500)

    def test_secrets_are_hidden(self):
        self.logged(
            line("10:00:00", "login with password=hunter2 failed", level="ERROR"),
            failure("10:00:01", "postgresql://odoo:hunter2@db/x"),
        )
        self.assertNotIn("hunter2", self.call("read_logs").text)

    def test_a_log_of_another_form_is_told_as_such(self):
        self.logged('{"level": "error", "message": "x"}\n' * 3)
        self.assertIn("service_status", self.logs()["note"])

    def test_colours_of_a_terminal_are_no_part_of_a_record(self):
        self.logged(
            "2026-11-26 10:00:00,001 7 \x1b[1;31m\x1b[1;49mERROR\x1b[0m shop "
            "odoo.http: no \n"
        )
        self.assertEqual(self.logs()["records"][0]["message"], "no")

    def test_where_logs_are_forbidden_none_is_read(self):
        self.logged(failure("10:00:00", 1))
        rails = Guardrails(disabled_tools=frozenset({"service_status"}))
        with patch.object(mcp_toolset_service_logs, "guardrails", return_value=rails):
            self.assertIn("forbids service_status", self.refused("read_logs"))

    def test_a_log_that_cannot_be_read_is_told(self):
        text = self.refused("read_logs")
        self.assertIn("No such file", text)
