"""What the audit may keep of a call's arguments."""

import hashlib
import json
import re

LONGEST = 2000
"""Characters of a value that are kept; more is cut, with its length and hash."""

LONGEST_TOTAL = 20_000
"""Characters that are kept of all arguments together."""

SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|authori[sz]ation|cookie|\bdsn|_dsn"
    r"|(api|access|private|signing|encryption|master|auth)[-_. ]?key|pass(_|$)",
    re.I,
)
SECRET_VALUE = re.compile(r"odoo_mcp_[A-Za-z0-9_-]{43}")


def redact(arguments: dict) -> str:
    """Return ``arguments`` as ASCII JSON, secrets hidden and long values cut.

    >>> redact({"login": "demo", "password": "hunter2"})
    '{"login": "demo", "password": "***"}'
    """
    text = json.dumps(_redact(arguments), default=str)
    if len(text) > LONGEST_TOTAL:
        text = json.dumps({"cut": _cut(text)})
    return text


def _redact(value, name: str = ""):
    if name and SECRET_NAME.search(name):
        return "***"
    if isinstance(value, dict):
        return {str(key): _redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(item) for item in value]
    if isinstance(value, str):
        return _cut(SECRET_VALUE.sub("odoo_mcp_***", value))
    return value


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:LONGEST]}… [{len(text)} characters, sha256 {digest}]"
