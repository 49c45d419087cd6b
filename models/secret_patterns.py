"""How secrets look, and what they are called.

Each pattern of the engine that looks first, see :mod:`.quick_search`, is in every text
that the patterns beside it are in: a test compares them.
"""

import re

MASK = "***MASKED***"
"""What 1.0 showed instead of a secret setting."""

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
