"""The database for tests: whose it is, and that nobody else's is removed."""

import os
import tempfile
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import psycopg2

from odoo import sql_db
from odoo.tests import TransactionCase, tagged
from odoo.tools import config

from ..models.exceptions import ToolError
from ..models.tests_database import TestsDatabase, connected, prefix
from ..models.tests_database_copy import copy_files


@tagged("post_install", "-at_install")
class TestTestsDatabase(TransactionCase):
    def setUp(self):
        super().setUp()
        _name, info = sql_db.connection_info_for(self.env.cr.dbname)
        connection = psycopg2.connect(**info)
        connection.autocommit = True
        self.cr = self.enterContext(closing(connection.cursor()))
        self.addCleanup(connection.close)
        self.database = TestsDatabase(self.env.cr.dbname, connection)

    def there(self, name):
        self.cr.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return bool(self.cr.rowcount)

    def test_a_role_without_the_right_is_told_the_remedy(self):
        self.cr.execute(
            "SELECT FROM pg_roles WHERE rolname = current_user "
            "AND (rolsuper OR rolcreaterole)"
        )
        if not self.cr.rowcount:
            self.skipTest("Odoo's role makes no roles")
        role = f"mcp_test_role_{os.getpid()}"
        self.cr.execute(f"CREATE ROLE {role} NOLOGIN")
        self.addCleanup(self.cr.execute, f"DROP ROLE {role}")
        self.cr.execute(f"GRANT {role} TO CURRENT_USER")
        self.cr.execute(f"SET ROLE {role}")
        self.addCleanup(self.cr.execute, "RESET ROLE")
        with self.assertRaisesRegex(ToolError, f'ALTER ROLE "{role}" CREATEDB'):
            self.database.begin()

    def test_what_is_under_way_is_not_swept_and_what_is_left_is(self):
        self.database.begin()
        self.addCleanup(self.database.drop)
        self.database._create()
        with connected(self.env.cr.dbname):
            self.assertTrue(self.there(self.database.name))
        number = int(self.database.name.removeprefix(prefix(self.env.cr.dbname)))
        self.assertFalse(self.database._is_left(number + 2**31))
        self.cr.execute("SELECT pg_advisory_unlock_all()")
        with connected(self.env.cr.dbname):
            self.assertFalse(self.there(self.database.name))

    def test_it_is_a_template_which_no_server_finds_among_its_databases(self):
        self.database.begin()
        self.addCleanup(self.database.drop)
        self.database._create()
        query = "SELECT datistemplate FROM pg_database WHERE datname = %s"
        self.cr.execute(query, [self.database.name])
        self.assertEqual(self.cr.fetchall(), [(True,)])
        self.database.drop()
        self.assertFalse(self.there(self.database.name))

    def test_a_database_of_another_name_is_never_swept(self):
        other = f"{prefix(self.env.cr.dbname)}mine_{os.getpid()}"
        self.cr.execute(f'CREATE DATABASE "{other}"')
        self.addCleanup(self.cr.execute, f'DROP DATABASE "{other}"')
        with connected(self.env.cr.dbname):
            self.assertTrue(self.there(other))

    def test_each_process_and_call_has_a_name_of_its_own(self):
        self.database.begin()
        with connected(self.env.cr.dbname) as other:
            other.begin()
            self.assertNotEqual(other.name, self.database.name)

    def test_the_copy_of_a_linked_filestore_has_files_of_its_own(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        real, link, copy = folder / "real", folder / "link", folder / "copy"
        (real / "ab").mkdir(parents=True)
        (real / "ab/abcd").write_text("live")
        link.symlink_to(real)
        with patch.object(type(config), "filestore", lambda _config, _name: str(link)):
            copy_files("any", copy, 60, None)
        self.assertFalse(copy.is_symlink())
        (copy / "ab/abcd").unlink()
        self.assertEqual((real / "ab/abcd").read_text(), "live")
