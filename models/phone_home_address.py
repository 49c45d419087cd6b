"""Which registry a server may be told to call, and at which addresses.

Whoever sets the URL could make the server ask what only the server can reach
(CWE-918). An internal registry is legitimate, so private networks are allowed: over TLS
alone, with a certificate of the name that was asked. Never called are link-local
addresses and the metadata services of clouds, which give credentials to whoever asks.
Checked are the addresses themselves, and the call goes to just these: a name that is
resolved anew could lead elsewhere (DNS rebinding).
"""

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

Found = TypeVar("Found")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # RFC 1122, 3.2.1.3: this host
        "169.254.0.0/16",  # RFC 3927: link-local, and metadata of most clouds
        "192.0.0.0/24",  # RFC 6890: protocol assignments, and Oracle's metadata
        "100.100.100.200/32",  # Alibaba's metadata
        "168.63.129.16/32",  # Azure's
        "224.0.0.0/4",  # RFC 5771: multicast
        "240.0.0.0/4",  # RFC 1112, 4: reserved, and broadcast
        "::/128",  # RFC 4291, 2.5.2: unspecified
        "fe80::/10",  # RFC 4291, 2.5.6: link-local
        "fec0::/10",  # RFC 3879: site-local, deprecated
        "ff00::/8",  # RFC 4291, 2.7: multicast
        "2001::/32",  # RFC 4380: Teredo
        "fd00:ec2::/32",  # Amazon's metadata
        "fd20:ce::254/128",  # Google's
    )
)
EMBEDDING = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b::/96",  # RFC 6052: NAT64
        "64:ff9b:1::/48",  # RFC 8215: the same, within one network
        "::ffff:0:0:0/96",  # RFC 2765, 2.1: IPv4-translated
        "::/96",  # RFC 4291, 2.5.5.1: IPv4-compatible
    )
)
"""The last 32 bits are an IPv4 address."""


class AddressError(ValueError):
    """A URL or address that is not called; the text says why, and what would be."""


@dataclass(frozen=True)
class Target:
    """A URL in parts.

    :param host: without brackets, as TLS and DNS want it
    :param authority: host and port as the Host header has them
    :param path: without a slash at its end
    """

    tls: bool
    host: str
    port: int
    authority: str
    path: str


def parse(url: str) -> Target:
    """Return the parts of a registry's URL.

    >>> parse("https://registry.example/hook/").path
    '/hook'
    >>> parse("http://[::1]:9977").port
    9977
    >>> parse("http://registry.example")
    Traceback (most recent call last):
    odoo.addons.odoo_dev_mcp.models.phone_home_address.AddressError: http only to \
127.0.0.1, [::1] or localhost: use https.

    :raise AddressError: it is no URL that may be called
    """
    if not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise AddressError("A URL has no spaces, and ASCII characters only.")
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError as error:
        raise AddressError(f"This is no URL: {error}.") from error
    if found.scheme not in ("http", "https") or not found.hostname:
        raise AddressError("Give a URL such as https://registry.example/hook.")
    if "@" in found.netloc:
        raise AddressError("Leave user and password out of the URL: set a secret.")
    if found.query or found.fragment or "?" in url or "#" in url:
        raise AddressError("Leave out ? and #: /register is put at the end of the URL.")
    tls = found.scheme == "https"
    if not tls and not is_loopback_name(found.hostname):
        raise AddressError("http only to 127.0.0.1, [::1] or localhost: use https.")
    return Target(
        tls=tls,
        host=found.hostname,
        port=(443 if tls else 80) if port is None else port,
        authority=found.netloc,
        path=found.path.rstrip("/"),
    )


def is_loopback_name(host: str) -> bool:
    """Tell whether a name is this machine's own (RFC 6761, 6.3), whoever resolves it.

    >>> is_loopback_name("127.0.0.1"), is_loopback_name("localhost.example")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def effective(address: Address) -> Address:
    """Return the IPv4 address that is meant by an IPv6 one, if it means one.

    >>> effective(ipaddress.ip_address("::ffff:169.254.169.254"))
    IPv4Address('169.254.169.254')
    >>> effective(ipaddress.ip_address("64:ff9b::a9fe:a9fe"))
    IPv4Address('169.254.169.254')
    """
    if address.version == 4:
        return address
    if int(address) > 1 and any(address in network for network in EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def check(address: str, target: Target) -> None:
    """Refuse an address that the host of ``target`` was resolved to.

    :raise AddressError: naming it
    """
    meant = effective(ipaddress.ip_address(address))
    if any(
        meant in network for network in FORBIDDEN if network.version == meant.version
    ):
        raise AddressError(
            f"{target.host} is {address}, which is never called: link-local, metadata, "
            "multicast or reserved."
        )
    if not target.tls and not meant.is_loopback:
        raise AddressError(f"{target.host} is {address}, not loopback: use https.")


def checked(addresses: Iterable[str], target: Target) -> list[str]:
    """Return each address once, if all of them may be called.

    :raise AddressError: naming the first that may not
    """
    found = list(dict.fromkeys(addresses))
    for address in found:
        check(address, target)
    return found


def resolve(target: Target, seconds: float) -> list[str]:
    """Return the addresses to call, all of them checked.

    :raise AddressError: there is none, one is refused, or it takes too long
    """

    def ask() -> list[tuple]:
        return socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)

    try:
        rows = within(seconds, ask)
    except TimeoutError as error:
        raise AddressError(
            f"{target.host} is not resolved within {seconds:.0f} s: check the DNS."
        ) from error
    except (OSError, UnicodeError) as error:
        raise AddressError(f"{target.host} is not resolved: {error}.") from error
    return checked((row[4][0] for row in rows), target)


def within(seconds: float, work: Callable[[], Found]) -> Found:
    """Return what ``work`` does; it is left alone when it takes more than ``seconds``.

    The system's resolver cannot be given a time.

    :raise TimeoutError: it took more
    """
    done: queue.SimpleQueue = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except Exception as error:
            done.put((None, error))

    threading.Thread(target=run, name="odoo_dev_mcp.within", daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except queue.Empty as late:
        raise TimeoutError from late
    if error:
        raise error
    return result
