"""Guesses at a key, made from the true one: ``{key}`` it, ``{head}`` what is shown of
it, ``{hash}`` what is stored."""

from typing import NamedTuple


class Guess(NamedTuple):
    """:param header: the whole value of Authorization"""

    kind: str
    header: str


GUESSES = [
    *(
        Guess("parts", f"Bearer {text}")
        for text in (
            *("{head}", "{hash}", "{id}", "{name}", "{login}", "{key0}", "{0key}"),
            *("{key}{key}", "{key}=", "{key}a", "a{key}", "{middle}", "{reversed}"),
            *("odoo_mcp_", "odoo_mcp_{hash}", "sha256:{hash}", "{upper}", "{lower}"),
            *(
                "{key},{key}",
                "{key};",
                "{key}\\0",
                "{key}%00",
                "{key}%0a",
                "%6fdoo{tail}",
            ),
            *(
                "{key} {key}",
                "{key}\t{key}",
                "'{key}'",
                '"{key}"',
                "<{key}>",
                "[{key}]",
            ),
            *("{fullwidth}", "{key}\u00ad", "{key}\u00e4"),
        )
    ),
    *(
        Guess("schemes", text)
        for text in (
            *(
                "{key}",
                "Basic {key}",
                "Token {key}",
                "Key {key}",
                "MAC {key}",
                "Digest {key}",
            ),
            *("Bearer", "Bearer ", "Bearer\t{key}", "Bearer{key}", "Bearer:{key}"),
            *(
                "Bearer={key}",
                "Bearer, {key}",
                "BearerBearer {key}",
                "Bearer Bearer {key}",
            ),
            *(
                "Basic {base64}",
                "x Bearer {key}",
                "Bearer token={key}",
                'Bearer "{key}"',
            ),
            *("Bearer {key}, Bearer {key}", "Bearer {key}, Basic x", "OAuth {key}", ""),
        )
    ),
    *(
        Guess("queries", f"Bearer {text}")
        for text in (
            *(
                "' OR '1'='1",
                "' OR 1=1 --",
                "odoo_mcp_%",
                "odoo\\_mcp\\_%",
                "%",
                "_" * 52,
            ),
            *(
                "odoo_mcp_' UNION SELECT 1 --",
                "'; DELETE FROM mcp_api_key; --",
                "$1",
                "%s",
            ),
            *("odoo_mcp_" + "_" * 43, "odoo_mcp_" + "%" * 43, "odoo_mcp_" + "?" * 43),
            *(
                "odoo_mcp_.*",
                "{'$ne': null}",
                "null",
                "None",
                "undefined",
                "true",
                "0",
                "*",
            ),
            *("odoo_mcp_" + "A" * 43, "odoo_mcp_" + "-" * 43, "odoo_mcp_" + "a" * 42),
            *("odoo_mcp_" + "A" * 44, "odoo_mcp_" + "A" * 9000, "../../etc/passwd"),
            *(
                "${jndi:ldap://127.0.0.1/a}",
                "{{7*7}}",
                "<script>",
                "eyJhbGciOiJub25lIn0.e30.",
            ),
        )
    ),
]

ELSEWHERE = {
    "X-Api-Key": "{key}",
    "Api-Key": "{key}",
    "X-Authorization": "Bearer {key}",
    "X-Forwarded-Authorization": "Bearer {key}",
    "Proxy-Authorization": "Bearer {key}",
    "Authorization-Bearer": "{key}",
    "X-Odoo-Dbfilter": ".*",
    "X-MCP-Key": "{key}",
    "X-Original-Authorization": "Bearer {key}",
    "X-Remote-User": "admin",
    "Remote-User": "admin",
    "X-Forwarded-User": "admin",
    "X-Forwarded-For": "127.0.0.1",
    "Forwarded": "for=127.0.0.1",
    "Referer": "http://localhost/?key={key}",
}
"""Headers that a key, or a name, is not taken from."""
