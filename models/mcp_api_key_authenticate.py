from odoo import api, models, tools
from odoo.tools import SQL

from .caller import Caller, Credentials
from .exceptions import Behind, NotAllowed, NotAuthenticated
from .key_facts import KEY, Holder, address_within, key_hash, refusal
from .parameters import parameter
from .transactions import caught_up, check_signals, heeded


class McpApiKey(models.Model):
    """Who a key makes of a caller: looked at with each request, remembered between."""

    _inherit = "mcp.api.key"

    @api.model
    def _authenticate(self, credentials: Credentials) -> Caller:
        """Return who calls, narrowed as the request says.

        :raise NotAuthenticated: there is no valid key
        :raise NotAllowed: the key may not be used from this address, or its user is
            no MCP user
        :raise Behind: see :meth:`.transactions.Transactions.following`
        """
        caller = self._recall(credentials)
        if caller.key_id is None:
            check_signals(self.env)
            return caller
        self.env.cr.execute(
            "SELECT mcp_api_key_level(%s, %s)", [caller.key_id, heeded(self.env)]
        )
        (level,) = self.env.cr.fetchone()
        if level == "behind":
            raise Behind
        caught_up(self.env)
        if level is None:
            raise refusal(self._look_up(key_hash(credentials.key)))
        return caller.at_level(level)

    @api.model
    def _recall(self, credentials: Credentials) -> Caller:
        """Return who calls as this process remembers it, so without a query.

        Only ``mcp_api_key_level`` tells whether the key is still good.

        :raise NotAuthenticated, NotAllowed: see :meth:`_authenticate`
        """
        if credentials.uid or credentials.key is None:
            caller = self._keyless(credentials)
            member = self._is_member(caller.uid)
        else:
            caller, member = self._caller(credentials)
        if not member:
            raise NotAllowed(
                f"{caller.login} is not in the group MCP User: ask an administrator."
            )
        return caller

    def _is_member(self, uid: int) -> bool:
        user = self.env["res.users"].browse(uid)
        return user.has_group("odoo_dev_mcp.odoo_dev_mcp_group_user")

    def _caller(self, credentials: Credentials) -> tuple[Caller, bool]:
        """Return the holder of a key as who calls, and whether that is an MCP user."""
        if not KEY.fullmatch(credentials.key):
            raise refusal(None)
        try:
            holder = self._holder(key_hash(credentials.key))
        except LookupError as unknown:
            raise refusal(*unknown.args) from None
        if not address_within(credentials.address, holder.networks):
            raise NotAllowed(f"This key may not be used from {credentials.address}.")
        caller = Caller(
            uid=holder.uid,
            login=holder.login,
            address=credentials.address,
            key_id=holder.key_id,
            key_name=holder.key_name,
            read_only=holder.read_only,
            narrowed=holder.narrowed,
            toolset_ids=holder.toolset_ids,
            tool_ids=holder.tool_ids,
            narrowings=credentials.narrowings,
            memory=holder.memory,
        )
        return caller, holder.member

    @tools.ormcache("key_hash")
    def _holder(self, key_hash: str) -> Holder:
        """Return what there is to know of a key that is good now.

        :raise LookupError: it is not; its row, if there is one. That is not remembered
        """
        row = self._look_up(key_hash)
        if row is None or row["state"] or not row["active"]:
            raise LookupError(row)
        return Holder(
            key_id=row["id"],
            key_name=row["name"],
            uid=row["user_id"],
            login=row["login"],
            member=self._is_member(row["user_id"]),
            read_only=bool(row["read_only"]),
            narrowed=bool(row["narrowed"]),
            networks=row["networks"],
            toolset_ids=frozenset(row["toolset_ids"]),
            tool_ids=frozenset(row["tool_ids"]),
            memory={},
        )

    def _set_log_level(self, level: str) -> None:
        """Keep the least level of log messages that clients with this key want."""
        self.env.cr.execute(
            "UPDATE mcp_api_key SET log_level = %s WHERE id = ANY(%s)",
            [level, self.ids],
        )

    def _look_up(self, key_hash: str) -> dict | None:
        """Return the row of a key with its user's, in one indexed look-up."""
        self.env.cr.execute(
            SQL(
                """
                SELECT k.id, k.name, k.user_id, k.read_only, k.narrowed, k.networks,
                       u.login, u.active,
                       CASE WHEN k.revoked_date IS NOT NULL THEN 'revoked'
                            WHEN k.expiration_date <= now() AT TIME ZONE 'UTC'
                            THEN 'expired'
                            WHEN k.suspended THEN 'suspended' END AS state,
                       ARRAY(SELECT mcp_toolset_id FROM mcp_api_key_mcp_toolset_rel
                             WHERE mcp_api_key_id = k.id) AS toolset_ids,
                       ARRAY(SELECT mcp_tool_id FROM mcp_api_key_mcp_tool_rel
                             WHERE mcp_api_key_id = k.id) AS tool_ids
                  FROM mcp_api_key k JOIN res_users u ON u.id = k.user_id
                 WHERE k.key_hash = %s
                """,
                key_hash,
            )
        )
        return self.env.cr.dictfetchone()

    def _keyless(self, credentials: Credentials) -> Caller:
        """Return who calls without a key: the user of a session, or the one whom the
        administrator has named for all others.

        Those from loopback only, and not through a proxy on it.
        """
        uid = credentials.uid
        if uid is None and credentials.local:
            uid = parameter(self.env, "anonymous_user_id")
        user = self.env["res.users"].sudo().browse(uid).exists() if uid else None
        if not (user and user.active):
            raise NotAuthenticated(
                "Send a key: 'Authorization: Bearer …'. Users make one in their "
                "preferences in Odoo."
            )
        return Caller(
            uid=user.id,
            login=user.login,
            address=credentials.address,
            narrowings=credentials.narrowings,
        )
