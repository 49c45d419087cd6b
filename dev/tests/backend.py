"""What an administrator does beside the protocol: users, keys, records, real rows."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import psycopg2
import requests
from psycopg2.extras import RealDictCursor

from dev.odoo_server import OdooServer

ADMIN = ("admin", "admin")


class Backend:
    """Odoo's own interfaces on a server that the harness started."""

    def __init__(self, server: OdooServer) -> None:
        self.server = server
        self._sessions: dict[tuple[str, str], requests.Session] = {}

    def execute(
        self,
        model: str,
        method: str,
        *arguments: Any,
        login: tuple[str, str] = ADMIN,
        **named: Any,
    ) -> Any:
        """Call a public method as the web client does, as any user with a password."""
        if login not in self._sessions:
            self._sessions[login] = self._logged_in(*login)
        return self._ask(
            self._sessions[login],
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=arguments,
            kwargs=named,
        )

    def _logged_in(self, login: str, password: str) -> requests.Session:
        session = requests.Session()
        # A proxy of the environment is never asked for a loopback address.
        session.trust_env = False
        database = self.server.database
        path = "/web/session/authenticate"
        self._ask(session, path, db=database, login=login, password=password)
        return session

    def _ask(self, session: requests.Session, path: str, **params: Any) -> Any:
        message = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = session.post(self.server.url + path, json=message, timeout=180).json()
        assert "error" not in answer, answer["error"]["data"]["debug"]
        return answer.get("result")

    def shell(self, code: str) -> Any:
        """Value that ``answer(…)`` got in code run by ``odoo shell`` (about 4 s)."""
        mark = "mcp-test-answer:"
        prelude = "import json\ndef answer(value):\n"
        prelude += f"    print({mark!r} + json.dumps(value, default=str))\n"
        lines = self.server.shell(f"{prelude}\n{code}").splitlines()
        answers = [line for line in lines if line.startswith(mark)]
        return json.loads(answers[-1].removeprefix(mark)) if answers else None

    def run(self, code: str) -> Any:
        """Value of ``action`` in code that the administrator has the server run.

        In the server's own process and at once, where :meth:`shell` starts another.
        """
        [model] = self.execute("ir.model", "search", [("model", "=", "res.partner")])
        values = {"name": "test", "model_id": model, "state": "code", "code": code}
        action = self.execute("ir.actions.server", "create", values)
        try:
            return self.execute("ir.actions.server", "run", [action])
        finally:
            self.execute("ir.actions.server", "unlink", [action])

    def user(self, login: str, *groups: str) -> int:
        """Id of a new internal user whose password is the login."""
        return self.users([login], *groups)[0]

    def users(self, logins: list[str], *groups: str) -> list[int]:
        """Ids of new internal users; each one's password is the login."""
        wanted = ["base.group_user", *groups]
        return self.run(
            f"groups = [env.ref(group).id for group in {wanted!r}]\n"
            "field = 'group_ids' if 'group_ids' in env['res.users'] else 'groups_id'\n"
            f"action = env['res.users'].create([\n"
            "    {'name': login, 'login': login, 'password': login,\n"
            "     field: [(6, 0, groups)]}\n"
            f"    for login in {logins!r}\n"
            "]).ids"
        )

    def key(self, login: str, **values: Any) -> str:
        """A new key of this user; ``values`` narrow it, as the wizard's fields do."""
        values = {"name": f"test key of {login}", **values}
        return self.run(
            f"user = env['res.users'].search([('login', '=', {login!r})])\n"
            f"action = env['mcp.api.key']._generate(user, {values!r})"
        )

    def key_id(self, key: str) -> int:
        """The record of a key."""
        query = "SELECT id FROM mcp_api_key WHERE key_hash = %s"
        return self.rows(query, hashlib.sha256(key.encode()).hexdigest())[0]["id"]

    def tool(self, name: str, code: str, **values: Any) -> int:
        """A new tool that is a record with code, for every MCP user."""
        [model] = self.execute("ir.model", "search", [("model", "=", "res.partner")])
        action = {"name": name, "model_id": model, "state": "code", "code": code}
        toolset = self.execute("mcp.toolset", "search", [("code", "=", "modules")])
        values = {
            "name": name,
            "title": name,
            "description": "A tool of the tests.",
            "toolset_id": toolset[0],
            "server_action_id": self.execute(
                "ir.actions.server", "create", {**action, "usage": "mcp_tool"}
            ),
            **values,
        }
        return self.execute("mcp.tool", "create", values)

    def parameter(self, name: str, value: object) -> None:
        """Set a setting of the addon; ``False`` brings its default back."""
        name = f"odoo_dev_mcp.{name}"
        text = value and str(value)
        self.execute("ir.config_parameter", "set_param", name, text)

    def entries(self, key: str) -> list[dict[str, Any]]:
        """What the audit log tells of the calls made with a key, oldest first."""
        query = "SELECT * FROM mcp_audit_log WHERE key_id = %s ORDER BY id"
        return self.rows(query, self.key_id(key))

    @contextlib.contextmanager
    def cursor(self) -> Iterator[RealDictCursor]:
        """A cursor outside Odoo: sees what was committed, commits at its end."""
        conninfo = self.server.stack.postgres.conninfo
        connection = psycopg2.connect(f"{conninfo} dbname='{self.server.database}'")
        try:
            with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                yield cursor
        finally:
            connection.close()

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Committed rows, as mappings."""
        with self.cursor() as cursor:
            cursor.execute(query, parameters)
            return [dict(row) for row in cursor.fetchall()]
