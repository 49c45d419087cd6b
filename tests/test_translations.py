"""Whoever reads Odoo in one of our languages reads all of the addon in it."""

import re
from collections import Counter
from pathlib import Path

import polib

from odoo.tests import BaseCase, TransactionCase, tagged

FOLDER = Path(__file__).parents[1] / "i18n"
TEMPLATE = FOLDER / "odoo_dev_mcp.pot"
LANGUAGES = ("de", "es", "fr")

MARK = re.compile(r"%\(\w+\)[sd]|%[sd]|</?[a-z][^<>]*>|\{[a-z_.]+\}")
"""What code fills in, and what a browser reads: not for a translator to change."""


@tagged("post_install", "-at_install")
class TestTranslations(BaseCase):
    def test_each_language_has_each_term_and_no_other(self):
        terms = {entry.msgid for entry in polib.pofile(str(TEMPLATE))}
        self.assertGreater(len(terms), 500)
        for language in LANGUAGES:
            with self.subTest(language=language):
                found = polib.pofile(str(FOLDER / f"{language}.po"))
                self.assertEqual({entry.msgid for entry in found}, terms)
                self.assertEqual(found.metadata["Language"], language)
                lacking = [entry.msgid for entry in found if not entry.translated()]
                self.assertEqual(lacking, [])

    def test_what_code_and_browser_read_is_the_same_in_each_language(self):
        for language in LANGUAGES:
            for entry in polib.pofile(str(FOLDER / f"{language}.po")):
                with self.subTest(language=language, term=entry.msgid):
                    marks = Counter(MARK.findall(entry.msgid))
                    self.assertEqual(Counter(MARK.findall(entry.msgstr)), marks)
                    for end in (0, -1):
                        own, original = entry.msgstr[end], entry.msgid[end]
                        self.assertEqual(own.isspace(), original.isspace())


@tagged("post_install", "-at_install")
class TestTranslatedOdoo(TransactionCase):
    def test_odoo_shows_them(self):
        module = self.env["ir.module.module"].search([("name", "=", "odoo_dev_mcp")])
        menu = self.env.ref("odoo_dev_mcp.mcp_tool_menu")
        form = self.env.ref("odoo_dev_mcp.mcp_tool_view_form")
        for language, tools, attempt in (
            ("de_DE", "Werkzeuge", "Testen"),
            ("es_ES", "Herramientas", "Probar"),
            ("fr_FR", "Outils", "Essayer"),
        ):
            with self.subTest(language=language):
                self.env["res.lang"]._activate_lang(language)
                module._update_translations([language])
                self.assertEqual(menu.with_context(lang=language).name, tools)
                self.assertIn(attempt, form.with_context(lang=language).arch)
