"""Redaction and visibility for whatever text there is, by Hypothesis."""

import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..models.quick_search import may_hold
from ..models.redaction import hidden, hidden_in, holds_secret, redact, redact_text
from ..models.secret_patterns import ASSIGNED, DETAIL, SHAPES, SPOKEN_OF, TOLD
from ..models.visible import UNSEEN, visible, visible_json
from . import secret_texts

TEXTS = st.text(max_size=80) | st.text("pas=:'\"\\ $-{}\n", max_size=80)
SURE = st.sampled_from([s for s in secret_texts.SURE.values() if "KEY---" not in s])
FRAMES = st.sampled_from(secret_texts.LOOKS_SO)
WORDS = st.text("abcdefgXYZ0123456789", min_size=12, max_size=30)
BREAKS = st.sampled_from([" ", "\n", "\t", '"', "'", ", ", "(", ">"])
SIGNS = (
    *map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2)),
    *map(chr, (0x110BD, 0x110CD, *range(0x13430, 0x13440))),
)
"""Characters that Unicode counts as formats and that are seen."""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
same_each_time = settings(derandomize=True, deadline=None, max_examples=300)


def planted(value, secret, path):
    """A value with the secret put where ``path``, a list of numbers, leads."""
    if isinstance(value, dict) and value:
        key = [*value][path[0] % len(value)]
        return {**value, key: planted(value[key], secret, path[1:] or [0])}
    if isinstance(value, list) and value:
        at = path[0] % len(value)
        return [
            *value[:at],
            planted(value[at], secret, path[1:] or [0]),
            *value[at + 1 :],
        ]
    return secret


@tagged("post_install", "-at_install")
class TestRedactionProperties(BaseCase):
    @same_each_time
    @given(TEXTS, BREAKS, SURE, BREAKS, TEXTS)
    def test_no_text_around_a_sure_secret_lets_it_through(self, a, b, secret, c, d):
        text = a + b + secret + c + d
        self.assertNotIn(secret, hidden(text))
        self.assertNotIn(secret, redact_text(text))
        self.assertTrue(holds_secret(json.dumps({"a": text}, ensure_ascii=False)))

    @same_each_time
    @given(TEXTS | SURE | FRAMES)
    def test_what_is_hidden_once_is_hidden(self, text):
        for hide in (hidden, redact_text):
            once = hide(text)
            self.assertEqual(hide(once), once)

    @same_each_time
    @given(TEXTS | st.tuples(TEXTS, SURE, TEXTS).map("".join))
    def test_the_quick_look_misses_nothing(self, text):
        slow = text
        for pattern, shown in SHAPES:
            slow = pattern.sub(shown, slow)
        self.assertEqual(hidden(text), slow)
        for mark, pattern in (*TOLD, (SPOKEN_OF, ASSIGNED), (SPOKEN_OF, DETAIL)):
            if pattern.search(text):
                self.assertTrue(may_hold(text, mark))

    @same_each_time
    @given(
        st.dictionaries(st.text(max_size=10), VALUES, min_size=1, max_size=4),
        st.lists(st.integers(0, 9), min_size=1, max_size=5),
        SURE | st.tuples(FRAMES, WORDS).map(lambda pair: pair[0].format(pair[1])),
    )
    def test_no_place_in_arguments_lets_a_secret_through(self, value, path, secret):
        arguments = planted(value, secret, path)
        told = redact(arguments)
        json.loads(told)
        self.assertTrue(told.isascii())
        self.assertNotIn(json.dumps(secret)[1:-1], told)

    @same_each_time
    @given(VALUES, st.lists(st.integers(0, 9), min_size=1, max_size=5), SURE)
    def test_no_place_in_a_result_lets_a_secret_through(self, value, path, secret):
        told = hidden_in(planted(value, f"a {secret} b", path))
        self.assertNotIn(secret, json.dumps(told))

    @same_each_time
    @given(st.text(alphabet=st.characters(), max_size=80))
    def test_a_visible_text_has_nothing_unseen(self, text):
        shown = visible(text)
        self.assertIsNone(UNSEEN.search(shown))
        self.assertEqual(visible(shown), shown)
        hiding = {c for c in shown if unicodedata.category(c) in ("Cf", "Cs", "Cc")}
        self.assertLessEqual(hiding, {*"\t\r\n", *SIGNS})

    @same_each_time
    @given(VALUES)
    def test_visible_json_says_the_same(self, value):
        written = json.dumps(value, ensure_ascii=False)
        shown = visible_json(written)
        self.assertEqual(json.loads(shown), json.loads(written))
        self.assertIsNone(UNSEEN.search(shown))
