"""Phone-home: whom a server may be told to call, and what it sends."""

import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest import SkipTest
from unittest.mock import patch

from odoo import release
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, tagged

from ..models import phone_home_payload, phone_home_plan, phone_home_state
from ..models.phone_home_address import (
    AddressError,
    check,
    checked,
    parse,
    resolve,
    within,
)
from ..models.phone_home_call import CallError, send, signature
from .common import ADMINISTRATOR, DEVELOPER, McpCase, McpHttpCase

KEYS = {
    "server_id",
    "hostname",
    "ip_addresses",
    "port",
    "transport",
    "version",
    "odoo_version",
    "database",
    "capabilities",
    "started_at",
}


class Registry(HTTPServer):
    """Keeps what it is sent, and answers 200 with a word."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Handler)
        self.calls: list[tuple[str, dict, bytes]] = []

    @property
    def port(self) -> int:
        return self.server_address[1]

    @contextmanager
    def serving(self):
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join(5)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"welcome")

    def log_message(self, *_arguments):
        """Odoo's log is for Odoo."""


@tagged("post_install", "-at_install")
class TestPhoneHomeAddress(BaseCase):
    def test_urls_that_may_be_called(self):
        for url, port, path in (
            ("https://registry.example/hook/", 443, "/hook"),
            ("https://10.1.2.3:8443", 8443, ""),
            ("http://127.0.0.1:9977/hook", 9977, "/hook"),
            ("http://[::1]:9977/a/b", 9977, "/a/b"),
            ("http://localhost", 80, ""),
        ):
            with self.subTest(url=url):
                target = parse(url)
                self.assertEqual((target.port, target.path), (port, path))

    def test_urls_that_are_refused(self):
        for url, word in (
            ("http://registry.example/hook", "https"),
            ("http://10.1.2.3/hook", "https"),
            ("http://169.254.169.254/latest", "https"),
            ("http://2130706433/hook", "https"),
            ("http://localhost.registry.example/", "https"),
            ("http://localhost@registry.example/", "user"),
            ("https://user:pw@registry.example/", "user"),
            ("https://@registry.example/", "user"),
            ("ftp://registry.example/", "URL"),
            ("registry.example/hook", "URL"),
            ("https://", "URL"),
            ("https://registry.example:port/", "URL"),
            ("https://registry.example:70000/", "URL"),
            ("https://registry.example/?a=1", "?"),
            ("https://registry.example/#a", "#"),
            ("https://registry.example/?", "?"),
            ("https://regis try.example/", "spaces"),
            ("https://registry.example/\nHost: x", "spaces"),
            ("https://registry.example\\@127.0.0.1/", "spaces"),
            ("https://régistry.example/", "ASCII"),
        ):
            with self.subTest(url=url), self.assertRaises(AddressError) as caught:
                parse(url)
            self.assertIn(word, str(caught.exception))

    def test_addresses_that_are_never_called(self):
        target = parse("https://registry.example")
        for address in (
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "fe80::1",
            "fe80::1%lo",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
        ):
            with self.subTest(address=address), self.assertRaises(AddressError) as no:
                check(address, target)
            self.assertIn(address, str(no.exception))

    def test_private_networks_are_called_over_tls_alone(self):
        for address in ("10.1.2.3", "192.168.1.1", "172.16.0.1", "fd12:3456::1"):
            with self.subTest(address=address):
                check(address, parse("https://registry.example"))
                with self.assertRaises(AddressError):
                    check(address, parse("http://localhost"))
        check("127.0.0.1", parse("http://localhost"))
        check("::1", parse("http://localhost"))

    def test_what_the_resolver_makes_of_a_name_is_checked(self):
        # the resolver's own forms of 169.254.169.254
        for host in ("169.254.169.254", "2852039166", "0xa9fea9fe", "169.16689662"):
            with self.subTest(host=host), self.assertRaises(AddressError) as no:
                resolve(parse(f"https://{host}/"), 5)
            self.assertIn("169.254.169.254", str(no.exception))
        self.assertEqual(resolve(parse("http://127.0.0.1:1"), 5), ["127.0.0.1"])

    def test_one_bad_address_of_several_refuses_the_name(self):
        target = parse("https://registry.example")
        good = ["192.0.2.1", "2001:db8::1", "192.0.2.1"]
        self.assertEqual(checked(good, target), good[:2])
        with self.assertRaises(AddressError) as no:
            checked([*good, "169.254.169.254"], target)
        self.assertIn("169.254.169.254", str(no.exception))

    def test_work_that_hangs_is_left_alone(self):
        released = threading.Event()
        self.addCleanup(released.set)
        began = time.monotonic()
        with self.assertRaises(TimeoutError):
            within(0.3, released.wait)
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(within(5, lambda: 7), 7)
        with self.assertRaises(ZeroDivisionError):
            within(5, lambda: 1 / 0)


