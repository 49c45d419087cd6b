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

MASK = "***MASKED***"
"""What 1.0 showed instead of a secret setting."""

LONGEST = 2000
"""Characters of a value that are kept; more is cut, with its length and hash."""

LONGEST_TOTAL = 20_000
"""Characters that are kept of all arguments together."""

SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|authori[sz]ation|cookie|\bdsn|_dsn"
    r"|(^|[^a-z])pass(_|$)|(^|_)pin(_code)?$"
    r"|(api|access|private|sign(ing|ature)|encryption|master|auth|transaction|hmac"
    r"|webhook|server|merchant|pem|shared|migration)[-_. ]?key",
    re.I,
)
ABOUT_ONE = re.compile(
    r"[-_.](policy|(min_?)?length|count|u?ids?|date|at|time|expir\w*|enabled|type|name"
    r"|ur[il]|endpoint|encryption|hint|help|label|display|limit|lifetime|validity|age|required"
    r"|reset|state|status|mode|field|file|path)$"
    r"|^((max|min|num|total|prompt|input|output|completion)_)?tokens$",
    re.I,
)
"""Names that tell something of a secret, and not the secret."""

KEY = re.compile(r"odoo_mcp_[A-Za-z0-9_-]{43}")
PEM = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|\Z)", re.S)
HASH = re.compile(
    r"\$(?:pbkdf2(?:-\w+)?|scrypt|2[abxy])\$[\w./+=$-]{16,}"
    r"|\$argon2i?d?\$[\w./+=,$-]{16,}"
    r"|\$[156y]\$(?:[\w./=]{1,40}\$){1,3}[\w./]{16,}"
    r"|SCRAM-SHA-256\$[\w+/=:$]{40,}"
)
URL_PASSWORD = re.compile(r"(://[^/\s:@\"']*:)(?![$<{%])[^/\s@\"'\\]+(?=@)")
WEB_TOKEN = re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")
PROVIDER = re.compile(
    r"\b(?:A[KS]IA[A-Z2-7]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,}|gh[pousr]_\w{36,}"
    r"|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}"
    r"|[rs]k_(?:live|test)_\w{16,}|whsec_[\w+/=]{24,}|npm_\w{36}|hf_[A-Za-z]{34}"
    r"|SG\.[\w-]{16,}\.[\w-]{32,}|sk-(?=[\w-]*\d)[\w-]{32,}|pypi-[\w-]{50,})"
)
VARIABLE = re.compile(
    r"((?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_KEY|ACCESS_KEY|PRIVATE_KEY)"
    r"[A-Z0-9_]{0,20}=)(?![$<{%])('[^'\r\n]*'|\"[^\"\r\n]*\"|[^\s'\"\\;&|]+)"
)
OPTION = re.compile(
    r"\b((?:admin_passwd|db_password|smtp_password|proxy_access_token)[ \t]*=[ \t]*)"
    r"(?![\w.]*[(\[]|\w+\.\w)([^\s\\\"][^\r\n\\\"]*)"
)
SHAPES = (
    (KEY, f"odoo_mcp_{MASK}"),
    (PEM, rf"\1{MASK}"),
    (HASH, MASK),
    (URL_PASSWORD, rf"\1{MASK}"),
    (WEB_TOKEN, MASK),
    (PROVIDER, MASK),
    (VARIABLE, rf"\1{MASK}"),
    (OPTION, rf"\1{MASK}"),
)
"""What is surely secret, and what is shown."""

