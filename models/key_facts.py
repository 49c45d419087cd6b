"""What a key is, apart from the records: its form, its hash, where it may be used."""

import hashlib
import ipaddress
import re
from typing import NamedTuple

from .exceptions import NotAuthenticated

PREFIX = "odoo_mcp_"
"""Makes a key recognisable to people and to secret scanners."""

KEY = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")


def key_hash(key: str) -> str:
    """Return what is stored of a key.

    256 random bits cannot be guessed, so one sha256 is enough: a slow hash would
    cost each call milliseconds and protect nothing.
    """
    return hashlib.sha256(key.encode()).hexdigest()


class Holder(NamedTuple):
    """What a key stays for as long as it lives, remembered by each process.

    Changed behind Odoo's back, by SQL, it takes effect when Odoo clears its caches;
    what ``mcp_api_key_level`` looks at, at once.
    """

    key_id: int
    key_name: str
    uid: int
    login: str
    member: bool
    read_only: bool
    narrowed: bool
    networks: str | None
    toolset_ids: frozenset[int]
    tool_ids: frozenset[int]
    memory: dict


def refusal(row: dict | None) -> NotAuthenticated:
    """Return why a key is not good.

    :param row: as ``_look_up`` of ``mcp.api.key`` found it
    """
    if row and row["active"] and row["state"]:
        return NotAuthenticated(
            f"This key is {row['state']}. Make a new one in your preferences."
        )
    return NotAuthenticated("This key is not known here. Check it for typos.")


def parse_networks(text: str | bool) -> list:
    """Return the networks in ``text``, separated by commas.

    >>> parse_networks("192.0.2.7, 2001:db8::/32")
    [IPv4Network('192.0.2.7/32'), IPv6Network('2001:db8::/32')]

    :raise ValueError: naming what is no address or network
    """
    parts = filter(None, (part.strip() for part in (text or "").split(",")))
    return [ipaddress.ip_network(part) for part in parts]


def address_within(address: str, networks: str | bool) -> bool:
    """Tell whether ``address`` is in one of ``networks``; none given: anywhere.

    >>> address_within("192.0.2.7", "192.0.2.0/24")
    True
    >>> address_within("::ffff:192.0.2.7", "192.0.2.0/24")
    True
    """
    if not networks:
        return True
    found = ipaddress.ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in parse_networks(networks))
