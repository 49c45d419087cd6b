"""What the audit may keep of a call's arguments."""

import hashlib
import json
import re

LONGEST = 2000
"""Characters of a value that are kept; more is cut, with its length and hash."""

SECRET_NAME = re.compile(
    r"passw|secret|token|api_?key|private_?key|credential|authorization", re.I
)
SECRET_VALUE = re.compile(r"odoo_mcp_[A-Za-z0-9_-]{43}")


def redact(arguments: dict) -> str:
    """Return ``arguments`` as ASCII JSON, secrets hidden and long values cut.

    >>> redact({"login": "demo", "password": "hunter2"})
    '{"login": "demo", "password": "***"}'
    """
    return json.dumps(_redact(arguments), default=str)


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
