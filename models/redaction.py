"""What is secret by its meaning: in arguments, in settings, in text."""

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
KEY = re.compile(r"odoo_mcp_[A-Za-z0-9_-]{43}")
URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")
DSN_PASSWORD = re.compile(r"(\bpassword\s*=\s*)('[^']*'|\S+)", re.I)
PEM = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|\Z)", re.S)

MASK = "***MASKED***"
"""What 1.0 showed instead of a secret setting."""


def redact_text(text: str) -> str:
    """Return ``text`` without keys, passwords in URLs and DSNs, and private keys.

    >>> redact_text("postgresql://odoo:hunter2@db/x and password=hunter2")
    'postgresql://odoo:***@db/x and password=***'
    """
    text = KEY.sub("odoo_mcp_***", text)
    text = URL_PASSWORD.sub(r"\1***", text)
    text = DSN_PASSWORD.sub(r"\1***", text)
    return PEM.sub(r"\1***", text)


def masked(name: str, value):
    """Return the value of a setting as it may be shown.

    >>> masked("db_password", "hunter2"), masked("db_password", False)
    ('***MASKED***', False)
    >>> masked("log_db", "postgresql://u:hunter2@db/log")
    'postgresql://u:***@db/log'
    """
    if not value:
        return value
    if SECRET_NAME.search(name):
        return MASK
    return redact_text(value) if isinstance(value, str) else value


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
        return _cut(redact_text(value))
    return value


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:LONGEST]}… [{len(text)} characters, sha256 {digest}]"
