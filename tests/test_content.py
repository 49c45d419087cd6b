"""What a record's code can answer with, beside text and JSON."""

import base64
import json

from odoo.tests import tagged

from .common import LEGACY, McpHttpCase, unmarked

PIXEL = base64.b64encode(b"\x89PNG").decode()


@tagged("post_install", "-at_install")
class TestContent(McpHttpCase):
    def answer(self, code, revision="2025-11-25"):
        name = f"content_{self.env['mcp.tool'].search_count([])}"
        self.make_tool(name, code)
        return self.call(name, _revision=revision).json()["result"]

    def blocks(self, code, revision="2025-11-25"):
        answer = self.answer(code, revision)
        self.assertNotIn("isError", answer, answer)
        return answer["content"]

    def test_one_block_or_several_are_the_content(self):
        text = {"type": "text", "text": "seen"}
        image = {"type": "image", "data": PIXEL, "mimeType": "image/png"}
        for code, wanted in (
            ("action = mcp.text('seen')", [text]),
            (f"action = mcp.image({PIXEL!r})", [image]),
            (f"action = [mcp.text('seen'), mcp.image({PIXEL!r})]", [text, image]),
            ("action = mcp.result(mcp.text('seen'))", [text]),
        ):
            with self.subTest(code):
                self.assertEqual(self.blocks(code), wanted)

    def test_data_is_bytes_or_their_base64(self):
        for data in ("b'\\x89PNG'", repr(PIXEL)):
            [block] = self.blocks(f"action = mcp.audio({data}, 'audio/mpeg')")
            self.assertEqual(
                block, {"type": "audio", "data": PIXEL, "mimeType": "audio/mpeg"}
            )
        answer = self.answer("action = mcp.image('no base64!')")
        self.assertTrue(answer["isError"])
        self.assertIn("base64", answer["content"][0]["text"])

    def test_a_resource_comes_whole_or_as_its_address(self):
        [text, blob, link] = self.blocks(
            "action = [mcp.resource('odoo://a', text='A', mime_type='text/plain'),"
            " mcp.resource('odoo://b', blob=b'\\x00'),"
            " mcp.resource_link('odoo://c', 'c', title='C', size=7)]"
        )
        whole = {"uri": "odoo://a", "mimeType": "text/plain", "text": "A"}
        self.assertEqual(text, {"type": "resource", "resource": whole})
        self.assertEqual(blob["resource"], {"uri": "odoo://b", "blob": "AA=="})
        wanted = {"type": "resource_link", "uri": "odoo://c", "name": "c"}
        self.assertEqual(link, {**wanted, "title": "C", "size": 7})

    def test_structured_content_is_told_as_text_too_unless_the_code_has_its_own(self):
        answer = self.answer("action = mcp.result(structured={'n': 1})")
        self.assertEqual(unmarked(answer["structuredContent"]), {"n": 1})
        [block] = answer["content"]
        self.assertEqual(json.loads(block["text"]), answer["structuredContent"])
        answer = self.answer("action = mcp.result(mcp.text('one'), structured={'n':1})")
        self.assertEqual(unmarked(answer["structuredContent"]), {"n": 1})
        self.assertEqual(answer["content"], [{"type": "text", "text": "one"}])

    def test_an_error_ends_the_code_with_what_it_says(self):
        answer = self.answer("mcp.error('Send a name.'); action = 'not reached'")
        self.assertTrue(answer["isError"])
        self.assertEqual(answer["content"], [{"type": "text", "text": "Send a name."}])

    def test_a_revision_that_does_not_know_a_link_gets_its_address(self):
        code = "action = [mcp.text('see'), mcp.resource_link('odoo://c', 'c')]"
        link = {"type": "resource_link", "uri": "odoo://c", "name": "c"}
        text = {"type": "text", "text": "[c](odoo://c)"}
        for revision, wanted in zip(LEGACY, (text, text, link, link), strict=True):
            with self.subTest(revision):
                self.assertEqual(self.blocks(code, revision)[1], wanted)

    def test_dicts_of_the_codes_own_stay_plain_json(self):
        answer = self.answer("action = [{'type': 'text', 'text': 'mine'}]")
        rows = [{"type": "text", "text": "mine"}]
        self.assertEqual(unmarked(answer["structuredContent"]), {"result": rows})
