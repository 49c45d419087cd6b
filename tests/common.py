"""The two kinds of cases, and what they take for granted."""

import json
import tempfile
import time
from pathlib import Path

from odoo import Command
from odoo.tests import HttpCase, TransactionCase, new_test_user
from odoo.tools import mute_logger

from ..models.boundary import BEGINS, ENDS
from ..models.caller import Call, Credentials
from ..models.registrar import Registrar

ENDPOINT = "/mcp/v1"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
META = "io.modelcontextprotocol"

USER = "odoo_dev_mcp.odoo_dev_mcp_group_user"
DEVELOPER = "odoo_dev_mcp.odoo_dev_mcp_group_developer"
ADMINISTRATOR = "odoo_dev_mcp.odoo_dev_mcp_group_administrator"
SETTINGS = "base.group_system"

FOR_USERS = ["check_access", "search_records", "write_records"]
"""The built-in tools that are not for developers alone."""

NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def unmarked(found):
    """A JSON object without the marks around what others wrote."""
    return {name: found[name] for name in found if name not in (BEGINS, ENDS)}


def unmarked_text(text):
    """A plain text without the lines with the marks around it."""
    return "\n".join(text.split("\n")[1:-1])


class McpHelpers:
    """What both kinds set up: a developer with a key, and an audit file of their own.

    Rules are so wide that no test meets one by accident: those about limits make
    their own.
    """

    @classmethod
    def _set_up_mcp(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.audit_path = Path(folder.name) / "audit.log"
        cls.set_parameter("audit_file", cls.audit_path)
        cls.env["mcp.rate.limit"].with_context(active_test=False).search([]).write(
            {"calls": 1_000_000}
        )
        cls.developer = cls.make_user("mcp_developer", DEVELOPER)
        cls.secret = cls.make_key(cls.developer)

    @classmethod
    def set_parameter(cls, name, value):
        """Set one of the addon's system parameters."""
        parameters = cls.env["ir.config_parameter"]
        parameters.set_param(f"odoo_dev_mcp.{name}", str(value))

    @classmethod
    def make_user(cls, login, *groups):
        """A user whose password is the login; no group named: an internal user."""
        return new_test_user(cls.env, login, ",".join(groups or ["base.group_user"]))

    @classmethod
    def make_key(cls, user, **values):
        """A key of ``user``; ``values`` narrow it, as the wizard's fields do."""
        values = {"name": f"key of {user.login}", **values}
        return cls.env["mcp.api.key"]._generate(user, values)

    @classmethod
    def make_tool(cls, name, code, **values):
        """A tool of an administrator's own, on ``res.partner``, for every MCP user."""
        model = values.pop("model", "res.partner")
        action = cls.env["ir.actions.server"].create(
            {
                "name": name,
                "model_id": cls.env["ir.model"]._get_id(model),
                "usage": "mcp_tool",
                "state": "code",
                "code": code,
            }
        )
        return cls.env["mcp.tool"].create(
            {
                "name": name,
                "title": name,
                "description": f"The tool {name} of a test.",
                "toolset_id": cls.env.ref("odoo_dev_mcp.mcp_toolset_modules").id,
                "server_action_id": action.id,
                **values,
            }
        )

    @classmethod
    def tool(cls, name):
        """The record of a built-in tool."""
        return cls.env.ref(f"odoo_dev_mcp.mcp_tool_{name}")

    def entries(self, **criteria):
        """The audit entries with these values, newest first."""
        self.env.invalidate_all()
        domain = [(name, "=", value) for name, value in criteria.items()]
        return self.env["mcp.audit.log"].search(domain)


class McpCase(McpHelpers, TransactionCase):
    """Calls tools through the registrar, as a door does, without HTTP.

    The registry gives out the test's own cursor, so that a call sees what the test
    has written, and all of it is rolled back.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if hasattr(cls, "registry_enter_test_mode_cls"):
            cls.registry_enter_test_mode_cls()
        else:
            cls.registry.enter_test_mode(cls.cr)
            cls.addClassCleanup(cls.registry.leave_test_mode)
        cls._set_up_mcp()

    def call(self, name, /, _secret=None, _registrar=None, **arguments):
        """The outcome of a tool call, by the developer if nobody else is named."""
        self.env.flush_all()
        self.env.invalidate_all()
        registrar = _registrar or Registrar(self.registry)
        return registrar.call_tool(
            Credentials(_secret or self.secret, "127.0.0.1"),
            Call(name=name, arguments=arguments, revision=MODERN),
        )

    def ok(self, name, /, **arguments):
        """The structured result of a call that must succeed."""
        outcome = self.call(name, **arguments)
        self.assertFalse(outcome.is_error, outcome.text)
        return outcome.structured

    def refused(self, name, /, **arguments):
        """The text of a call that must fail with ``isError``."""
        outcome = self.call(name, **arguments)
        self.assertTrue(outcome.is_error, outcome.text)
        self.assertIsNone(outcome.structured)
        return outcome.text


class McpHttpCase(McpHelpers, HttpCase):
    """Speaks to the server over real HTTP, by default in the newest revision.

    A header that is given as None is left out; a body of bytes is sent as it is.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_mcp()

    def send(self, body, headers=None, *, method="POST", path=ENDPOINT):
        """The HTTP response to any body, however wrong."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        wanted = {
            "Authorization": f"Bearer {self.secret}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **(headers or {}),
        }
        return self.opener.request(
            method,
            self.base_url() + path,
            data=raw,
            headers=wanted,
            timeout=60,
            allow_redirects=False,
        )

    def rpc(
        self,
        method,
        params=None,
        *,
        revision=MODERN,
        headers=None,
        path=ENDPOINT,
        **message,
    ):
        """The HTTP response to a request that is right for ``revision``."""
        params = dict(params or {})
        mirror = {"MCP-Protocol-Version": revision}
        if method == "initialize" or revision == "2024-11-05":
            mirror = {}
        if revision == MODERN:
            owed = {
                f"{META}/protocolVersion": revision,
                f"{META}/clientCapabilities": {},
            }
            params["_meta"] = owed | params.get("_meta", {})
            mirror["Mcp-Method"] = method
            if method in NAMED_BY:
                mirror["Mcp-Name"] = params.get(NAMED_BY[method], "")
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        sent = {**mirror, **(headers or {})}
        return self.send({**body, **message}, sent, path=path)

    def call(self, name, /, _secret=None, _revision=MODERN, **arguments):
        """The HTTP response to a tool call, by the developer if nobody is named."""
        return self.rpc(
            "tools/call",
            {"name": name, "arguments": arguments},
            revision=_revision,
            headers={"Authorization": f"Bearer {_secret or self.secret}"},
        )

    def offered(self, secret=None):
        """The names in tools/list."""
        response = self.rpc(
            "tools/list", headers={"Authorization": f"Bearer {secret or self.secret}"}
        )
        return [tool["name"] for tool in response.json()["result"]["tools"]]

    def assert_error(self, response, status, code, *words):
        """A JSON-RPC error, whole: HTTP status, code, and what its message names."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        body = response.json()
        self.assertEqual(body["jsonrpc"], "2.0")
        self.assertNotIn("result", body)
        self.assertEqual(body["error"]["code"], code, response.text)
        for word in words:
            self.assertIn(word, body["error"]["message"])
        return body

    def log_in(self, user, *, identified=True):
        """Open a session of Odoo's own; ``identified``: the password was just asked."""
        session = self.authenticate(user.login, user.login)
        if identified:
            from odoo.http import root

            session["identity-check-last"] = time.time()
            root.session_store.save(session)

    def call_kw(self, model, method, /, *args, **kwargs):
        """The JSON of Odoo's own RPC, by the user who is logged in."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_rule"):
            response = self.opener.request(
                "POST",
                f"{self.base_url()}/web/dataset/call_kw/{model}/{method}",
                json={"jsonrpc": "2.0", "method": "call", "id": 1, "params": params},
                timeout=60,
            )
        self.env.invalidate_all()
        return response.json()

    def assert_denied(self, answer, *words):
        """Odoo's RPC answered with an AccessError."""
        self.assertIn("error", answer)
        data = answer["error"]["data"]
        self.assertEqual(data["name"], "odoo.exceptions.AccessError", data["message"])
        for word in words:
            self.assertIn(word, data["message"])

    @staticmethod
    def only(records):
        """The command that sets a relation to these records, over RPC too."""
        return [list(Command.set(records.ids))]
