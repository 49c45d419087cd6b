"""What a statement names, as far as that decides what in its result is secret."""

import functools

from .quick_search import may_hold
from .redaction import is_secret
from .sql_lexer import Token, tokens

BY_NAME = {
    "auth_totp_device": {"key"},
    "certificate_key": {"content", "pem_key"},
    "fetchmail_server": {"password"},
    "iap_account": {"account_token"},
    "ir_mail_server": {"smtp_pass", "smtp_ssl_private_key"},
    "mcp_api_key": {"key_hash"},
    "payment_provider": set(),
    "pg_subscription": {"subconninfo"},
    "pg_user_mapping": {"umoptions"},
    "pg_user_mappings": {"umoptions"},
    "res_company_ldap": {"ldap_password"},
    "res_users": {"password", "totp_secret"},
    "res_users_apikeys": {"key"},
}
"""Tables whose rows are secret as a whole, with columns that are secret although their
names may not say so. The read-only role may not read these either."""

PARAMETERS = "ir_config_parameter"
"""Its values are secret where their keys say so."""

NO_ALIAS = frozenset(
    {
        *("where", "join", "left", "right", "inner", "full", "cross", "natural", "on"),
        *("using", "group", "order", "limit", "offset", "union", "intersect", "except"),
        *("having", "window", "for", "fetch", "set", "returning", "values", "default"),
        "tablesample",
    }
)

BEFORE_TABLE = frozenset({"from", "join", "update", "into", "only", "using", ",", "."})


class Statement:
    """The identifiers of a statement, as far as they decide what is secret."""

    def __init__(self, query: str) -> None:
        self.tokens = [*tokens(query)] if may_hold(query, SPEAKS) else []
        self.words = {token.name for token in self.tokens if token.name}
        self.explains = bool(self.tokens) and self.tokens[0].name == "explain"
        self.tables = BY_NAME.keys() & self.words
        own = set().union(*(BY_NAME[table] for table in self.tables))
        self.names_secrets = bool(own & self.words) or any(map(is_secret, self.words))

    @functools.cached_property
    def computes(self) -> bool:
        """Whether an expression in it may hold a secret."""
        return self.names_secrets or any(
            _is_row(self.tokens, table) for table in self.tables
        )


SPEAKS = (
    "(?i)pass|pwd|secret|token|credential|key|authori|cookie|dsn|pin"
    f"|{PARAMETERS}|{'|'.join(BY_NAME)}"
)
"""In each statement that names what :func:`is_secret` or the tables above."""


def _is_row(found: list[Token], table: str) -> bool:
    """Tell whether a statement uses whole rows of a table as values.

    >>> _is_row([*tokens("SELECT u::text FROM res_users u")], "res_users")
    True
    >>> _is_row([*tokens("SELECT upper(u.login) FROM res_users AS u")], "res_users")
    False
    """
    names = [token.name for token in found] + [None, None]
    texts = [token.text for token in found] + ["", ""]
    declared, aliases = set(), {table}
    for at, name in enumerate(names):
        if name == table and texts[at - 1].lower() in BEFORE_TABLE:
            declared.add(at)
            after = at + 1 + (names[at + 1] == "as")
            if names[after] and names[after] not in NO_ALIAS:
                declared.add(after)
                aliases.add(names[after])
    return any(
        name in aliases and at not in declared and texts[at + 1] != "."
        for at, name in enumerate(names)
        if name
    )
