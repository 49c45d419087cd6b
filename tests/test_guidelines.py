from odoo import release
from odoo.tests import tagged

from .. import compat
from ..controllers.methods import INSTRUCTIONS
from ..models.guidelines import LONGEST
from .common import USER, McpHttpCase


@tagged("post_install", "-at_install")
class TestGuidelines(McpHttpCase):
    """What an agent is told before it begins: short enough to be read whole."""

    def told(self, secret):
        headers = {"Authorization": f"Bearer {secret}"}
        uri = {"uri": "odoo://guidelines"}
        answer = self.rpc("resources/read", uri, headers=headers).json()
        [content] = answer["result"]["contents"]
        self.assertEqual(content["mimeType"], "text/markdown")
        return content["text"]

    def test_guidelines_are_of_the_series_that_runs(self):
        text = self.told(self.secret)
        self.assertLessEqual(len(text), LONGEST)
        self.assertIn(f"# Odoo {release.series}", text)
        newer = "models.Constraint" in text
        self.assertEqual(newer, compat.ODOO_19)

    def test_plain_users_may_read_them(self):
        secret = self.make_key(self.make_user("mcp_reader", USER))
        self.assertIn("# Work", self.told(secret))

    def test_instructions_name_tools_that_there_are(self):
        self.assertLessEqual(len(INSTRUCTIONS), LONGEST)
        words = set(INSTRUCTIONS.replace("(", " ").replace(",", " ").split())
        unknown = {
            word.strip(".;:")
            for word in words
            if "_" in word and "=" not in word and "://" not in word
        } - set(self.offered())
        self.assertEqual(unknown, {"restart_needed", "dry_run"})
