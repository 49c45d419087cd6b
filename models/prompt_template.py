r"""QWeb as the language of plain text: nothing of HTML comes of it.

QWeb escapes the values that it puts out. The template's own text is escaped beside
them, so that one unescape in the end gives both as they are; its line ends too, which
QWeb would move about. A line of nothing but tags that put nothing out leaves no line:

>>> lines("Files:\n<t t-foreach='all' t-as='f'>\n- <t t-out='f'/>\n</t>\nEnd")
"Files:\n<t t-foreach='all' t-as='f'>- <t t-out='f'/>\n</t>End"
"""

import html
import re

from lxml import etree

from odoo import release
from odoo.exceptions import UserError

VALUE = r"""(?:"[^"]*"|'[^']*')"""
ATTRIBUTES = rf"(?:\s+[\w.-]+\s*=\s*{VALUE})*\s*"
SILENT = rf"<t{ATTRIBUTES}>|</t>|<t\s+t-set\s*=\s*{VALUE}{ATTRIBUTES}/>"
STANDALONE = re.compile(rf"^[ \t]*((?:{SILENT})+)[ \t]*\n", re.M)


def render(env, template: str, values: dict) -> str:
    """Return what a template says, as the user of ``env`` sees it.

    Beside ``values`` it finds ``env`` and ``series``, e.g. ``18.0``.

    :raise UserError: what it asks Odoo for is refused
    """
    values = {**values, "env": env, "series": release.series}
    try:
        # without the minimum QWeb would hand over a company in sudo, and the request
        found = env["ir.qweb"]._render(parse(template), values, minimal_qcontext=True)
    except Exception as error:
        if refusal := _refusal(error):
            raise refusal from error
        raise
    return html.unescape(str(found))


def check(env, template: str) -> str:
    """Return what is wrong with a template that is to be kept; empty: nothing."""
    try:
        env["ir.qweb"]._compile(parse(template))
    except Exception as error:
        return str(error.__cause__ or error)
    return ""


def parse(template: str) -> etree._Element:
    """Return a template as QWeb takes it.

    :raise etree.XMLSyntaxError: it is no XML
    """
    root = etree.fromstring(f"<t>{lines(template.strip())}</t>")
    for node in root.iter():
        if isinstance(node.tag, str):
            node.text = _exact(node.text)
        following = node.getnext()
        if following is not None and {"t-elif", "t-else"} & {*following.attrib}:
            continue  # nothing but space may come between
        if node is not root:
            node.tail = _exact(node.tail)
    return root


def lines(template: str) -> str:
    """Return a template without the lines that would be empty for their tags alone."""
    return STANDALONE.sub(r"\1", template.replace("\r\n", "\n"))


def _exact(text: str | None) -> str | None:
    return text and html.escape(text, quote=False).replace("\n", "&#10;")


def _refusal(error: BaseException) -> UserError | None:
    """Return what QWeb has wrapped, if Odoo has refused something."""
    found = error.__cause__
    while found is not None and not isinstance(found, UserError):
        found = found.__cause__
    return found
