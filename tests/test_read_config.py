"""read_config: what is in force, from where, and no secret."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import config

from .. import compat
from .common import McpCase

SECRETS = (
    "admin_passwd",
    "db_password",
    "smtp_password",
    "proxy_access_token",
    "my_api_key",
    "x-api-key",
    "client_secret",
    "ssl_private_key",
    "sentry_dsn",
    "auth_cookie",
    "smtp_pass",
)
PLAIN = (
    "db_user",
    "dbfilter",
    "workers",
    "csv_internal_sep",
    "proxy_mode",
    "addons_path",
)


@tagged("post_install", "-at_install")
class TestReadConfig(McpCase):
    def test_all_options_with_their_sources(self):
        found = self.ok("read_config")
        self.assertEqual(set(found), {"config_path", "values", "sources", "file"})
        self.assertEqual(set(found["values"]), set(config.options))
        self.assertEqual(found["values"]["http_port"], config["http_port"])
        self.assertEqual(found["sources"]["http_port"], "file")
        self.assertEqual(found["sources"]["test_tags"], "command line")
        self.assertNotIn("csv_internal_sep", found["sources"])
        self.assertEqual(
            found["file"]["options"]["http_port"], str(config["http_port"])
        )

    def test_one_option(self):
        found = self.ok("read_config", key="http_port")
        self.assertEqual(set(found), {"config_path", "key", "value", "source"})
        self.assertEqual(found["value"], config["http_port"])
        self.assertEqual(found["source"], "file")
        found = self.ok("read_config", key="csv_internal_sep")
        self.assertEqual((found["value"], found["source"]), (",", "default"))

    def test_secrets_are_masked_by_meaning(self):
        values = dict.fromkeys(SECRETS, "hunter2") | dict.fromkeys(PLAIN, "plain")
        values["log_db"] = "postgresql://u:hunter2@host/db"
        values["db_sslkey"] = "-----BEGIN PRIVATE KEY-----\nhunter2\n"
        path = compat.config_file()
        with (
            patch.object(config, "options", values),
            patch.object(compat, "config_file", lambda: path),
        ):
            found = self.ok("read_config")
            for name in SECRETS:
                with self.subTest(name=name):
                    one = self.ok("read_config", key=name)
                    self.assertEqual(one["value"], "***MASKED***")
        self.assertNotIn("hunter2", str(found["values"]))
        for name in PLAIN:
            self.assertEqual(found["values"][name], "plain")
        self.assertIn("postgresql://u:***MASKED***@host/db", str(found["values"]))

    def test_secrets_of_the_file_are_masked(self):
        found = self.ok("read_config")["file"]["options"]
        self.assertEqual(found["admin_passwd"], "***MASKED***")

    def test_without_a_file_there_is_no_path(self):
        with patch.object(compat, "config_file", lambda: "/no/such/odoo.conf"):
            found = self.ok("read_config", key="workers")
        self.assertIsNone(found["config_path"])

    def test_an_unknown_option_is_told_with_the_nearest(self):
        text = self.refused("read_config", key="http_prot")
        self.assertIn("http_port", text)
