"""What a job's form and list tell, and to whom."""

import json

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..models.mcp_job import LOCK_CLASS
from .common import ADMINISTRATOR, DEVELOPER, SETTINGS, McpCase, McpHelpers

FORM = ("state", "output_tail", "answer", "percent", "duration")


class JobHelpers(McpHelpers):
    """Jobs as their processes write them down."""

    @classmethod
    def make_job(cls, user, state, **values):
        """A job; one that runs holds the lock of its process until the test ends."""
        cls.env.cr.execute(
            "INSERT INTO mcp_audit_log (create_date, user_id, tool, status) VALUES "
            "(now() AT TIME ZONE 'UTC', %s, 'execute_command', 'open') RETURNING id",
            [user.id],
        )
        values = {
            "user_id": user.id,
            "entry_id": cls.env.cr.fetchone()[0],
            "tool": "execute_command",
            "state": state,
            **values,
        }
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        cls.env.cr.execute(
            f"INSERT INTO mcp_job (create_date, {names}) "
            f"VALUES (now() AT TIME ZONE 'UTC', {marks}) RETURNING id",
            list(values.values()),
        )
        job = cls.env["mcp.job"].browse(cls.env.cr.fetchone()[0])
        lock = [LOCK_CLASS, job.id]
        cls.env.cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock)
        return job

    def print_line(self, job, text, position=0):
        self.env.cr.execute(
            "INSERT INTO mcp_job_output (job_id, position, size, text) "
            "VALUES (%s, %s, %s, %s)",
            [job.id, position, len(text), text],
        )


@tagged("post_install", "-at_install")
class TestJobViews(JobHelpers, McpCase):
    def shown(self, job, user=None):
        """What the form reads, as a user."""
        self.env.invalidate_all()
        specification = {name: {} for name in FORM}
        [row] = job.with_user(user or self.developer).web_read(specification)
        return row

    def test_the_form_tells_output_state_and_how_far_it_is(self):
        job = self.make_job(
            self.developer, "running", progress=512, progress_total=1000
        )
        self.print_line(job, "one\n")
        row = self.shown(job)
        self.assertEqual((row["state"], row["percent"]), ("running", 51))
        self.assertEqual(row["output_tail"], "one\n")
        self.print_line(job, "two\n", 4)
        self.assertEqual(self.shown(job)["output_tail"], "one\ntwo\n")

    def test_progress_is_never_less_than_nothing_or_more_than_all(self):
        for progress, total, percent in (
            (None, None, 0),
            (5, None, 0),
            (5, 0, 0),
            (-5, 10, 0),
            (50, 10, 100),
            (9.99, 10, 99),
        ):
            values = {"progress": progress, "progress_total": total}
            job = self.make_job(self.developer, "running", **values)
            with self.subTest(**values):
                self.assertEqual(self.shown(job)["percent"], percent)

    def test_duration_is_from_start_to_end_or_until_now(self):
        moments = {
            "started_at": "2026-01-01 10:00:00.7",
            "ended_at": "2026-01-01 11:01:05.2",
        }
        job = self.make_job(self.developer, "done", **moments)
        self.assertEqual(self.shown(job)["duration"], "1:01:05")
        job = self.make_job(self.developer, "running")
        self.assertRegex(self.shown(job)["duration"], r"^0:00:\d\d$")

    def test_the_result_is_shown_as_people_read_it(self):
        for result, shown in (
            ({"text": '{"a":1}', "structured": {"a": "ä"}}, '{\n  "a": "ä"\n}'),
            ({"text": "It failed.", "structured": None}, "It failed."),
        ):
            job = self.make_job(self.developer, "done", result=json.dumps(result))
            with self.subTest(result=result):
                self.assertEqual(self.shown(job)["answer"], shown)
        self.assertFalse(self.shown(self.make_job(self.developer, "lost"))["answer"])

    def test_what_is_read_again_and_again_is_the_reader_s_own(self):
        job = self.make_job(self.developer, "running")
        other = self.make_user("mcp_other", DEVELOPER)
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models"):
            self.shown(job, other)
        administrator = self.make_user("mcp_administrator", ADMINISTRATOR)
        self.assertEqual(self.shown(job, administrator)["state"], "running")

    def test_stopping_a_job_reaches_its_call(self):
        job = self.make_job(self.developer, "running")
        job.with_user(self.developer).action_cancel()
        self.env.invalidate_all()
        self.assertTrue(job.entry_id.cancel_requested)


@tagged("post_install", "-at_install")
class TestJobTour(JobHelpers, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR, SETTINGS)

    def make_event(self, name, *statements):
        """What a job's process would do: the tour has it done when it is time to."""
        code = "\n".join(f"env.cr.execute({statement!r})" for statement in statements)
        self.env["ir.actions.server"].create(
            {
                "name": name,
                "model_id": self.env["ir.model"]._get_id("ir.config_parameter"),
                "state": "code",
                "code": code,
            }
        )

    def test_output_comes_by_itself_while_a_job_runs_and_can_be_stopped(self):
        job = self.make_job(
            self.administrator,
            "running",
            arguments='{"command": "tour"}',
            progress=30,
            progress_total=100,
        )
        self.print_line(job, "first line\n")
        self.make_event(
            "mcp tour: prints",
            "INSERT INTO mcp_job_output (job_id, position, size, text) "
            f"VALUES ({job.id}, 11, 12, 'second line\n')",
        )
        self.make_event(
            "mcp tour: ends",
            "UPDATE mcp_job SET state = 'done', ended_at = now() AT TIME ZONE 'UTC', "
            f'result = \'{{"structured": {{"exit_code": 0}}}}\' WHERE id = {job.id}',
        )
        # lists of jobs are no read-only transactions: a lost one is written down
        with self.assertNoLogs("odoo.sql_db", "ERROR"):
            self.start_tour("/odoo", "odoo_dev_mcp_jobs", login="mcp_admin")
        self.env.invalidate_all()
        self.assertTrue(job.entry_id.cancel_requested)
