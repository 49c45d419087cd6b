"""Which revision of MCP a request speaks, and whether it says so consistently.

One URL serves them all. A request of 2026-07-28 carries its revision, and mirrors
method and name in headers; anything else is of the time when a connection began with
``initialize``.
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
"""

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field

from werkzeug.datastructures import Headers

from .rpc import RpcError

VERSION_HEADER = "MCP-Protocol-Version"
METHOD_HEADER = "Mcp-Method"
NAME_HEADER = "Mcp-Name"
SESSION_HEADER = "Mcp-Session-Id"

ASKABLE = ("elicitation", "sampling", "roots")
"""Capabilities of a client that let it be asked something."""

PARTS = ("form", "url")
"""What a client may say that it can of elicitation."""

NAMED = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
"""Methods whose parameter of that name is mirrored in ``Mcp-Name``."""

ENCODED = re.compile(r"=\?base64\?(.*)\?=")
PLAIN = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True)
class Envelope:
    """What a request says of itself beside its method.

    :param modern: stateless, as from 2026-07-28 on
    :param client: clientInfo, if the client said it
    :param capabilities: what the client has declared; before 2026-07-28 that was in
        ``initialize``, of which only the session id tells
    :param headers: which repeat parts of its body; None: none are owed
    """

    revision: str
    modern: bool
    client: dict = field(default_factory=dict)
    capabilities: dict = field(default_factory=dict)
    headers: Headers | None = None


def assumed(headers: Headers) -> str:
    """Return the revision of a legacy request: what the header says, or 2025-03-26.

    Revision 2025-06-18, basic/transports: absent, the server assumes 2025-03-26.
    """
    return headers.get(VERSION_HEADER) or "2025-03-26"


def is_modern(headers: Headers, message: dict | None) -> bool:
    """Tell whether a request is stateless: by its envelope, or by its header.

    A header with a revision that nobody knows counts too: the answer then names
    what is supported.
    """
    from mcp_types import PROTOCOL_VERSION_META_KEY
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

    if PROTOCOL_VERSION_META_KEY in _meta(message):
        return True
    header = headers.get(VERSION_HEADER)
    return header is not None and header not in HANDSHAKE_PROTOCOL_VERSIONS


def open_envelope(headers: Headers, message: dict) -> Envelope:
    """Return the envelope of a request.

    :raise RpcError: a stateless request that lacks something, contradicts its
        headers, or is of a revision that is not spoken here
    """
    if is_modern(headers, message):
        return _open_modern(headers, message)
    params = message.get("params") or {}
    client = params.get("clientInfo") if message["method"] == "initialize" else None
    return Envelope(
        assumed(headers),
        modern=False,
        client=_object(client),
        capabilities=declared(headers),
    )


def session_id(capabilities: dict) -> str | None:
    """Return a session id that says what the client can be asked.

    Nothing is kept here: whatever server the session's next request comes to reads it
    in the id. Revision 2025-11-25, basic/transports: visible ASCII, unique.

    :param capabilities: of ``initialize``
    :return: None: there is nothing to say
    """
    words = []
    for name in ASKABLE:
        found = capabilities.get(name)
        if isinstance(found, dict):
            words += [f"{name}/{part}" for part in PARTS if part in found] or [name]
    return f"{'.'.join(words)}:{secrets.token_urlsafe(16)}" if words else None


def declared(headers: Headers) -> dict:
    """Return the capabilities that a session id says; see :func:`session_id`.

    >>> declared(Headers({"Mcp-Session-Id": "elicitation/form.roots:x"}))
    {'elicitation': {'form': {}}, 'roots': {}}
    """
    words = headers.get(SESSION_HEADER, "").partition(":")[0]
    found: dict[str, dict] = {}
    for word in words.split("."):
        name, _slash, part = word.partition("/")
        if name in ASKABLE:
            found.setdefault(name, {}).update({part: {}} if part else {})
    return found


def _open_modern(headers: Headers, message: dict) -> Envelope:
    from mcp_types import (
        CLIENT_CAPABILITIES_META_KEY,
        CLIENT_INFO_META_KEY,
        PROTOCOL_VERSION_META_KEY,
    )
    from mcp_types.jsonrpc import INVALID_PARAMS

    meta = _meta(message)
    keys = (PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY)
    if missing := [key for key in keys if key not in meta]:
        raise RpcError(
            INVALID_PARAMS,
            f"params._meta is missing {' and '.join(missing)}",
            status=400,
        )
    revision = meta[PROTOCOL_VERSION_META_KEY]
    _check_mirror(headers, message, revision)
    check_supported(revision)
    return Envelope(
        revision,
        modern=True,
        client=_object(meta.get(CLIENT_INFO_META_KEY)),
        capabilities=_object(meta[CLIENT_CAPABILITIES_META_KEY]),
        headers=headers,
    )


def check_supported(revision) -> None:
    """Refuse a stateless revision that is not spoken here.

    :raise RpcError: -32022, with those that are
    """
    from mcp_types.jsonrpc import UNSUPPORTED_PROTOCOL_VERSION
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS

    if revision not in MODERN_PROTOCOL_VERSIONS:
        raise RpcError(
            UNSUPPORTED_PROTOCOL_VERSION,
            "Unsupported protocol version",
            {"supported": list(MODERN_PROTOCOL_VERSIONS), "requested": revision},
            status=400,
        )


def _check_mirror(headers: Headers, message: dict, revision) -> None:
    """Refuse a request whose headers say something else than its body.

    A proxy that routes by header and a server that acts on the body must not be
    told different things.
    """
    method = message["method"]
    params = message.get("params") or {}
    owed = {VERSION_HEADER: revision, METHOD_HEADER: method}
    if method in NAMED and params.get(NAMED[method]) is not None:
        owed[NAME_HEADER] = params[NAMED[method]]
    for name, expected in owed.items():
        found = header_value(headers, name)
        if found is None or found != expected:
            raise mismatch(name)


def header_value(headers: Headers, name: str) -> str | None:
    """Return what a header stands for; None: it is not there once, or it is broken."""
    values = headers.getlist(name)
    # RFC 9110 section 5.5: white space around a value is not part of it
    return decode(values[0].strip(" \t")) if len(values) == 1 else None


def mismatch(name: str) -> RpcError:
    """Return the error of a header that does not say what the body says."""
    from mcp_types.jsonrpc import HEADER_MISMATCH

    return RpcError(
        HEADER_MISMATCH,
        f"The header {name} must be sent once and say what the body says",
        status=400,
    )


def decode(value: str) -> str | None:
    """Return what a header value stands for; None if its encoding is broken.

    Beyond ASCII it is encoded: what else is there is invalid.

    >>> decode("query_database"), decode("=?base64?w6Q=?="), decode("ä")
    ('query_database', 'ä', None)
    """
    match = ENCODED.fullmatch(value)
    if match is None:
        return value if PLAIN.fullmatch(value) else None
    try:
        return base64.b64decode(match[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _meta(message) -> dict:
    params = message.get("params") if isinstance(message, dict) else None
    return _object(params.get("_meta")) if isinstance(params, dict) else {}


def _object(value) -> dict:
    return value if isinstance(value, dict) else {}
