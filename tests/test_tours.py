"""An administrator walks the views in a real browser.

A complaint of the browser's console about one of our tours fails the run: the harness
reads the log.
"""

from odoo.tests import HttpCase, tagged

from .common import ADMINISTRATOR, SETTINGS, McpHelpers


@tagged("post_install", "-at_install")
class TestTours(McpHelpers, HttpCase):
    """Each tour is a sentence that a person would say of what they did."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR, SETTINGS)

    def walk(self, tour, login="mcp_admin"):
        """Walk a tour of this addon as a user."""
        self.start_tour("/odoo", f"odoo_dev_mcp_{tour}", login=login)

    def test_a_tool_is_made_from_scratch_and_tried(self):
        self.walk("tools")

    def test_a_tool_that_is_shipped_is_tried_and_switched_off(self):
        self.walk("try_it")
        self.assertFalse(self.tool("list_modules").active)

    def test_a_resource_is_read(self):
        self.walk("resources")

    def test_a_prompt_is_made_and_tried(self):
        self.walk("prompts")
