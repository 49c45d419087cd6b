"""What a prompt says: a template's text as it is, and what code answers."""

import json

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MODERN, USER
from .prompt_case import PromptCase

LINK = "{'type': 'resource_link', 'uri': 'odoo://modules', 'name': 'modules'}"
AUDIO = "{'type': 'audio', 'data': 'AAAA', 'mimeType': 'audio/wav'}"
IMAGE = "{'type': 'image', 'data': 'AAAA', 'mimeType': 'image/png'}"
RESOURCE = "{'type': 'resource', 'resource': {'uri': 'a://b', 'text': 'c'}}"


@tagged("post_install", "-at_install")
class TestPromptContent(PromptCase):
    def said(self, template, _code=None, **arguments):
        """The text of a prompt that takes these arguments."""
        name = f"prompt_{self.env['mcp.prompt'].search_count([])}"
        self.make_prompt(name, template, code=_code, arguments=list(arguments))
        return self.text(name, arguments)

    def answered(self, code, *, revision=MODERN):
        """The messages of a prompt with this code."""
        name = f"prompt_{self.env['mcp.prompt'].search_count([])}"
        self.make_prompt(name, code=code)
        return self.got(name, revision=revision)["messages"]

    def test_values_come_out_as_they_are(self):
        for value in (
            "<b>bold</b> & more",
            "&amp; &lt; &#10; &nbsp;",
            "a \"quoted\" 'word'",
            "line\n\n\n  indented\ttab\r\n",
            "<t t-out='1'/>",
            "ä € 😀",
            "```python\nif a < b and c > d:\n```",
            " ",
        ):
            with self.subTest(value=value):
                text = self.said("[<t t-out='a'/>]", a=value)
                self.assertEqual(text, f"[{value}]")

    def test_the_templates_own_text_comes_out_as_it_is(self):
        for template, text in (
            ("# Title\n\n\n- a\n  - b\n", "# Title\n\n\n- a\n  - b"),
            ("a &lt; b &amp;&amp; c", "a < b && c"),
            ("write &amp;lt; for &lt;", "write &lt; for <"),
            ("<![CDATA[<b> & </b>]]>", "<b> & </b>"),
            ("<facts>\nA\n</facts>", "<facts>\nA\n</facts>"),
            ("<a>'\"</a>", "<a>'\"</a>"),
        ):
            with self.subTest(template=template):
                self.assertEqual(self.said(template), text)

    def test_attributes_come_out_as_they_are(self):
        text = self.said("<file t-att-path='a'>x</file>", a="<&\"'>")
        self.assertEqual(text, '<file path="<&"\'>">x</file>')

    def test_a_line_of_directives_alone_leaves_no_line(self):
        template = (
            "Files:\n"
            '<t t-foreach="a.split()" t-as="file">\n'
            '- <t t-out="file"/>\n'
            "</t>\n"
            "\n"
            '<t t-set="many" t-value="len(a) &gt; 3"/>\n'
            '<t t-if="many">\n'
            "Many.\n"
            "</t>\n"
            '<t t-else="">\n'
            "Few.\n"
            "</t>\n"
            "End."
        )
        text = "Files:\n- x\n- y\n- z\n\nMany.\nEnd."
        self.assertEqual(self.said(template, a="x y z"), text)
        self.assertEqual(self.said(template, a="x"), "Files:\n- x\n\nFew.\nEnd.")

    def test_an_optional_argument_that_is_not_given_is_empty(self):
        self.make_prompt(
            "a_prompt", "[<t t-out='a'/>]<t t-if='a'>yes</t>", arguments="a"
        )
        self.assertEqual(self.text("a_prompt"), "[]")
        self.assertEqual(self.text("a_prompt", {"a": "x"}), "[x]yes")

    def test_all_arguments_are_found_together_too(self):
        text = self.said("<t t-out=\"arguments['a']\"/> <t t-out='series'/>", a="x")
        self.assertIn(text, ("x 18.0", "x 19.0"))

    def test_a_template_finds_what_code_answers(self):
        code = "action = {'total': 2, 'lines': ['<a>', arguments['who']]}"
        template = (
            "<t t-out='total'/>: <t t-out=\"', '.join(lines)\"/> <t t-out='who'/>"
        )
        text = self.said(template, code, who="me")
        self.assertEqual(text, "2: <a>, me me")

    def test_code_that_answers_nothing_leaves_it_to_the_template(self):
        self.assertEqual(self.said("T", "x = 1"), "T")
        self.assertEqual(self.said("T", "action = {}"), "T")

    def test_code_that_answers_text_needs_no_template(self):
        for code, text in (
            ("action = 'a < b & c'", "a < b & c"),
            ("action = ''", ""),
            ("action = env.user.login", self.developer.login),
        ):
            self.assertEqual(self.said(None, code), text)
        self.assertEqual(self.said("template", "action = 'code'"), "code")

    def test_code_answers_several_messages(self):
        messages = self.answered(
            "action = [{'role': 'user', 'content': 'a'}, "
            "{'role': 'assistant', 'content': {'type': 'text', 'text': 'b'}}, "
            f"{{'role': 'user', 'content': {IMAGE}}}, "
            f"{{'role': 'user', 'content': {RESOURCE}}}]"
        )
        self.assertEqual(
            [message["role"] for message in messages],
            ["user", "assistant", "user", "user"],
        )
        contents = [message["content"] for message in messages]
        self.assertEqual(contents[0], {"type": "text", "text": "a"})
        self.assertEqual(contents[1], {"type": "text", "text": "b"})
        self.assertEqual(contents[2]["data"], "AAAA")
        self.assertEqual(contents[3]["resource"], {"uri": "a://b", "text": "c"})

    def test_one_block_is_a_message_of_the_user(self):
        for block in (IMAGE, RESOURCE, f"[{IMAGE}]"):
            [message] = self.answered(f"action = {block}")
            self.assertEqual(message["role"], "user")

    def test_what_a_revision_does_not_know_is_told_as_text(self):
        code = (
            f"action = [{{'role': 'user', 'content': {AUDIO}}}, "
            f"{{'role': 'user', 'content': {LINK}}}]"
        )
        for revision, types in (
            ("2025-03-26", ["audio", "text"]),
            ("2025-06-18", ["audio", "resource_link"]),
            ("2025-11-25", ["audio", "resource_link"]),
            (MODERN, ["audio", "resource_link"]),
        ):
            with self.subTest(revision=revision):
                messages = self.answered(code, revision=revision)
                found = [message["content"]["type"] for message in messages]
                self.assertEqual(found, types)
        [_audio, link] = self.answered(code, revision="2025-03-26")
        self.assertEqual(link["content"]["text"], "[modules](odoo://modules)")

    def test_an_answer_that_is_no_message_is_told_to_be_none(self):
        for code in (
            "action = 1",
            "action = [1]",
            "action = [{'role': 'system', 'content': 'a'}]",
            "action = [{'role': 'user'}]",
            "action = [{'role': 'user', 'content': {'type': 'video'}}]",
            "action = {'a': 1}",
            "x = 1",
        ):
            with self.subTest(code=code):
                prompt = self.make_prompt("a_prompt", code=code)
                self.assert_error(self.ask("a_prompt"), 200, -32603, "code")
                prompt.unlink()

    def test_the_callers_rights_hold_in_template_and_code(self):
        secret = self.make_key(self.make_user("mcp_guest", USER))
        look = "env['ir.cron'].search([]).ids"
        self.make_prompt("in_template", f'<t t-out="{look}"/>')
        self.make_prompt("in_code", code=f"action = str({look})")
        for name in ("in_template", "in_code"):
            with self.subTest(name=name), mute_logger("odoo.models"):
                response = self.ask(name, secret=secret)
                self.assert_error(response, 200, -32603, "ir.cron")

    def test_nothing_in_a_template_is_in_sudo(self):
        template = (
            "<t t-out='env.su'/> <t t-out='env.uid'/> "
            "<t t-out='res_company'/><t t-out='request'/><t t-out='user_id'/>"
        )
        uid = self.developer.id
        self.assertEqual(self.said(template), f" {uid} ")

    def test_a_user_error_is_told_and_any_other_is_for_the_log_alone(self):
        self.make_prompt("refused", code="raise UserError('Order 7 is closed.')")
        self.assert_error(self.ask("refused"), 200, -32603, "Order 7 is closed.")
        for name, template, code in (
            ("in_code", None, "1 / 0"),
            ("in_template", "<t t-out='1 / 0'/>", None),
        ):
            self.make_prompt(name, template, code=code)
            with mute_logger("odoo.addons.odoo_dev_mcp.models.outcomes"):
                response = self.ask(name)
            body = self.assert_error(response, 200, -32603, "audit entry")
            self.assertNotIn("division", json.dumps(body))

    def test_a_template_is_checked_when_it_is_kept(self):
        for template in (
            "<t t-out='a'>",
            "a & b",
            "<t t-out='1 +'/>",
            "<t t-foreach='a'/>",
            "<t t-out='a.__class__'/>",
            "&nbsp;",
        ):
            with self.subTest(template=template), self.assertRaises(ValidationError):
                self.make_prompt("a_prompt", template)
