"""The audit log proves itself: what was changed, removed or added later is named."""

import base64
import io
import json

from psycopg2.errors import InsufficientPrivilege

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import mcp_audit_seal
from ..models.audit_functions import OF_ENTRY
from .audit_rows import as_owner
from .common import ADMINISTRATOR, SETTINGS, USER, McpCase, McpHttpCase

SQL_LOG = "odoo.sql_db"


class SealCase(McpCase):
    """Three seals, of two calls each, that are all there is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls.make_user("mcp_boss", ADMINISTRATOR)
        cls.seals = cls.env["mcp.audit.seal"]
        with as_owner(cls.env):
            cls.env.cr.execute("DELETE FROM mcp_audit_log; DELETE FROM mcp_audit_seal")

    def setUp(self):
        super().setUp()
        self.made = []
        for _seal in range(3):
            self.made += [self.make_entry(), self.make_entry()]
            self.assertEqual(self.seals._seal(), 2)

    def make_entry(self):
        self.call("list_modules", limit=1)
        return self.entries()[0].id

    def tamper(self, statement, *params):
        with as_owner(self.env):
            self.env.cr.execute(statement, params)
            self.assertTrue(self.env.cr.rowcount)

    def verify(self, exported=None):
        return self.seals._verify(exported)

    def findings(self, exported=None):
        return self.verify(exported).findings


@tagged("post_install", "-at_install")
class TestAuditSeal(SealCase):
    def test_what_nobody_touched_is_whole(self):
        found = self.verify()
        self.assertEqual(found.findings, [])
        self.assertEqual((found.seals, found.entries, found.pending), (3, 6, 0))
        self.make_entry()
        self.assertEqual((self.findings(), self.verify().pending), ([], 1))

    def test_nothing_new_makes_no_seal(self):
        self.assertEqual(self.seals._seal(), 0)
        self.assertEqual(self.seals.search_count([]), 3)

    def test_more_than_a_batch_is_sealed_whole(self):
        made = [self.make_entry() for _entry in range(5)]
        self.patch(mcp_audit_seal, "BATCH", 2)
        self.assertEqual(self.seals._seal(), 5)
        seals = self.seals.search([], limit=3)
        self.assertEqual(seals.mapped("entry_count"), [1, 2, 2])
        self.assertEqual(seals[0].last_entry, made[-1])
        self.assertEqual(self.findings(), [])

    def test_a_changed_entry_is_named_whatever_was_changed_in_it(self):
        entry = self.made[2]
        other = self.make_user("mcp_other", USER).id
        for column, value in (
            ("create_date", "2020-01-01"),
            ("user_id", other),
            ("user_id", None),
            ("user_res_id", other),
            ("user_login", "somebody"),
            ("key_id", None),
            ("key_res_id", 10**6),
            ("key_name", "another"),
            ("tool", "read_file"),
            ("arguments", "{}"),
            ("status", "error"),
            ("status", "open"),
            ("error_class", "X"),
            ("message", "no"),
            ("row_count", 7),
            ("exit_code", "1"),
            ("duration_ms", 10**6),
            ("client", "x"),
            ("address", "10.0.0.1"),
            ("revision", "x"),
            ("request_id", "x"),
            ("cancel_requested", True),
            ("process", "x"),
            ("digest", "0" * 64),
        ):
            with self.subTest(column=column, value=value):
                self.env.cr.execute("SAVEPOINT before")
                self.tamper(
                    f"UPDATE mcp_audit_log SET {column} = %s WHERE id = %s",
                    *(value, entry),
                )
                self.assertEqual(
                    self.findings(), [f"Entry {entry} (seal 2) was changed."]
                )
                self.env.cr.execute("ROLLBACK TO SAVEPOINT before")

    def test_a_changed_entry_with_a_digest_to_match_is_named(self):
        entry = self.made[2]
        self.tamper("UPDATE mcp_audit_log SET tool = 'x' WHERE id = %s", entry)
        self.tamper(
            f"UPDATE mcp_audit_log a SET digest = {OF_ENTRY} WHERE id = %s",
            entry,
        )
        self.assertEqual(self.findings(), [f"Entry {entry} (seal 2) was changed."])

    def test_a_removed_entry_is_named(self):
        for place in (0, 3, 5):
            with self.subTest(place=place):
                self.env.cr.execute("SAVEPOINT before")
                entry = self.made[place]
                self.tamper("DELETE FROM mcp_audit_log WHERE id = %s", entry)
                seal = place // 2 + 1
                self.assertEqual(
                    self.findings(), [f"Entry {entry} (seal {seal}) was removed."]
                )
                self.env.cr.execute("ROLLBACK TO SAVEPOINT before")

    def test_an_inserted_entry_is_named_before_and_after_it_is_sealed(self):
        copied = (
            "INSERT INTO mcp_audit_log (create_date, user_id, user_res_id, user_login,"
            " tool, status, duration_ms, digest) SELECT create_date, user_id,"
            " user_res_id, user_login, 'execute_command', status, duration_ms, {} "
            "FROM mcp_audit_log WHERE id = %s RETURNING id"
        )
        for digest, said in (
            ("NULL", "was not written by the server"),
            ("digest", "was changed"),
        ):
            with self.subTest(digest=digest):
                self.env.cr.execute("SAVEPOINT before")
                self.env.cr.execute(copied.format(digest), [self.made[0]])
                [(entry,)] = self.env.cr.fetchall()
                self.assertEqual(self.findings(), [f"Entry {entry} {said}."])
                self.seals._seal()
                self.assertEqual(self.findings(), [f"Entry {entry} (seal 4) {said}."])
                self.env.cr.execute("ROLLBACK TO SAVEPOINT before")

    def test_an_entry_put_where_all_is_settled_is_named(self):
        entry = self.made[3]
        self.tamper("DELETE FROM mcp_audit_log WHERE id = %s", entry)
        # its seal is made anew as if there had never been one
        self.tamper(
            "UPDATE mcp_audit_seal SET settled = %s WHERE id = 3", self.made[-1] + 10
        )
        self.env.cr.execute(
            "INSERT INTO mcp_audit_log (id, create_date, tool, status) "
            "VALUES (%s, now(), 'forged', 'success')",
            [self.made[-1] + 5],
        )
        self.tamper(
            f"UPDATE mcp_audit_log a SET digest = {OF_ENTRY} WHERE id = %s",
            self.made[-1] + 5,
        )
        self.assertEqual(
            self.findings(),
            [
                "Seal 3 was changed.",
                f"Entry {entry} (seal 2) was removed.",
                f"Entry {self.made[-1] + 5} was not written by the server.",
            ],
        )

    def test_a_removed_or_changed_seal_is_named(self):
        for statement, said in (
            ("DELETE FROM mcp_audit_seal WHERE id = 1", "Seal 1 was removed."),
            ("DELETE FROM mcp_audit_seal WHERE id = 2", "Seal 2 was removed."),
            (
                "DELETE FROM mcp_audit_seal WHERE id IN (1, 2)",
                "Seals 1 to 2 were removed.",
            ),
            (
                "UPDATE mcp_audit_seal SET create_date = '2020-01-01' WHERE id = 2",
                "Seal 2 was changed.",
            ),
            (
                "UPDATE mcp_audit_seal SET first_seal = 2 WHERE id = 3",
                "Seal 3 was changed.",
            ),
        ):
            with self.subTest(statement=statement):
                self.env.cr.execute("SAVEPOINT before")
                self.tamper(statement)
                self.assertIn(said, self.findings())
                self.env.cr.execute("ROLLBACK TO SAVEPOINT before")

    def test_a_seal_made_anew_does_not_fit_the_next(self):
        self.tamper("UPDATE mcp_audit_seal SET entries = '' WHERE id = 2")
        self.tamper(
            "UPDATE mcp_audit_seal s SET hash = mcp_audit_seal_hash(s) WHERE id = 2"
        )
        self.assertIn(
            "Seal 3 does not follow from seal 2: that was changed.", self.findings()
        )

    def test_a_chain_made_anew_is_not_the_one_that_was_exported(self):
        exported = {seal.id: seal.hash for seal in self.seals.search([])}
        self.assertEqual(self.findings(exported), [])
        self.tamper("DELETE FROM mcp_audit_log WHERE id = %s", self.made[0])
        self.tamper("DELETE FROM mcp_audit_seal")
        self.assertEqual(self.seals._seal(), 5)
        self.assertEqual(self.findings(), [])
        self.assertEqual(
            self.findings(exported),
            ["Seal 1 is not the one that was exported.", "Seals 2 to 3 were removed."],
        )

    def test_a_call_that_runs_is_sealed_when_it_has_ended(self):
        running = self.make_entry()
        self.tamper(
            "UPDATE mcp_audit_log SET status = 'open', digest = NULL WHERE id = %s",
            running,
        )
        for _turn in range(3):
            # in a test no transaction ever ends: what is settled is said here
            self.make_entry()
            self.seals._seal()
            self.tamper(
                "UPDATE mcp_audit_seal SET settled = seen, running = %s WHERE id = "
                "(SELECT max(id) FROM mcp_audit_seal)",
                str(running),
            )
            self.tamper(
                "UPDATE mcp_audit_seal s SET hash = mcp_audit_seal_hash(s) WHERE id = "
                "(SELECT max(id) FROM mcp_audit_seal)"
            )
            self.assertEqual(self.findings(), [])
        self.env["mcp.audit.log"]._close(running, "success", duration_ms=1)
        self.assertEqual(self.seals._seal(), 1)
        self.assertIn(str(running), self.seals.search([], limit=1).entries)
        self.assertEqual((self.findings(), self.verify().pending), ([], 0))

    def test_whoever_leaves_takes_nothing_away(self):
        leaver = self.make_user("mcp_leaver", USER)
        self.make_tool("for_everybody", "action = 1")
        self.call("for_everybody", _secret=self.make_key(leaver))
        self.seals._seal()
        entry = self.entries()[0]
        leaver.unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(entry.user_id)
        self.assertEqual(self.findings(), [])

    def age(self, seal, days):
        self.tamper(
            "UPDATE mcp_audit_seal SET newest = newest - %s * interval '1 day' "
            "WHERE id = %s",
            *(days, seal),
        )

    def test_retention_keeps_the_rest_verifiable_and_says_where_it_begins(self):
        self.set_parameter("audit_retention", 10)
        exported = {seal.id: seal.hash for seal in self.seals.search([])}
        self.age(1, 11)
        self.seals._gc_audit()
        self.env.invalidate_all()
        kept = self.entries().ids
        self.assertEqual(sorted(kept), self.made[2:])
        found = self.verify()
        self.assertEqual((found.findings, found.first_seal), ([], 2))
        self.assertEqual(self.findings(exported), [])
        # and whoever removes more is found out
        self.tamper("DELETE FROM mcp_audit_seal WHERE id = 2")
        self.assertIn("Seal 2 was removed.", self.findings())

    def test_retention_of_all_leaves_a_chain_that_goes_on(self):
        self.set_parameter("audit_retention", 10)
        for seal in (1, 2, 3):
            self.age(seal, 11)
        self.seals._gc_audit()
        self.env.invalidate_all()
        self.assertFalse(self.entries())
        self.make_entry()
        self.seals._seal()
        found = self.verify()
        self.assertEqual((found.findings, found.first_seal), ([], 4))
        before = self.seals.search_count([])
        self.seals._gc_audit()
        self.assertEqual(self.seals.search_count([]), before)

    def test_retention_0_keeps_all(self):
        self.set_parameter("audit_retention", 0)
        self.age(1, 5000)
        self.seals._gc_audit()
        self.assertEqual(self.seals.search_count([]), 3)

    def test_an_old_seal_after_a_younger_one_waits_for_it(self):
        self.set_parameter("audit_retention", 10)
        self.age(2, 11)
        self.seals._gc_audit()
        self.assertEqual(self.seals.search_count([]), 3)


@tagged("post_install", "-at_install")
class TestAuditIsKept(SealCase):
    def test_postgresql_refuses_to_change_what_is_closed(self):
        entry = self.made[0]
        for statement in (
            f"UPDATE mcp_audit_log SET tool = 'x' WHERE id = {entry}",
            f"UPDATE mcp_audit_log SET status = 'open' WHERE id = {entry}",
            f"UPDATE mcp_audit_log SET user_id = 1 WHERE id = {entry}",
            f"DELETE FROM mcp_audit_log WHERE id = {entry}",
            "TRUNCATE mcp_audit_log CASCADE",
            "UPDATE mcp_audit_seal SET hash = 'x' WHERE id = 1",
            "DELETE FROM mcp_audit_seal WHERE id = 1",
            "TRUNCATE mcp_audit_seal",
        ):
            with self.subTest(statement=statement), mute_logger(SQL_LOG):
                self.env.cr.execute("SAVEPOINT before")
                with self.assertRaises(InsufficientPrivilege):
                    self.env.cr.execute(statement)
                self.env.cr.execute("ROLLBACK TO SAVEPOINT before")
        self.assertEqual(self.findings(), [])

    def test_nobody_makes_or_changes_a_seal_through_the_orm(self):
        seal = self.seals.search([], limit=1)
        for user in (self.boss, self.make_user("mcp_settings", SETTINGS)):
            for records in (seal.with_user(user), seal.with_user(user).sudo()):
                with self.assertRaises(AccessError):
                    records.create({"hash": "x"})
                with self.assertRaises(AccessError):
                    records.write({"hash": "x"})
                with self.assertRaises(AccessError):
                    records.unlink()

    def test_administrators_alone_see_and_verify_seals(self):
        for user in (self.developer, self.make_user("mcp_plain", USER)):
            with self.assertRaises(AccessError):
                self.seals.with_user(user).search([])
            with self.assertRaises(AccessError):
                self.env["mcp.audit.log.verify"].with_user(user).create({})

    def wizard(self, **values):
        wizard = self.env["mcp.audit.log.verify"].with_user(self.boss).create(values)
        self.assertEqual(wizard.action_verify()["res_id"], wizard.id)
        return wizard

    def test_the_button_seals_and_tells(self):
        self.make_entry()
        wizard = self.wizard()
        self.assertEqual((wizard.state, wizard.findings), ("whole", ""))
        self.assertEqual(
            (wizard.seal_count, wizard.entry_count, wizard.pending_count), (4, 7, 0)
        )
        self.tamper("DELETE FROM mcp_audit_log WHERE id = %s", self.made[0])
        wizard = self.wizard()
        self.assertEqual(wizard.state, "broken")
        self.assertEqual(wizard.findings, f"Entry {self.made[0]} (seal 1) was removed.")

    def test_exported_seals_are_compared_and_other_files_refused(self):
        export = self.env["mcp.audit.log.export"].with_user(self.boss)
        export = export.create({"file_format": "seals"})
        self.assertEqual(export.entry_count, 3)
        file = io.BytesIO()
        self.assertEqual(export._write_to(file), 3)
        lines = [json.loads(line) for line in file.getvalue().splitlines()]
        self.assertEqual([line["id"] for line in lines], [1, 2, 3])
        self.assertEqual(lines[1]["previous_hash"], lines[0]["hash"])
        exported = base64.b64encode(file.getvalue())
        self.assertEqual(self.wizard(exported=exported).state, "whole")
        lines[2]["hash"] = "0" * 64
        other = "\n".join(map(json.dumps, lines)).encode()
        wizard = self.wizard(exported=base64.b64encode(other))
        self.assertEqual(wizard.findings, "Seal 3 is not the one that was exported.")
        for wrong in (b"no JSON", b"[1]", b'{"id": "x", "hash": ""}', b"\xff", b"1"):
            with self.subTest(wrong=wrong), self.assertRaises(UserError):
                self.wizard(exported=base64.b64encode(wrong))

    def test_a_user_exports_no_seals(self):
        export = self.env["mcp.audit.log.export"].with_user(self.developer)
        export = export.create({})
        export.file_format = "seals"
        with self.assertRaises(AccessError):
            export._write_to(io.BytesIO())

    def test_no_call_changes_the_audit_by_sql(self):
        for statement in (
            "DELETE FROM mcp_audit_log",
            "UPDATE mcp_audit_log SET tool = 'x'",
            "TRUNCATE mcp_audit_log CASCADE",
            "ALTER TABLE mcp_audit_log DISABLE TRIGGER USER",
            "ALTER TABLE mcp_audit_log DISABLE TRIGGER USER; DELETE FROM mcp_audit_log",
            "SELECT set_config('mcp.retention', 'on', true); DELETE FROM mcp_audit_log",
            "INSERT INTO mcp_audit_log (tool, status) VALUES ('forged', 'success')",
            "DROP TRIGGER mcp_audit_log_kept ON mcp_audit_log",
            "DROP TABLE mcp_audit_seal",
            "CREATE OR REPLACE FUNCTION mcp_audit_refuse() RETURNS trigger LANGUAGE "
            "plpgsql AS $$ BEGIN RETURN NULL; END $$",
            "SELECT mcp_audit_retire(0)",
            "SELECT mcp_audit_log_close(false, (SELECT max(id) FROM mcp_audit_log),"
            " 'success', '', '', 1, 1, '', '0.1', 1)",
            "CREATE TRIGGER lost BEFORE INSERT ON mcp_audit_log FOR EACH ROW EXECUTE "
            "FUNCTION mcp_audit_refuse()",
        ):
            with self.subTest(statement=statement), mute_logger(SQL_LOG):
                outcome = self.call("execute_sql", statement=statement)
                self.assertTrue(outcome.is_error, outcome.text)
                self.assertEqual(self.findings(), [])


@tagged("post_install", "-at_install")
class TestSealTour(McpHttpCase):
    def test_an_administrator_verifies_seals(self):
        self.make_user("mcp_boss", ADMINISTRATOR)
        with as_owner(self.env):
            self.env.cr.execute("DELETE FROM mcp_audit_log; DELETE FROM mcp_audit_seal")
        for _call in range(2):
            self.call("list_modules", limit=1)
        self.env["mcp.audit.seal"]._seal()
        self.start_tour("/odoo", "odoo_dev_mcp_seals", login="mcp_boss")
        with as_owner(self.env):
            self.env.cr.execute("UPDATE mcp_audit_log SET tool = 'read_file'")
        self.start_tour("/odoo", "odoo_dev_mcp_seals_broken", login="mcp_boss")
