"""What is secret: by the name of what holds it, and by its own shape.

Against accidents, and against what an agent should not have in its context: who may run
Python as the server's account can read every secret, and tell it in another form.

Two strengths. A result keeps all but what is surely a secret (:func:`hidden`): a file
that is read is written back. What is told *about* a call, in the audit, in logs and in
errors, hides what looks like one, too (:func:`redact_text`).
"""

import functools
import hashlib
import json
import re

from .quick_search import may_hold
from .secret_patterns import (
    ABOUT_ONE,
    ASSIGNED,
    DETAIL,
    MASK,
    SECRET_NAME,
    SHAPES,
    SPOKEN_OF,
    SURE,
    TOLD,
)

LONGEST = 2000
"""Characters of a value that are kept; more is cut, with its length and hash."""

LONGEST_TOTAL = 20_000
"""Characters that are kept of all arguments together."""


@functools.lru_cache(4096)
def is_secret(name: str) -> bool:
    """Tell whether what has this name is secret.

    >>> [is_secret(n) for n in ("smtp_pass", "totp_secret", "token_count", "bypass")]
    [True, True, False, False]
    """
    return bool(SECRET_NAME.search(name)) and not ABOUT_ONE.search(name)


def hidden(text: str) -> str:
    """Return ``text`` without what is surely secret: keys, hashes, passwords in URLs.

    >>> hidden("postgresql://odoo:hunter2@db/x PGPASSWORD=hunter2; password = vals")
    'postgresql://odoo:***MASKED***@db/x PGPASSWORD=***MASKED***; password = vals'
    """
    if may_hold(text, SURE):
        for pattern, shown in SHAPES:
            text = pattern.sub(shown, text)
    return text


def holds_secret(text: str) -> bool:
    """Tell whether :func:`hidden` might change ``text``, or one that it is the JSON
    of."""
    return may_hold(text, SURE)


def hidden_in(value):
    """Return a value of JSON with each text in it :func:`hidden`."""
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, dict):
        return {name: hidden_in(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [hidden_in(item) for item in value]
    return value


def hidden_by_name(value, name: str = ""):
    """Return a value of JSON without the texts whose names say that they are secret.

    >>> hidden_by_name({"users": [{"login": "demo", "totp_secret": "JBSWY"}]})
    {'users': [{'login': 'demo', 'totp_secret': '***MASKED***'}]}
    """
    if isinstance(value, dict):
        return {
            key: hidden_by_name(item, key if is_secret(str(key)) else name)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [hidden_by_name(item, name) for item in value]
    return MASK if name and isinstance(value, str) and value else value


def redact_text(text: str) -> str:
    """Return a text about a call without secrets, and what looks like one.

    >>> redact_text("ALTER ROLE odoo PASSWORD 'hunter2' -- token_count=3")
    'ALTER ROLE odoo PASSWORD ***MASKED*** -- token_count=3'
    >>> redact_text("curl -u demo:hunter2 -H 'Authorization: Bearer abc'")
    "curl -u demo:***MASKED*** -H 'Authorization: Bearer ***MASKED***'"
    """
    text = hidden(text)
    for mark, pattern in TOLD:
        if may_hold(text, mark):
            text = pattern.sub(rf"\1{MASK}", text)
    if not may_hold(text, SPOKEN_OF):
        return text
    return DETAIL.sub(_detail, ASSIGNED.sub(_assigned, text))


def _assigned(match: re.Match) -> str:
    if ABOUT_ONE.search(f"_{match['name']}"):
        return match[0]
    return f"{match['name']}{match['sign']}{MASK}"


def _detail(match: re.Match) -> str:
    if not any(is_secret(name.strip(' "')) for name in match["names"].split(",")):
        return match[0]
    return match["begin"] + MASK


def masked(name: str, value):
    """Return the value of a setting as it may be shown.

    >>> masked("db_password", "hunter2"), masked("db_password", False)
    ('***MASKED***', False)
    >>> masked("log_db", "postgresql://u:hunter2@db/log")
    'postgresql://u:***MASKED***@db/log'
    """
    if not value:
        return value
    if is_secret(name):
        return MASK
    return redact_text(value) if isinstance(value, str) else value


def redact(arguments: dict) -> str:
    """Return ``arguments`` as ASCII JSON, secrets hidden and long values cut.

    >>> redact({"login": "demo", "password": "hunter2"})
    '{"login": "demo", "password": "***MASKED***"}'
    >>> redact({"statement": "UPDATE res_users SET password = %s", "params": ["x"]})
    '{"statement": "UPDATE res_users SET password = %s", "params": ["***MASKED***"]}'
    """
    if _speaks_of_secrets(arguments):
        params = [_hidden_whole(value) for value in arguments["params"]]
        arguments = {**arguments, "params": params}
    text = json.dumps(_redact(arguments), default=str)
    if len(text) > LONGEST_TOTAL:
        text = json.dumps({"cut": _cut(text)})
    return text


def _speaks_of_secrets(arguments: dict) -> bool:
    """Tell whether the values beside a statement are for columns that are secret."""
    if not isinstance(arguments.get("params"), list):
        return False
    sql = arguments.get("statement") or arguments.get("query")
    return isinstance(sql, str) and any(
        is_secret(word) for word in re.findall(r"\w+", sql)
    )


def _hidden_whole(value):
    return value if value is None or isinstance(value, bool) else MASK


def _redact(value, name: str = ""):
    if name and is_secret(name):
        return _hidden_whole(value)
    if isinstance(value, dict):
        return {
            redact_text(str(key)): _redact(item, str(key))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact(item) for item in value]
    if isinstance(value, str):
        return _cut(redact_text(value))
    return value


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:LONGEST]}… [{len(text)} characters, sha256 {digest}]"