@tagged("post_install", "-at_install")
class TestPhoneHomeCall(BaseCase):
    def test_body_is_signed_as_the_readme_says(self):
        with Registry().serving() as registry:
            url = f"http://127.0.0.1:{registry.port}/hook"
            answer = send(url, "register", {"server_id": "ä"}, "hush")
            send(url, "heartbeat", {"server_id": "ä"}, "")
        (path, headers, body), (other, unsigned, _body) = registry.calls
        digest = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-Odoo-MCP-Signature"], f"sha256={digest}")
        self.assertEqual(signature(body, "hush"), f"sha256={digest}")
        self.assertNotIn("X-Odoo-MCP-Signature", unsigned)
        self.assertEqual((path, other), ("/hook/register", "/hook/heartbeat"))
        self.assertEqual(headers["Host"], f"127.0.0.1:{registry.port}")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(json.loads(body), {"server_id": "ä"})
        self.assertEqual((answer.status, answer.text), (200, "welcome"))

    def test_proxy_of_the_environment_is_not_asked(self):
        nobody = {
            "http_proxy": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }
        with Registry().serving() as registry, patch.dict("os.environ", nobody):
            send(f"http://127.0.0.1:{registry.port}", "register", {}, "")
        self.assertEqual(registry.calls[0][0], "/register")

    def test_tls_is_verified_against_the_name_whatever_the_address(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("localhost", "other.example"):
                certify(Path(folder), name)
            trust = Path(folder, "trust.pem")
            own, other = (
                Path(folder, f"{n}.pem") for n in ("localhost", "other.example")
            )
            trust.write_text(own.read_text() + other.read_text())
            with tls_registry(own) as registry:
                url = f"https://localhost:{registry.port}/hook"
                with self.assertRaises(CallError) as no:
                    send(url, "register", {}, "")
                self.assertIn("certificate is not trusted", str(no.exception))
                with patch.dict("os.environ", {"SSL_CERT_FILE": str(trust)}):
                    self.assertEqual(send(url, "register", {}, "").status, 200)
                    with self.assertRaises(CallError) as no:
                        send(url.replace("localhost", "127.0.0.1"), "register", {}, "")
                    self.assertIn("127.0.0.1", str(no.exception))
            with (
                tls_registry(other) as registry,
                patch.dict("os.environ", {"SSL_CERT_FILE": str(trust)}),
                self.assertRaises(CallError) as no,
            ):
                send(f"https://localhost:{registry.port}", "register", {}, "")
            self.assertIn("certificate is not trusted", str(no.exception))
            self.assertEqual(registry.calls, [])

    def test_handshake_that_hangs_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            began = time.monotonic()
            with self.assertRaises(CallError) as no:
                url = f"https://localhost:{silent.getsockname()[1]}"
                send(url, "register", {}, "", seconds=0.5)
            self.assertLess(time.monotonic() - began, 5)
        self.assertIn("within 0.5 s", str(no.exception))


def certify(folder: Path, name: str) -> None:
    """Write NAME.pem: a key and a certificate that it signed itself."""
    path = folder / f"{name}.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    argv += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    try:
        subprocess.run(
            [*argv, "-keyout", f"{path}.key", "-out", f"{path}.crt"],
            check=True,
            capture_output=True,
            timeout=60,
        )
    except FileNotFoundError as error:
        raise SkipTest("openssl is not installed") from error
    path.write_text(Path(f"{path}.crt").read_text() + Path(f"{path}.key").read_text())


@contextmanager
def tls_registry(certificate: Path):
    registry = Registry()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    registry.socket = context.wrap_socket(registry.socket, server_side=True)
    registry.handle_error = lambda *_arguments: None
    with registry.serving():
        yield registry


@tagged("post_install", "-at_install")
class TestPhoneHomePlan(BaseCase):
    settings = phone_home_plan.Settings("https://registry.example", "hush", 60)
    server = phone_home_plan.Server([1, 2], [1, 2], "today", 1000.0)

    def entry(self, **values):
        values = {
            "url": self.settings.url,
            "seal": self.settings.seal(self.settings.url),
            "payload": {"server_id": "db_host"},
            "server": [1, 2],
            "started_at": "today",
            "at": 990.0,
            **values,
        }
        return phone_home_plan.Entry(**values)

    def next(self, **values):
        return phone_home_plan.next_call(
            self.entry(**values), self.settings, self.server
        )

    def test_next_call(self):
        this = phone_home_plan.this_server().identity
        gone = [this[0], this[1] + 1]
        for values, wanted in (
            ({}, ("heartbeat", 50)),
            ({"at": 900.0}, ("heartbeat", 0)),
            ({"payload": None, "failures": 1}, ("register", 0)),
            ({"payload": None, "failures": 3}, ("register", 10)),
            ({"failures": 2}, ("heartbeat", 0)),
            ({"started_at": "yesterday"}, ("register", 0)),
            ({"seal": "another"}, ("register", 0)),
            ({"url": "https://other.example"}, ("register", 0)),
            ({"until": 1010.0, "caller": this}, ("", 10)),
            # a call that failed, a process that died or was executed anew, a clock
            # that was set back
            ({"until": 999.0, "caller": this, "at": 900.0}, ("heartbeat", 0)),
            ({"until": 1010.0, "caller": gone, "at": 900.0}, ("heartbeat", 0)),
            (
                {"until": 1010.0, "caller": this, "started_at": "yesterday"},
                ("register", 0),
            ),
            ({"until": 5000.0, "caller": this, "at": 900.0}, ("heartbeat", 0)),
            ({"at": 5000.0}, ("heartbeat", 0)),
            # another server, that lives or does not
            ({"server": this, "started_at": "now"}, ("register", 80)),
            ({"server": gone, "started_at": "now"}, ("register", 0)),
        ):
            with self.subTest(values=values):
                self.assertEqual(self.next(**values), wanted)

    def test_no_url_is_no_call(self):
        nobody = phone_home_plan.Settings("", "", 60)
        none = phone_home_plan.next_call(phone_home_plan.Entry(), nobody, self.server)
        self.assertEqual(none, ("", 0))
        left = phone_home_plan.next_call(self.entry(), nobody, self.server)
        self.assertEqual(left, ("deregister", 0))


@tagged("post_install", "-at_install")
class TestPhoneHome(McpCase):
    def payload(self):
        self.env.flush_all()
        return phone_home_payload.payload(self.env.cr)

    def test_what_another_worker_wrote_meanwhile_is_no_clock_that_was_set_back(self):
        self.set_parameter("phone_home_url", "https://registry.example")
        self.env.flush_all()
        server = phone_home_plan.this_server()
        [call], _seconds = phone_home_state.claim(self.env.cr, server)
        # the other worker began after this one, and has ended already
        later = replace(server, now=time.time())
        phone_home_state.settle(self.env.cr, later, call, answer="agreed")
        calls, seconds = phone_home_state.claim(self.env.cr, server)
        self.assertFalse(calls)
        self.assertGreater(seconds, 50)

    def test_payload_is_just_what_is_documented(self):
        payload = self.payload()
        self.assertEqual(set(payload), KEYS)
        host = socket.gethostname()
        self.assertEqual(payload["server_id"], f"{self.env.cr.dbname}_{host}")
        self.assertEqual(payload["hostname"], host)
        self.assertEqual(payload["database"], self.env.cr.dbname)
        self.assertEqual(payload["transport"], "http/sse")
        self.assertEqual(payload["odoo_version"], release.version)
        self.assertEqual(payload["version"], "1.0.0")
        self.assertEqual(set(payload["ip_addresses"]), {"primary", "all"})
        self.assertIn(
            payload["ip_addresses"]["primary"], payload["ip_addresses"]["all"]
        )
        self.assertRegex(
            payload["started_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
        )
        self.assertIn("query_database", payload["capabilities"])
        self.assertEqual(json.loads(json.dumps(payload)), payload)

    def test_port_and_capabilities_are_those_in_force(self):
        self.set_parameter("listener_port", 1234)
        self.set_parameter("listener_enabled", 1)
        self.assertEqual(self.payload()["port"], 1234)
        self.set_parameter("listener_enabled", 0)
        self.assertNotEqual(self.payload()["port"], 1234)
        self.tool("execute_command").active = False
        self.assertNotIn("execute_command", self.payload()["capabilities"])

    def test_settings_refuse_what_would_not_be_called(self):
        for values in (
            {"mcp_phone_home_url": "http://registry.example/hook"},
            {"mcp_phone_home_url": "https://user:pw@registry.example/hook"},
            {"mcp_phone_home_url": "nothing"},
            {"mcp_phone_home_seconds": 4},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.env["res.config.settings"].create(values)
        self.env["res.config.settings"].create(
            {"mcp_phone_home_url": " https://registry.example/hook "}
        )

    def test_secret_is_for_settings_administrators(self):
        self.set_parameter("phone_home_secret", "hush-hush")
        for group in (DEVELOPER, ADMINISTRATOR):
            user = self.make_user(f"mcp_{group}", group)
            own = self.env(user=user)
            with self.assertRaises(AccessError):
                own["res.config.settings"].create({})
            with self.assertRaises(AccessError):
                own["ir.config_parameter"].search([]).mapped("value")
            with self.assertRaises(AccessError):
                own["mcp.phone.home"]._test("https://registry.example", "")

    def test_secret_is_in_no_configuration_that_is_told_and_in_no_audit_entry(self):
        self.set_parameter("phone_home_secret", "hush-hush")
        self.assertNotIn("hush-hush", json.dumps(self.ok("read_config")))
        self.call("list_modules", mcp_phone_home_secret="hush-hush")
        self.assertNotIn("hush-hush", str(self.entries()[0].read()))

    def test_each_host_is_told_in_settings(self):
        registered = {
            "payload": {"server_id": "db_one"},
            "at": 1_700_000_000.0,
            "answer": "heartbeat: HTTP 200 in 3 ms: fine",
        }
        failed = {"error": "register: nobody listens there", "failures": 2, "at": 1.0}
        state = {"one": registered, "two": failed}
        self.set_parameter("phone_home_state", json.dumps(state))
        settings = self.env["res.config.settings"].create({})
        self.assertFalse(settings.mcp_phone_home_state)
        self.set_parameter("phone_home_url", "https://registry.example")
        settings = self.env["res.config.settings"].create({})
        self.assertIn("one: registered as db_one", settings.mcp_phone_home_state)
        self.assertIn("HTTP 200 in 3 ms: fine", settings.mcp_phone_home_state)
        self.assertIn("two: register: nobody", settings.mcp_phone_home_error)
        self.assertIn("failed 2 times", settings.mcp_phone_home_error)


@tagged("post_install", "-at_install")
class TestPhoneHomeButton(McpHttpCase):
    def press(self, url, secret=False):
        settings = self.env["res.config.settings"].create(
            {"mcp_phone_home_url": url, "mcp_phone_home_secret": secret}
        )
        self.env.flush_all()
        self.log_in(self.env.ref("base.user_admin"))
        answer = self.call_kw(
            "res.config.settings", "action_mcp_test_phone_home", settings.ids
        )
        return answer["result"]["params"]

    def test_button_shows_the_answer(self):
        with Registry().serving() as registry:
            shown = self.press(f"http://127.0.0.1:{registry.port}/hook", "hush")
        self.assertEqual(shown["type"], "success")
        self.assertRegex(shown["message"], r"register: HTTP 200 in \d+ ms: welcome")
        [(path, headers, body)] = registry.calls
        self.assertEqual(path, "/hook/register")
        self.assertEqual(headers["X-Odoo-MCP-Signature"], signature(body, "hush"))
        self.assertEqual(set(json.loads(body)), KEYS)

    def test_button_shows_the_error_with_the_remedy(self):
        shown = self.press("http://127.0.0.1:9/hook")
        self.assertEqual(shown["type"], "danger")
        self.assertIn("127.0.0.1:9: nobody listens there", shown["message"])
        shown = self.press("https://169.254.169.254/hook")
        self.assertIn("never called", shown["message"])
