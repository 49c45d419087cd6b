"""SQL text cut into tokens as PostgreSQL's own scanner cuts it.

For what the server itself does not tell: where a statement ends, and which words are
code and which are text.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

BLANK = r"[ \t\n\r\f\v]"
# A string goes on after white space with a line break, in the mode it began in.
CONTINUED = (
    r"(?:[ \t\f\v]|--[^\r\n]*(?=[\r\n]))*[\r\n](?:[ \t\n\r\f\v]|--[^\r\n]*[\r\n])*"
)
ESCAPED_BODY = r"'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'"
IDENTIFIER_START = r"[A-Za-z_\x80-\U0010ffff]"
IDENTIFIER = IDENTIFIER_START + r"[A-Za-z0-9_$\x80-\U0010ffff]*"

TOKEN = re.compile(
    rf"""
      (?P<blank>{BLANK}+|--[^\r\n]*)
    | (?P<comment>/\*)
    | (?P<string>[eE]{ESCAPED_BODY}(?:{CONTINUED}{ESCAPED_BODY})*
        |(?:[bBxXnN]|[uU]&)?'[^']*(?:''[^']*)*')
    | (?P<dollar>\$(?:{IDENTIFIER_START}[A-Za-z0-9_\x80-\U0010ffff]*)?\$)
    | (?P<quoted>(?:[uU]&)?"[^"]*(?:""[^"]*)*")
    | (?P<word>{IDENTIFIER})
    | (?P<number>\.?[0-9][0-9A-Za-z_.]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT_MARK = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """A piece of code; comments and white space are none.

    :param kind: ``string``, ``quoted`` (an identifier), ``word``, ``number``, ``other``
    :param text: as it stands in the source
    :param start: offset in characters
    """

    kind: str
    text: str
    start: int

    @property
    def name(self) -> str | None:
        """The identifier that this token is, as PostgreSQL's catalog has it.

        >>> [token.name for token in tokens('Foo "Bar""s" 1')]
        ['foo', 'Bar"s', None]
        """
        if self.kind == "word":
            return self.text.lower()
        if self.kind == "quoted" and self.text.startswith('"'):
            return self.text[1:-1].replace('""', '"')
        return None


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of ``sql``; what is never closed runs to the end.

    >>> [token.text for token in tokens("SELECT $$;$$ /* /* */ ; */, E'\\\\';' -- ;")]
    ['SELECT', '$$;$$', ',', "E'\\\\';'"]
    """
    position = 0
    while match := TOKEN.match(sql, position):
        kind, position = match.lastgroup, match.end()
        if kind == "comment":
            position = _end_of_comment(sql, position)
        elif kind == "dollar":
            end = sql.find(match[0], position)
            position = len(sql) if end < 0 else end + len(match[0])
            yield Token("string", sql[match.start() : position], match.start())
        elif kind != "blank":
            yield Token(kind, match[0], match.start())


def _end_of_comment(sql: str, position: int) -> int:
    """Return where the comment that is open at ``position`` ends; they nest."""
    depth = 1
    for mark in COMMENT_MARK.finditer(sql, position):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(sql)


def statements(sql: str) -> list[str]:
    """Return the statements of ``sql`` without their semicolons; empty ones are none.

    >>> statements("SELECT ';'; ; -- end;")
    ["SELECT ';'"]

    A function body in standard SQL (``BEGIN ATOMIC … END``) has semicolons of its
    own: then all of it is one piece, which PostgreSQL itself takes apart.
    """
    found: list[str] = []
    start = end = None
    before = ""
    for token in tokens(sql):
        if before == "begin" and token.name == "atomic":
            return [sql]
        before = token.name or ""
        if token.text == ";":
            if start is not None:
                found.append(sql[start:end])
            start = None
        else:
            start = token.start if start is None else start
            end = token.start + len(token.text)
    return found if start is None else [*found, sql[start:end]]
