"""What a job's record promises; its process is tested from outside."""

import threading

import psutil

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import command
from ..models.exceptions import Cancelled
from ..models.live_call import LiveCall
from .common import ADMINISTRATOR, DEVELOPER, McpCase


@tagged("post_install", "-at_install")
class TestJob(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.make_user("mcp_other", DEVELOPER)
        cls.administrator = cls.make_user("mcp_administrator", ADMINISTRATOR)
        cls.job = cls.make_job(cls.developer, "done")

    @classmethod
    def make_job(cls, user, state):
        cls.env.cr.execute(
            "INSERT INTO mcp_job (create_date, user_id, task, tool, state) VALUES "
            "(now() AT TIME ZONE 'UTC', %s, 'task', 'execute_command', %s) "
            "RETURNING id",
            [user.id, state],
        )
        return cls.env["mcp.job"].browse(cls.env.cr.fetchone()[0])

    def print_lines(self, *pieces):
        position = 0
        for text in pieces:
            self.env.cr.execute(
                "INSERT INTO mcp_job_output (job_id, position, size, text) "
                "VALUES (%s, %s, %s, %s)",
                [self.job.id, position, len(text), text],
            )
            position += len(text)

    def test_a_user_sees_their_own_jobs_alone(self):
        jobs = self.env["mcp.job"]
        self.assertIn(self.job, jobs.with_user(self.developer).search([]))
        self.assertNotIn(self.job, jobs.with_user(self.other).search([]))
        self.assertIn(self.job, jobs.with_user(self.administrator).search([]))

    def test_what_a_job_prints_is_as_private_as_the_job(self):
        self.print_lines("secret")
        output = self.env["mcp.job.output"]
        self.assertTrue(output.with_user(self.developer).search([]))
        mine = [("job_id", "=", self.job.id)]
        self.assertFalse(output.with_user(self.other).search(mine))

    def test_a_job_of_somebody_else_cannot_be_cancelled(self):
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models"):
            self.job.with_user(self.other).action_cancel()
        self.job.with_user(self.administrator).action_cancel()

    def test_nobody_writes_a_job_through_the_orm(self):
        for records in (self.job.sudo(), self.env["mcp.job.output"].sudo()):
            for method, arguments in (
                ("create", [{}]),
                ("write", [{"job_id": 1}]),
                ("unlink", []),
            ):
                with self.subTest(method=method), self.assertRaises(AccessError):
                    getattr(records, method)(*arguments)

    def test_output_is_read_from_a_position_or_from_the_end(self):
        self.print_lines("one\n", "twö\n", "three\n")
        for position, most, found in (
            (0, 100, (0, "one\ntwö\nthree\n")),
            (0, 5, (0, "one\nt")),
            (2, 3, (2, "e\nt")),
            (4, 100, (4, "twö\nthree\n")),
            (14, 100, (14, "")),
            (99, 100, (99, "")),
            (-6, 100, (8, "three\n")),
            (-100, 100, (0, "one\ntwö\nthree\n")),
            (-8, 3, (6, "ö\nt")),
        ):
            with self.subTest(position=position, most=most):
                self.assertEqual(self.job._output(self.job.id, position, most), found)

    def test_output_whose_beginning_is_gone_tells_where_it_begins(self):
        self.print_lines("one\n", "two\n", "three\n")
        self.env.cr.execute(
            "DELETE FROM mcp_job_output WHERE job_id = %s AND position = 0",
            [self.job.id],
        )
        self.assertEqual(self.job._output(self.job.id, 0, 5), (4, "two\nt"))

    def test_a_job_without_a_process_is_told_as_lost(self):
        running = self.make_job(self.developer, "running")
        starting = self.make_job(self.developer, "pending")
        self.env["mcp.job"]._mark_lost()
        self.env.invalidate_all()
        # one that starts has a minute to do so
        self.assertEqual((running.state, starting.state), ("lost", "pending"))
        self.assertEqual(self.job.state, "done")

    def test_no_more_jobs_run_at_once_than_may(self):
        self.set_parameter("job_most", 1)
        self.make_job(self.developer, "pending")
        outcome = self.call("execute_command", command="true", background=True)
        self.assertTrue(outcome.is_error)
        self.assertIn("job(action='list')", outcome.text)
        self.env.invalidate_all()
        entry = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((entry.tool, entry.status), ("execute_command", "error"))

    def test_old_jobs_are_removed_and_those_under_way_stay(self):
        self.set_parameter("job_retention", 3)
        running = self.make_job(self.developer, "pending")
        self.env.cr.execute(
            "UPDATE mcp_job SET ended_at = now() - interval '4 days' WHERE id = %s",
            [self.job.id],
        )
        self.env["mcp.job"]._gc_jobs()
        self.assertFalse(self.job.exists())
        self.assertTrue(running.exists())

    def test_arguments_of_the_tool_are_checked(self):
        for arguments, word in (
            ({"action": "stop"}, "action"),
            ({"action": "read"}, "job_id"),
            ({"action": "read", "job_id": 0}, "job_id"),
            ({"action": "read", "job_id": 1, "offset": -1}, "offset"),
            ({"action": "wait", "job_id": 1, "timeout": 0}, "timeout"),
        ):
            with self.subTest(arguments=arguments):
                outcome = self.call("job", **arguments)
                self.assertTrue(outcome.is_error)
                self.assertIn(word, outcome.text)


@tagged("post_install", "-at_install")
class TestStopped(McpCase):
    def test_a_command_that_is_stopped_at_any_moment_leaves_nothing(self):
        for turn in range(20):
            mark = f"97531.{turn}{id(self)}"
            line = f"sleep {mark} & setsid sleep {mark} & sleep {mark}"
            call = LiveCall()
            stop = threading.Timer(turn * 0.015, call.cancel, [Cancelled("stop")])
            stop.start()
            with self.subTest(turn=turn), self.assertRaises(Cancelled):
                command.run(["/bin/sh", "-c", line], timeout=30, keep=99, call=call)
            left = [
                process
                for process in psutil.process_iter(["cmdline"])
                if mark in " ".join(process.info["cmdline"] or ())
            ]
            self.assertEqual(left, [])
