"""Settings > MCP Server: each has its default, is kept, and has an effect."""

import logging
from pathlib import Path

from odoo.exceptions import ValidationError
from odoo.tests import Form, HttpCase, tagged

from ..models.parameters import DEFAULTS, parameter
from .common import SETTINGS, McpCase, McpHelpers

VALUES = {
    "log_level": "warning",
    "listener_enabled": 0,
    "listener_host": "::1",
    "listener_port": 1234,
    "phone_home_url": "https://registry.example/hook",
    "phone_home_secret": "hush",
    "phone_home_seconds": 30,
    "command_timeout": 7,
    "command_maximum": 77,
    "command_output": 1234,
    "services": "odoo, other=other.service",
    "path_roots": "/srv, /opt",
    "read_megabytes": 3,
    "write_megabytes": 4,
    "query_timeout": 9,
    "query_rows": 11,
    "query_bytes": 2222,
    "audit_file_enabled": 0,
    "audit_file": "/tmp/other.log",
    "audit_retention": 0,
}


@tagged("post_install", "-at_install")
class TestSettings(McpCase):
    def settings(self, **values):
        names = {f"mcp_{name}": value for name, value in values.items()}
        settings = self.env["res.config.settings"].create(names)
        settings.execute()
        self.env.invalidate_all()
        return settings

    def test_defaults_are_those_of_the_readme(self):
        self.env["ir.config_parameter"].search(
            [("key", "=like", "odoo_dev_mcp.%")]
        ).unlink()
        for name, default in (
            ("listener_host", "127.0.0.1"),
            ("listener_port", 8768),
            ("phone_home_url", ""),
            ("phone_home_secret", ""),
            ("phone_home_seconds", 60),
            ("log_level", ""),
            ("command_timeout", 30),
            ("command_maximum", 600),
            ("read_megabytes", 10),
            ("write_megabytes", 50),
            ("query_timeout", 30),
            ("query_rows", 1000),
            ("audit_file_enabled", True),
            ("audit_file", "/var/log/odoo/mcp_audit.log"),
        ):
            with self.subTest(name=name):
                self.assertEqual(parameter(self.env, name), default)
                found = self.env["res.config.settings"].default_get([f"mcp_{name}"])
                self.assertEqual(found[f"mcp_{name}"] or "", default)

    def test_each_setting_is_kept(self):
        self.assertLessEqual(set(VALUES), set(DEFAULTS))
        self.settings(**VALUES)
        again = self.env["res.config.settings"].create({})
        for name, value in VALUES.items():
            with self.subTest(name=name):
                self.assertEqual(parameter(self.env, name), value)
                self.assertEqual(again[f"mcp_{name}"], value)

    def test_the_form_saves(self):
        with Form(self.env["res.config.settings"]) as form:
            form.mcp_query_rows = 5
        form.record.execute()
        self.assertEqual(parameter(self.env, "query_rows"), 5)

    def test_numbers_that_are_none_are_refused(self):
        for name in ("command_timeout", "read_megabytes", "query_rows", "query_bytes"):
            for value in (0, -1):
                with self.subTest(name=name), self.assertRaises(ValidationError):
                    self.settings(**{name: value})
        with self.assertRaises(ValidationError):
            self.settings(audit_retention=-1)

    def test_relative_paths_are_refused(self):
        for values in ({"path_roots": "srv"}, {"audit_file": "audit.log"}):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.settings(**values)

    def test_rows_bytes_and_time_of_queries(self):
        self.settings(query_rows=2, query_timeout=1)
        found = self.ok("query_database", query="SELECT generate_series(1, 9)")
        self.assertEqual(found["row_count"], 2)
        text = self.refused("query_database", query="SELECT pg_sleep(60)")
        self.assertIn("57014", text)
        self.settings(query_rows=1000, query_bytes=100)
        query = "SELECT repeat('x', 60) FROM generate_series(1, 9)"
        self.assertEqual(self.ok("query_database", query=query)["row_count"], 1)

    def test_the_audit_file_can_be_switched_off_and_moved(self):
        other = Path(f"{self.audit_path}.other")
        self.settings(audit_file=str(other))
        self.ok("list_modules", limit=1)
        self.assertEqual(other.read_text().count("\n"), 1)
        self.settings(audit_file_enabled=False)
        entries = len(self.entries())
        self.ok("list_modules", limit=1)
        self.assertEqual(other.read_text().count("\n"), 1)
        self.assertEqual(len(self.entries()), entries + 1)

    def test_the_log_level(self):
        own = logging.getLogger("odoo.addons.odoo_dev_mcp")
        self.addCleanup(own.setLevel, own.level)
        registrar = "odoo.addons.odoo_dev_mcp.models.registrar"
        self.settings(log_level="debug")
        self.ok("list_modules", limit=1)
        self.assertEqual(own.level, logging.DEBUG)
        with self.assertLogs(registrar, "DEBUG") as logs:
            self.ok("list_modules", limit=1)
        self.assertIn("list_modules: success in", logs.output[-1])
        self.settings(log_level="error")
        self.ok("list_modules", limit=1)
        self.assertFalse(logging.getLogger(registrar).isEnabledFor(logging.WARNING))
        self.settings(log_level=False)
        self.ok("list_modules", limit=1)
        self.assertEqual(own.level, logging.NOTSET)

    def test_the_listener_wants_an_address_and_a_port(self):
        for values in (
            {"listener_host": "localhost.example"},
            {"listener_host": ""},
            {"listener_port": 0},
            {"listener_port": 65536},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.settings(**values)

    def test_services(self):
        self.settings(services="odoo")
        self.assertIn("odoo", self.refused("service_status", service="nginx"))

    def test_folders(self):
        self.settings(path_roots=str(self.audit_path.parent))
        text = self.refused("read_file", path="/etc/hostname")
        self.assertIn(str(self.audit_path.parent), text)

    def test_what_cannot_be_is_refused_with_what_is_allowed(self):
        folder = self.audit_path.parent
        for name, value, allowed in (
            ("listener_port", 65536, "1 to 65535"),
            ("listener_host", "example.com", "127.0.0.1"),
            ("read_megabytes", -1, "at least 1"),
            ("audit_retention", -1, "at least 0"),
            ("phone_home_seconds", 1, "at least"),
            ("phone_home_url", "ftp://registry.example", "Registry"),
            ("command_timeout", 601, "at most the maximum, 600 s"),
            ("command_maximum", 29, "at most the maximum, 29 s"),
            ("path_roots", "srv", "absolute path"),
            ("path_roots", f"/, {folder}/none", f"no folder {folder}/none"),
            ("path_roots", str(self.audit_path), "no folder"),
            ("audit_file", "audit.log", "absolute path"),
            ("audit_file", f"{folder}", "path of a file"),
            ("audit_file", f"{folder}/none/a.log", f"no folder {folder}/none"),
            ("services", "odoo, a b", "name=systemd unit"),
            ("services", "odoo=", "name=systemd unit"),
        ):
            self.audit_path.touch()
            label = self.env["res.config.settings"]._fields[f"mcp_{name}"].string
            with self.subTest(name=name, value=value):
                with self.assertRaises(ValidationError) as refusal:
                    self.settings(**{name: value})
                self.assertIn(label, str(refusal.exception))
                self.assertIn(allowed, str(refusal.exception))

    def test_what_has_become_wrong_keeps_nobody_from_another_setting(self):
        for name, value in (
            ("audit_file", "/no/such/folder/audit.log"),
            ("path_roots", "/no/such/folder"),
            ("query_bytes", -5),
        ):
            self.set_parameter(name, value)
        settings = self.settings(query_rows=7)
        self.assertEqual(parameter(self.env, "query_rows"), 7)
        self.assertIn("/no/such/folder", settings.mcp_audit_file_error)

    def test_the_form_tells_how_things_are(self):
        self.set_parameter("suspended", 1)
        self.set_parameter("audit_file", "/no/such/folder/audit.log")
        with Form(self.env["res.config.settings"]) as form:
            self.assertTrue(form.mcp_is_suspended)
            self.assertIn("/no/such/folder", form.mcp_audit_file_error)
            # the tests' account can write the file that it has made
            self.assertTrue(form.mcp_config_writable)

    def test_it_is_told_whether_the_audit_file_can_be_written(self):
        self.assertFalse(self.settings().mcp_audit_file_error)
        self.set_parameter("audit_file", "/no/such/folder/audit.log")
        self.set_parameter("audit_file_enabled", 0)
        self.assertFalse(self.settings().mcp_audit_file_error)


@tagged("post_install", "-at_install")
class TestSettingsTour(McpHelpers, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls.make_user("mcp_admin", SETTINGS)

    def test_an_administrator_suspends_and_resumes_access_and_saves_a_setting(self):
        self.start_tour("/odoo", "odoo_dev_mcp_settings", login="mcp_admin")
        self.env.invalidate_all()
        self.assertEqual(parameter(self.env, "query_rows"), 77)
        # resumed: it would not be stored had it never been suspended
        parameters = self.env["ir.config_parameter"]
        self.assertEqual(parameters.get_param("odoo_dev_mcp.suspended"), "0")