SURE = (
    r"odoo_mcp_|PRIVATE KEY-|\$(?:pbkdf2|argon2|scrypt|2[abxy]\$|[156y]\$)|SCRAM-SHA"
    r"|://[^/\s:@]*:[^/\s@]+@|eyJ[A-Za-z0-9_-]{10,}\.eyJ|A[KS]IA[A-Z2-7]{16}|AIza|ya29\."
    r"|gh[pousr]_[A-Za-z0-9_]{36}|github_pat_|glpat-|xox[a-z]-|[rs]k_(?:live|test)_"
    r"|whsec_|npm_[A-Za-z0-9_]{36}|hf_[A-Za-z]{34}|SG\.[A-Za-z0-9_-]{16}"
    r"|sk-[A-Za-z0-9_-]{32}|pypi-[A-Za-z0-9_-]{50}"
    r"|(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|(?:API|ACCESS|PRIVATE)_KEY)"
    r"[A-Z0-9_]{0,20}="
    r"|(?:admin_passwd|db_password|smtp_password|proxy_access_token)[ \t]*="
)
"""In every text that one of the shapes is in, and in its JSON."""

QUOTED = (
    r"[eE]?'(?:[^'\\]|\\.|'')*(?:'|\Z)"
    r'|"(?:[^"\\]|\\.)*(?:"|\Z)'
    r"|\\\"(?:[^\"\\]|\\[^\"])*(?:\\\"|\Z)"
    r"|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)"
)
BARE = (
    r"(?![\w.]*[(\[])(?!%s|%\(|\?|\$\d|(?i:null|none|true|false)\b)[^\s,;&)\]}'\"\\]+"
)
WORD = (
    r"(?:passw(?:or)?d|passphrase|(?<=_)pass(?![a-z])|pwd|secret|token|credentials?"
    r"|(?:api|access|private|secret)[-_ ]?key)"
)
ASSIGNED = re.compile(
    rf"(?P<name>{WORD}[\w-]{{0,40}})(?P<sign>[\\\"'\])]{{0,4}}\s*(?:(?:=>|:=|=)\s*"
    rf"|:\s*(?={QUOTED})|:\s*(?={BARE}[ \t]*(?:[,;}}\])\r\n]|\Z))))"
    rf"(?:{QUOTED.replace('tag', 'mark')}|{BARE})",
    re.I | re.S,
)
"""After a colon a bare word is a value where nothing follows it, else a sentence."""
ARGUMENT = re.compile(
    rf"(--?[\w-]*{WORD}[\w-]*\s+)({QUOTED}|[^\s'\"-][^\s'\"]*)", re.I | re.S
)
SQL_PASSWORD = re.compile(
    rf"(\b(?:PASSWORD|IDENTIFIED\s+BY)\s+)({QUOTED})", re.I | re.S
)
HEADER = re.compile(
    r"(authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|digest)\s+)?"
    r"|\bbearer\s+(?=[\w.~+/=-]{12}))[^\s'\"\\,]+",
    re.I,
)
COOKIE = re.compile(r"((?:\b|-)cookie:\s*|\bsession_id=)[^\r\n'\"]+", re.I)
LOGIN = re.compile(
    r"((?:^|\s)(?:-u|--user|--proxy-user)[ =]?[\"']?(?!\d+:\d+\b)[^\s:'\"]+:)[^\s'\"]+"
)
SHORT_OPTION = re.compile(
    r"(\b(?:mysql\w*|mariadb\w*|sshpass)\b[^\n|;]*?\s-p ?)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"]+)"
)
DETAIL = re.compile(
    r"(?P<begin>\bKey \((?P<names>[^)]*)\)=\()(?P<values>.*)(?=\)(?: |\.|$))", re.M
)
"""PostgreSQL's detail of a duplicate key, or of one that is not there."""

TOLD = (
    ("(?i)password|identified", SQL_PASSWORD),
    ("--?[A-Za-z]", ARGUMENT),
    ("(?i)authorization|bearer", HEADER),
    ("(?i)cookie|session_id", COOKIE),
    ("-u|--user|--proxy-user", LOGIN),
    ("mysql|mariadb|sshpass", SHORT_OPTION),
)
"""What looks like a secret that is told, and what is in every text that it is in."""

SPOKEN_OF = "(?i)pass|pwd|secret|token|credential|[-_ ]?key"


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
