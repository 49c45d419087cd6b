"""The pure helpers prove themselves in their docstrings."""

import doctest
import importlib

from odoo.tests import BaseCase, tagged

PACKAGE = "odoo.addons.odoo_dev_mcp"
MODULES = (
    "controllers.content",
    "controllers.exposition",
    "controllers.narrowing",
    "controllers.parameter_headers",
    "controllers.revision",
    "models.addon_source",
    "models.audit_export",
    "models.audit_file",
    "models.capped",
    "models.client_snippets",
    "models.command",
    "models.file_access",
    "models.folder_walk",
    "models.guardrails",
    "models.log_lines",
    "models.log_records",
    "models.log_traceback",
    "models.kept_connections",
    "models.key_facts",
    "models.mcp_metric",
    "models.mcp_resource",
    "models.mcp_toolset_service_logs",
    "models.mirrored_parameters",
    "models.page_requests",
    "models.parameters",
    "models.phone_home_address",
    "models.phone_home_call",
    "models.phone_home_plan",
    "models.plan_indexes",
    "models.prompt_messages",
    "models.prompt_template",
    "models.process_output",
    "models.quick_search",
    "models.read_only_role",
    "models.redaction",
    "models.scaffold_files",
    "models.shell_code",
    "models.sql_errors",
    "models.sql_functions",
    "models.sql_lexer",
    "models.sql_mentions",
    "models.sql_reader",
    "models.sql_values",
    "models.tests_coverage",
    "models.tests_database",
    "models.tests_report",
    "models.tests_wanted",
    "models.text_diffs",
    "models.text_edits",
    "models.view_xml",
    "models.visible",
    "models.xml_text",
)


@tagged("post_install", "-at_install")
class TestDoctests(BaseCase):
    def test_every_example_says_what_it_does(self):
        finder = doctest.DocTestFinder(exclude_empty=True)
        for name in MODULES:
            with self.subTest(module=name):
                module = importlib.import_module(f"{PACKAGE}.{name}")
                runner = doctest.DocTestRunner(verbose=False)
                said = []
                for test in finder.find(module, globs=vars(module).copy()):
                    runner.run(test, out=said.append)
                self.assertGreater(runner.tries, 0, "no example")
                self.assertEqual(runner.failures, 0, "".join(said))
