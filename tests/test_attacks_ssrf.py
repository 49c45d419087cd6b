"""URLs and addresses by which phone-home would be led into the server's own network."""

import socket

from odoo.tests import BaseCase, tagged

from ..models.phone_home_address import AddressError, check, checked, parse, resolve
from .attacks.ssrf import ADDRESSES, LOOPBACK_ONLY, METADATA, RESOLVED, URLS

DECIMAL = ("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662")
"""The metadata's address, as the system's resolver reads it, too."""


@tagged("post_install", "-at_install")
class TestAttacksSsrf(BaseCase):
    def test_a_url_that_hides_its_host_is_refused_before_anything_is_resolved(self):
        for url in URLS:
            with self.subTest(url=url), self.assertRaises(AddressError):
                parse(url)

    def test_an_address_that_gives_secrets_is_never_called(self):
        for url in ("https://registry.example", "http://localhost"):
            for address in ADDRESSES:
                with self.subTest(url=url, address=address):
                    self.assertRaises(AddressError, check, address, parse(url))

    def test_an_address_of_the_network_is_not_called_without_tls(self):
        target = parse("http://localhost")
        for address in LOOPBACK_ONLY:
            with self.subTest(address=address):
                self.assertRaises(AddressError, check, address, target)
                check(address, parse("https://registry.example"))

    def test_a_name_with_one_bad_address_is_not_called_at_the_others(self):
        target = parse("https://registry.example")
        for addresses in RESOLVED:
            with self.subTest(addresses=addresses):
                self.assertRaises(AddressError, checked, addresses, target)

    def test_an_address_in_another_notation_is_refused_as_what_it_is(self):
        for text in DECIMAL:
            with self.subTest(text=text):
                self.assertEqual(
                    socket.getaddrinfo(text, 443, type=socket.SOCK_STREAM)[0][4][0],
                    METADATA,
                )
                with self.assertRaises(AddressError) as refused:
                    resolve(parse(f"https://{text}/"), 5)
                self.assertIn(METADATA, str(refused.exception))
