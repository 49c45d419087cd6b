"""The prompts that come with the addon, and the live facts that they carry."""

import tempfile
from pathlib import Path

from odoo import release
from odoo.tests import tagged
from odoo.tools import config, convert_file

from ..models import log_traceback
from .common import ADMINISTRATOR, DEVELOPER, SETTINGS, USER
from .prompt_case import PromptCase

BUILT_IN = [
    "explain_access",
    "fix_last_error",
    "plan_upgrade",
    "review_addon",
    "write_module",
]
HERE = Path(__file__).parent.parent
FRAME = f'  File "{HERE}/models/registrar.py", line 7, in carry_out\n'
LOG = """\
2026-02-16 10:00:00,001 7 INFO db odoo.http: the first line
2026-02-16 10:00:01,001 7 ERROR db odoo.http: an older error
Traceback (most recent call last):
  File "/x/older.py", line 1, in old
OldError: older
2026-02-16 10:00:02,001 7 INFO db odoo.http: just before
2026-02-16 10:00:03,001 7 ERROR db odoo.http: Exception during request
Traceback (most recent call last):
  File "/usr/lib/python3/werkzeug/serving.py", line 3, in run
%s    raise ValueError("<b> & 'c'")
ValueError: <b> & 'c' password=hunter2
2026-02-16 10:00:04,001 7 ERROR db odoo.http: later, without a traceback
"""


