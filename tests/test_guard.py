"""Who the request pretends to talk to is looked at before the key; no key, no entry."""

from urllib.parse import urlsplit

from odoo.tests import tagged

from .common import FOR_USERS, MODERN, USER, McpHttpCase

OURS = "own"
OWN_ORIGIN = "own origin"


@tagged("post_install", "-at_install")
class TestGuard(McpHttpCase):
    def status(self, host=OURS, origin=None, *, key=True, path="/mcp/v1"):
        own = urlsplit(self.base_url()).netloc
        headers = {
            "Host": own if host == OURS else host,
            "Origin": self.base_url() if origin == OWN_ORIGIN else origin,
            "Authorization": f"Bearer {self.secret}" if key else None,
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        return self.send(message, headers, path=path)

    def test_hosts_that_are_this_server(self):
        port = self.http_port()
        for host in (
            OURS,
            "localhost",
            f"localhost:{port}",
            "LOCALHOST",
            "odoo.localhost",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]",
            f"[::1]:{port}",
            "192.0.2.7:8069",
            "[2001:db8::1]:8069",
        ):
            with self.subTest(host=host):
                self.assertEqual(self.status(host).status_code, 200)

    def test_a_foreign_host_is_403_even_without_a_key(self):
        for host in (
            "evil.example",
            f"evil.example:{self.http_port()}",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "127.0.0.1@evil.example",
            "evil.example#127.0.0.1",
        ):
            for key in (True, False):
                with self.subTest(host=host, key=key):
                    response = self.status(host, key=key)
                    self.assert_error(response, 403, -32004, "allowed_hosts")
                    self.assertNotIn("WWW-Authenticate", response.headers)

    def test_origins_that_may_use_the_server(self):
        for host, origin in (
            (OURS, None),
            (OURS, OWN_ORIGIN),
            (OURS, "http://localhost:6274"),
            (OURS, "http://127.0.0.1:3000"),
            (OURS, "https://localhost"),
            ("192.0.2.7:8069", "http://192.0.2.7:8069"),
        ):
            with self.subTest(host=host, origin=origin):
                response = self.status(host, origin)
                self.assertEqual(response.status_code, 200, response.text)

    def test_a_foreign_origin_is_403_before_the_key(self):
        for host, origin in (
            (OURS, "http://evil.example"),
            (OURS, "https://evil.example:8069"),
            (OURS, "null"),
            (OURS, ""),
            (OURS, "file://"),
            (OURS, "http://localhost.evil.example"),
            (OURS, "http://127.0.0.1.evil.example"),
            (OURS, "chrome-extension://abc"),
            (OURS, "nonsense"),
            (OURS, "http://[::1"),
            ("192.0.2.7", "http://localhost"),
            ("192.0.2.7", "http://192.0.2.8"),
        ):
            for key in (True, False):
                with self.subTest(host=host, origin=origin, key=key):
                    response = self.status(host, origin, key=key)
                    self.assert_error(response, 403, -32004, "allowed_origins")
                    self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    def test_an_administrator_can_add_hosts_and_origins(self):
        self.set_parameter("allowed_hosts", "odoo.example.com, other.example")
        self.set_parameter("allowed_origins", "https://chat.example.com/")
        for host, origin, expected in (
            ("odoo.example.com", None, 200),
            ("Other.Example:8443", None, 200),
            ("odoo.example.com.evil.example", None, 403),
            ("sub.odoo.example.com", None, 403),
            (OURS, "https://chat.example.com", 200),
            (OURS, "https://CHAT.example.com", 200),
            (OURS, "http://chat.example.com", 403),
            (OURS, "https://chat.example.com.evil.example", 403),
            (OURS, "https://chat.example.com:444", 403),
            ("odoo.example.com", "https://odoo.example.com", 200),
        ):
            with self.subTest(host=host, origin=origin):
                self.assertEqual(self.status(host, origin).status_code, expected)

    def test_the_base_url_of_the_database_is_a_known_host(self):
        for url, host in (
            ("https://erp.example.com", "erp.example.com"),
            ("https://erp.example.com:8443/", "erp.example.com:8443"),
            ("https://u:p@erp.example.com/path", "erp.example.com"),
        ):
            self.env["ir.config_parameter"].set_param("web.base.url", url)
            with self.subTest(url=url):
                self.assertEqual(self.status(host).status_code, 200)
                self.assertEqual(self.status("evil.example").status_code, 403)

    def test_a_browser_may_read_the_answer_that_it_may_ask_for(self):
        response = self.status(origin="http://localhost:6274")
        self.assertEqual(
            response.headers["Access-Control-Allow-Origin"], "http://localhost:6274"
        )
        self.assertIn("Origin", response.headers["Vary"])

    def test_no_key_is_401_in_json_that_says_how(self):
        for header in (
            None,
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            self.secret,
            f"Token {self.secret}",
            f"Basic {self.secret}",
            "Bearer nonsense",
            f"Bearer {self.secret} x",
            f"Bearer x{self.secret}",
        ):
            for method in ("tools/list", "no/such", "server/discover", "tools/call"):
                with self.subTest(header=header, method=method):
                    response = self.rpc(
                        method, {"name": "x"}, headers={"Authorization": header}
                    )
                    self.assert_error(response, 401, -32003)
                    challenge = response.headers["WWW-Authenticate"]
                    self.assertTrue(challenge.startswith("Bearer"), challenge)

    def test_whoever_has_no_key_learns_nothing_but_that(self):
        headers = {"Authorization": None, "MCP-Protocol-Version": MODERN}
        for body in (b"{", b"[]", b"1", {"jsonrpc": "2.0", "method": "x"}):
            with self.subTest(body=body):
                self.assert_error(self.send(body, headers), 401, -32003)

    def test_the_scheme_is_read_without_regard_to_case(self):
        for scheme in ("bearer", "BEARER", "Bearer "):
            with self.subTest(scheme=scheme):
                header = {"Authorization": f"{scheme} {self.secret}"}
                response = self.rpc("tools/list", headers=header)
                self.assertEqual(response.status_code, 200)

    def test_a_key_in_the_address_is_no_key(self):
        for name in ("key", "access_token", "api_key"):
            with self.subTest(name=name):
                path = f"/mcp/v1?{name}={self.secret}"
                self.assertEqual(self.status(key=False, path=path).status_code, 401)

    def test_health_needs_no_key(self):
        # Odoo's runner starts none
        self.set_parameter("listener_enabled", 0)
        for headers in ({}, {"Authorization": None}, {"Authorization": "Bearer x"}):
            response = self.send(b"", headers, method="GET", path="/mcp/v1/health")
            self.assertEqual(response.status_code, 200)
            body = response.json()
            self.assertEqual(set(body), {"status", "version", "odoo_version", "parts"})
            self.assertEqual(body["status"], "healthy")

    def test_capabilities_are_the_callers_own(self):
        response = self.send(b"", method="GET", path="/mcp/v1/capabilities")
        body = response.json()
        self.assertEqual(set(body), {"version", "transport", "tools", "resources"})
        self.assertEqual(body["transport"], "http/sse")
        self.assertEqual(body["tools"], self.offered())
        guest = self.make_key(self.make_user("mcp_guest", USER))
        bearer = {"Authorization": f"Bearer {guest}"}
        response = self.send(b"", bearer, method="GET", path="/mcp/v1/capabilities")
        self.assertEqual(response.json()["tools"], FOR_USERS)

    def test_capabilities_are_guarded_like_the_endpoint(self):
        path = "/mcp/v1/capabilities"
        response = self.send(b"", {"Authorization": None}, method="GET", path=path)
        self.assert_error(response, 401, -32003)
        self.assert_error(self.status("evil.example", path=path), 403, -32004)

    def test_the_anonymous_user_is_off_until_an_administrator_names_one(self):
        self.assertEqual(self.status(key=False).status_code, 401)
        self.set_parameter("anonymous_user_id", self.developer.id)
        response = self.status(key=False)
        self.assertEqual(response.status_code, 200, response.text)
        names = [tool["name"] for tool in response.json()["result"]["tools"]]
        self.assertEqual(names, self.offered())

    def test_the_anonymous_user_does_not_come_through_a_proxy(self):
        self.set_parameter("anonymous_user_id", self.developer.id)
        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"):
            with self.subTest(header=header):
                headers = {"Authorization": None, header: "192.0.2.7"}
                response = self.rpc("tools/list", headers=headers)
                self.assertEqual(response.status_code, 401, response.text)

    def test_a_wrong_key_is_not_taken_for_no_key(self):
        self.set_parameter("anonymous_user_id", self.developer.id)
        for header in ("Bearer nonsense", "Basic eDp5", "Bearer", ""):
            with self.subTest(header=header):
                response = self.rpc("tools/list", headers={"Authorization": header})
                self.assertEqual(response.status_code, 401, response.text)

    def test_an_anonymous_user_must_be_an_active_mcp_user(self):
        self.set_parameter("anonymous_user_id", self.make_user("mcp_nobody").id)
        self.assertEqual(self.status(key=False).status_code, 403)
        self.developer.active = False
        for value in (self.developer.id, 10**9, -1, "nonsense"):
            self.set_parameter("anonymous_user_id", value)
            with self.subTest(value=value):
                if value == "nonsense":
                    with self.assertLogs("odoo.addons.odoo_dev_mcp.models.parameters"):
                        response = self.status(key=False)
                else:
                    response = self.status(key=False)
                self.assertEqual(response.status_code, 401, response.text)
