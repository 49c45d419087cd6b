import hashlib
import ipaddress
import re
import secrets
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from .caller import Caller, Credentials
from .exceptions import Behind, NotAllowed, NotAuthenticated
from .parameters import parameter
from .stored_functions import define
from .transactions import caught_up, check_signals, heeded

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
    what :data:`LEVEL` looks at, at once.
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


LEVEL = """
CREATE FUNCTION mcp_api_key_level(key integer, heeded text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF heeded IS NOT NULL AND heeded <> mcp_signals() THEN
        RETURN 'behind';
    END IF;
    RETURN (SELECT coalesce(k.log_level, '')
              FROM mcp_api_key k JOIN res_users u ON u.id = k.user_id
             WHERE k.id = key AND u.active AND k.revoked_date IS NULL
               AND k.suspended IS NOT TRUE
               AND (k.expiration_date > now() AT TIME ZONE 'UTC') IS NOT FALSE);
END $$
"""
"""If a key is good now, the level of log messages that its clients want; else NULL.

A function because PostgreSQL keeps its plans: planning costs more than looking.
"""


class McpApiKey(models.Model):
    """A key of a user's own, with which a client acts as that user, or as less.

    The key itself is shown once and never stored. Keys are revoked, not deleted:
    the audit log goes on to tell what was done with them.
    """

    _name = "mcp.api.key"
    _description = "MCP API Key"
    _order = "id desc"

    name = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, index=True, ondelete="cascade"
    )
    key_hash = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    hint = fields.Char(readonly=True, help="The first characters of the key.")
    read_only = fields.Boolean(readonly=True, help="Only tools that change nothing.")
    toolset_ids = fields.Many2many(
        "mcp.toolset", string="Toolsets", readonly=True, help="Empty: all."
    )
    tool_ids = fields.Many2many(
        "mcp.tool", string="Tools", readonly=True, help="Beside the toolsets."
    )
    narrowed = fields.Boolean(
        readonly=True,
        help="For the toolsets and tools named alone; for none when those are gone.",
    )
    networks = fields.Char(
        readonly=True,
        help="Where calls may come from: addresses or networks (CIDR), separated by "
        "commas. Empty: anywhere.",
    )
    create_date = fields.Datetime("Created on", readonly=True)
    expiration_date = fields.Datetime("Expires on", readonly=True)
    suspended = fields.Boolean(readonly=True)
    revoked_date = fields.Datetime("Revoked on", readonly=True)
    state = fields.Selection(
        [
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ],
        compute="_compute_state",
    )
    log_level = fields.Char(
        readonly=True,
        help="Its clients before MCP 2026-07-28 want log messages from this level on.",
    )
    last_use = fields.Datetime(compute="_compute_use", compute_sudo=True)
    use_count = fields.Integer("Calls", compute="_compute_use", compute_sudo=True)

    @api.depends("suspended", "revoked_date", "expiration_date")
    def _compute_state(self):
        now = fields.Datetime.now()
        for key in self:
            if key.revoked_date:
                key.state = "revoked"
            elif key.expiration_date and key.expiration_date <= now:
                key.state = "expired"
            else:
                key.state = "suspended" if key.suspended else "active"

    def _compute_use(self):
        """Tell from the audit log, so that a call writes nothing to its key."""
        rows = self.env["mcp.audit.log"]._read_group(
            [("key_id", "in", self.ids)], ["key_id"], ["create_date:max", "__count"]
        )
        uses = {key.id: (last, count) for key, last, count in rows}
        for key in self:
            key.last_use, key.use_count = uses.get(key.id, (False, 0))

    def init(self):
        self.env.cr.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS mcp_api_key_key_hash_idx "
            "ON mcp_api_key (key_hash)"
        )
        define(self.env.cr, "mcp_api_key_level", LEVEL)

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    @api.constrains("networks")
    def _check_networks(self):
        for key in self:
            try:
                parse_networks(key.networks)
            except ValueError as error:
                raise ValidationError(str(error)) from error

    def action_suspend(self):
        """Make the keys useless until they are resumed."""
        self._own().suspended = True

    def action_resume(self):
        """Undo a suspension."""
        self._own().suspended = False

    def action_revoke(self):
        """Make the keys useless for ever, from the next call on."""
        keys = self._own().filtered(lambda key: not key.revoked_date)
        keys.revoked_date = fields.Datetime.now()

    def _own(self):
        """Return the keys in sudo, if the user may govern them."""
        if not self.env.su:
            self.check_access("read")
            administrator = self.env.user.has_group(
                "odoo_dev_mcp.odoo_dev_mcp_group_administrator"
            )
            if not administrator and self.user_id != self.env.user:
                raise AccessError(self.env._("A key is its owner's to govern."))
        return self.sudo()

    @api.model
    def _generate(self, user, vals: dict) -> str:
        """Make a key for ``user`` and return it: it cannot be had a second time.

        :param vals: name, and what narrows it: read_only, toolset_ids, tool_ids,
            networks, expiration_date
        """
        key = PREFIX + secrets.token_urlsafe(32)
        record = self.sudo().create(
            {
                **vals,
                "user_id": user.id,
                "key_hash": key_hash(key),
                "hint": f"{key[: len(PREFIX) + 4]}…",
            }
        )
        record.narrowed = bool(record.toolset_ids or record.tool_ids)
        return key

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

        Only :data:`LEVEL` tells whether the key is still good.

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


def refusal(row: dict | None) -> NotAuthenticated:
    """Return why a key is not good.

    :param row: as :meth:`McpApiKey._look_up` found it
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