@tagged("post_install", "-at_install")
class TestBuiltInPrompts(PromptCase):
    def log(self, text):
        """Let Odoo's log be this text."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "odoo.log"
        path.write_text(text)
        before = config["logfile"]
        config["logfile"] = str(path)
        self.addCleanup(lambda: config.__setitem__("logfile", before))
        return path

    def refusal(self, name, /, **arguments):
        """The text of a prompt that cannot be put together."""
        response = self.ask(name, arguments)
        body = self.assert_error(response, 200, -32603)
        return body["error"]["message"]

    def assert_names(self, text, *words):
        for word in words:
            self.assertIn(word, text)

    def test_a_developer_is_offered_the_built_in_prompts(self):
        self.assertEqual(self.listed(), BUILT_IN)
        settings = self.make_key(self.make_user("mcp_settings", SETTINGS))
        self.assertEqual(self.listed(settings), BUILT_IN)

    def test_users_who_are_no_developers_are_offered_none(self):
        for group in (USER, ADMINISTRATOR):
            secret = self.make_key(self.make_user(f"mcp_{group[-4:]}", group))
            self.assertEqual(self.listed(secret), [])
            response = self.ask("fix_last_error", secret=secret)
            self.assert_error(response, 400, -32602)

    def test_a_key_for_a_toolset_gets_the_prompts_whose_facts_it_could_ask_for(self):
        for code, names in (
            ("service", ["fix_last_error"]),
            ("modules", ["plan_upgrade", "review_addon", "write_module"]),
            ("database", ["explain_access"]),
            ("jobs", []),
        ):
            toolset = self.env.ref(f"odoo_dev_mcp.mcp_toolset_{code}")
            secret = self.make_key(self.developer, toolset_ids=[(6, 0, toolset.ids)])
            self.assertEqual(self.listed(secret), names)

    def test_an_upgrade_keeps_what_administrators_have_changed(self):
        prompt = self.env.ref("odoo_dev_mcp.mcp_prompt_fix_last_error")
        prompt.active = False
        prompt.rate_limit_id = False
        prompt.group_ids = self.env.ref(SETTINGS)
        arguments = prompt.argument_ids
        path = "data/mcp_prompt_data.xml"
        convert_file(self.env, "odoo_dev_mcp", path, {}, mode="update")
        self.env.invalidate_all()
        self.assertFalse(prompt.active)
        self.assertFalse(prompt.rate_limit_id)
        self.assertEqual(prompt.group_ids, self.env.ref(SETTINGS))
        self.assertEqual(prompt.argument_ids, arguments)

    def test_fix_last_error_has_the_newest_traceback_and_its_surroundings(self):
        path = self.log(LOG % FRAME)
        text = self.text("fix_last_error")
        self.assert_names(text, f'source="{path}"', "ValueError: <b> & 'c'")
        self.assert_names(text, "just before", "later, without a traceback")
        self.assert_names(text, "odoo_dev_mcp/models/registrar.py:7 in carry_out")
        self.assert_names(text, "/usr/lib/python3/werkzeug/serving.py:3 in run")
        self.assert_names(text, "- odoo_dev_mcp ", "(own, installed)", release.version)
        self.assertNotIn("OldError", text)
        self.assertNotIn("hunter2", text)

    def test_fix_last_error_finds_an_error_by_its_text(self):
        self.log(LOG % FRAME)
        text = self.text("fix_last_error", {"search": "olderror"})
        self.assert_names(text, "OldError", "No own module is on the way")
        self.assertNotIn("carry_out", text)

    def test_fix_last_error_takes_an_error_without_a_traceback_where_there_is_none(
        self,
    ):
        self.log("2026-02-16 10:00:00,001 7 ERROR db odoo.http: no traceback here\n")
        text = self.text("fix_last_error")
        self.assert_names(text, "no traceback here")
        self.assertNotIn("It passes through", text)

    def test_fix_last_error_says_that_there_is_none(self):
        path = self.log("2026-02-16 10:00:00,001 7 INFO db odoo.http: all is well\n")
        self.assert_names(self.refusal("fix_last_error"), "no error", str(path))
        text = self.refusal("fix_last_error", search="nothing")
        self.assert_names(text, "'nothing'")

    def test_a_traceback_is_never_longer_than_twelve_thousand_characters(self):
        frames = FRAME + "".join(
            f'  File "/x/{number}.py", line {number}, in f\n' for number in range(2000)
        )
        self.log(LOG % frames)
        text = self.text("fix_last_error")
        self.assertLess(len(text), log_traceback.LONGEST + 6000)
        self.assert_names(text, "characters left out", "ValueError: <b>", "/x/1999.py")

    def test_review_addon_carries_what_there_is_to_review(self):
        text = self.text("review_addon", {"module": "odoo_dev_mcp"})
        self.assert_names(text, f"Odoo {release.series} addon `odoo_dev_mcp`", "own")
        self.assert_names(text, "<manifest>", '"name": "Odoo Dev MCP Server"')
        self.assert_names(text, "- models: ", " mcp_prompt.py 1", " common.py 2")
        self.assert_names(text, "mcp.prompt.argument", "Adds fields to: ", "res.users")
        self.assert_names(
            text, "sudo() (", "models/action_runner.py:", "runs programs ("
        )
        self.assertRegex(text, r"Lines of code: \d+ py, \d+ xml")
        self.assertRegex(text, r"Test methods: [1-9]\d\d")
        self.assertIn("depend on it: none", text)
        self.assertLess(len(text), 24_000)

    def test_review_addon_names_models_without_rights(self):
        self.env["ir.model.access"].search(
            [("model_id.model", "=", "mcp.subscription")]
        ).unlink()
        text = self.text("review_addon", {"module": "odoo_dev_mcp"})
        self.assert_names(text, "without any access right**: mcp.subscription")

    def test_review_addon_of_a_module_that_is_not_installed(self):
        module = self.env["ir.module.module"].search(
            [("state", "=", "uninstalled"), ("name", "=like", "l10n\\_%")], limit=1
        )
        text = self.text("review_addon", {"module": module.name})
        self.assert_names(text, f"`{module.name}`", "uninstalled", "community")

    def test_review_addon_names_the_nearest_modules(self):
        text = self.refusal("review_addon", module="odoo_dev_mpc")
        self.assert_names(text, "odoo_dev_mpc", "Nearest", "odoo_dev_mcp")

    def test_review_addon_completes_modules_installed_ones_first(self):
        found = self.proposed("review_addon", "module", "odoo_dev_m")
        self.assertEqual(found, ["odoo_dev_mcp"])
        found = self.proposed("review_addon", "module", "base")
        self.assertEqual(found[0], "base")
        self.assertTrue(all(name.startswith("base") for name in found))
        self.assertEqual(self.proposed("review_addon", "module", "o_d"), [])

    def test_plan_upgrade_carries_what_is_to_be_carried_over(self):
        self.env["ir.model"].create({"name": "Own", "model": "x_own"})
        self.env["ir.model.fields"].create(
            {
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "name": "x_shoe_size",
                "field_description": "Shoe Size",
                "ttype": "integer",
            }
        )
        view = self.env.ref("odoo_dev_mcp.mcp_prompt_view_list")
        view.arch_updated = True
        action = self.make_action("action = 1")
        text = self.text("plan_upgrade", {"target": self.next})
        self.assert_names(text, f"from {release.series} to {self.next}")
        self.assert_names(text, "**odoo_dev_mcp**", str(HERE.name), " py, ")
        self.assertRegex(text, r"Community modules \(\d+\)\n.*\bbase\b.*\bweb\b")
        self.assert_names(text, "- Models: x_own", "res.partner.x_shoe_size (integer)")
        self.assert_names(text, "(1): odoo_dev_mcp.mcp_prompt_view_list")
        self.assert_names(text, f"of a test ({action.id})")
        self.assertIn("models.Constraint", text)
        self.assertLess(len(text), 24_000)

    @property
    def next(self):
        return f"{release.version_info[0] + 1}.0"

    def test_plan_upgrade_wants_a_later_series(self):
        for target in (release.series, "8.0", "next", "", "190"):
            text = self.refusal("plan_upgrade", target=target)
            self.assert_names(text, repr(target), self.next)
        self.assertIn(self.next, self.proposed("plan_upgrade", "target"))

    def test_write_module_tells_where_to_write_and_what_it_builds_on(self):
        arguments = {
            "name": "parrot_shop",
            "purpose": "Sells <parrots> & seed.",
            "depends": "base, odoo_dev_mcp",
        }
        text = self.text("write_module", arguments)
        self.assert_names(text, f"the Odoo {release.series} module `parrot_shop`")
        self.assert_names(text, "Sells <parrots> & seed.", "- base ", "- odoo_dev_mcp ")
        self.assert_names(text, 'install_module(module_name="parrot_shop")')
        self.assertRegex(text, r"Write it to `/.*/parrot_shop/`|No addons path")
        self.assertEqual("models.Constraint" in text, release.version_info[0] >= 19)
        self.assertEqual("_sql_constraints =" in text, release.version_info[0] < 19)

    def test_write_module_without_a_purpose_has_it_asked_for(self):
        text = self.text("write_module", {"name": "parrot_shop"})
        self.assert_names(
            text, "Ask me first what it is for", "Find out what it builds"
        )

    def test_write_module_refuses_what_cannot_be(self):
        text = self.refusal("write_module", name="base")
        self.assert_names(text, "a module 'base' already")
        for name in ("Parrot", "parrot-shop", "1a", "", "../x", "a" * 80):
            self.assert_names(self.refusal("write_module", name=name), "no name")
        text = self.refusal("write_module", name="parrot_shop", depends="bse")
        self.assert_names(text, "'bse'", "Nearest", "base")

    def test_write_module_completes_the_last_dependency(self):
        found = self.proposed("write_module", "depends", "web, odoo_dev_m")
        self.assertEqual(found, ["web, odoo_dev_mcp"])
        self.assertEqual(self.proposed("write_module", "name", "odoo"), [])

    def test_the_built_in_prompts_change_nothing_and_can_be_forbidden(self):
        for prompt in self.env["mcp.prompt"].search([("name", "in", BUILT_IN)]):
            self.assertTrue(prompt._feature().read_only)
            self.assertEqual(prompt._feature().method, prompt.name)
            self.assertEqual(prompt.group_ids, self.env.ref(DEVELOPER))
            self.assertTrue(prompt.rate_limit_id)
