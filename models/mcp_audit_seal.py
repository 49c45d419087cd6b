import logging
from typing import NamedTuple

from odoo import api, fields, models

from .audit_functions import protect
from .mcp_metric import BigInteger
from .mcp_sealed_mixin import McpSealedMixin
from .parameters import parameter
from .seal_functions import COUNTS, FAULTS, HASH, LINKS, MAKE, RETIRE
from .stored_functions import define
from .transactions import Transactions

_logger = logging.getLogger(__name__)

BATCH = 1000
"""Entries under one seal."""

MOST_FINDINGS = 100

FAULT_TEXTS = {
    "removed": "was removed",
    "changed": "was changed",
    "inserted": "was not written by the server",
}


class Verified(NamedTuple):
    """What the audit log is found to be.

    :param seals: how many there are
    :param entries: how many of the entries are sealed
    :param pending: closed entries that wait for the next seal
    :param first_seal: the number of the first seal that retention has left
    :param findings: what is wrong: at most :data:`MOST_FINDINGS` sentences
    :param more: findings that are not told
    """

    seals: int
    entries: int
    pending: int
    first_seal: int
    findings: list[str]
    more: int


class McpAuditSeal(models.Model):
    """A link of the chain that proves that the audit log is whole.

    A seal has the digests of the entries that were closed since the one before, and the
    hash of that one: whoever changes, removes or adds an entry later would have to make
    all seals anew from there on, and then they are not those that were exported, or
    written to Odoo's log, before.

    Retention removes the oldest seals with all their entries. The seal that it makes
    then says where the chain begins: a chain that begins later has lost seals.
    """

    _name = "mcp.audit.seal"
    _inherit = McpSealedMixin._name
    _description = "MCP Audit Seal"
    _order = "id desc"
    _log_access = False
    _rec_name = "hash"

    create_date = fields.Datetime("Sealed on", readonly=True)
    entry_count = fields.Integer("Entries", readonly=True)
    first_entry = fields.Integer(readonly=True, aggregator=None)
    last_entry = fields.Integer(readonly=True, aggregator=None)
    newest = fields.Datetime(
        "Newest Entry", readonly=True, help="Retention goes by this date."
    )
    entries = fields.Text(
        "Digests", readonly=True, help="A line for each entry: its id and its sha256."
    )
    first_seal = fields.Integer(
        readonly=True, aggregator=None, help="The seal that the chain begins with."
    )
    previous_hash = fields.Char(readonly=True)
    hash = fields.Char(readonly=True)
    settled = fields.Integer(
        readonly=True,
        aggregator=None,
        help="Up to this entry all are sealed but those that were still running.",
    )
    running = fields.Text(
        readonly=True, help="Entries up to the settled one that were still running."
    )
    seen = fields.Integer(
        readonly=True, aggregator=None, help="The newest entry when it was made."
    )
    horizon = BigInteger(
        readonly=True,
        aggregator=None,
        help="When all transactions before this one have ended, all entries up to the "
        "newest one have been seen.",
    )

    def init(self):
        define(self.env.cr, "mcp_audit_seal_hash", HASH)
        define(self.env.cr, "mcp_audit_seal_make", MAKE)
        define(self.env.cr, "mcp_audit_retire", RETIRE)
        protect(self.env.cr, self._table)

    @api.depends("hash")
    def _compute_display_name(self):
        for seal in self:
            seal.display_name = self.env._("Seal %(number)s", number=seal.id)

    @api.model
    def _seal(self) -> int:
        """Seal what is closed and not sealed yet, and return how many entries.

        Each batch is committed by itself, in an order that all servers keep.
        """
        total = 0
        while True:
            with Transactions(self.env.registry).transaction() as env:
                env.cr.execute("SELECT * FROM mcp_audit_seal_make(%s)", [BATCH])
                made = env.cr.dictfetchone()
            if made["id"]:
                total += made["entry_count"]
                # who keeps the log elsewhere can prove that the chain is the same
                _logger.info(
                    "audit seal %d: %d entries, %s",
                    *(made["id"], made["entry_count"], made["hash"]),
                )
            if not made["id"] or made["entry_count"] < BATCH:
                return total

    @api.autovacuum
    def _gc_audit(self):
        """Remove what is older than the retention of the settings.

        By whole seals, the oldest first, so that the rest can be verified: an entry may
        stay until all that was sealed with it, or before, is old.
        """
        days = parameter(self.env, "audit_retention")
        if days <= 0:
            return
        self._seal()
        with Transactions(self.env.registry).transaction() as env:
            env.cr.execute("SELECT mcp_audit_retire(%s)", [days])
            (removed,) = env.cr.fetchone()
        if removed:
            _logger.info("audit: retention removed %d entries", removed)

    @api.model
    def _verify(self, exported: dict[int, str] | None = None) -> Verified:
        """Look whether entries and seals are as they were sealed.

        :param exported: hashes by the number of their seal, as they once were told
        """
        with Transactions(self.env.registry).transaction() as env:
            findings = [*_broken_links(env.cr, exported or {}), *_faults(env.cr)]
            env.cr.execute(COUNTS)
            counts = env.cr.dictfetchone()
        told = findings[:MOST_FINDINGS]
        return Verified(**counts, findings=told, more=len(findings) - len(told))


def _broken_links(cr, exported: dict[int, str]):
    """Yield what is wrong with the seals themselves."""
    cr.execute(LINKS)
    links = cr.dictfetchall()
    for link in links:
        number, before = link["id"], link["before"]
        if not link["whole"]:
            yield f"Seal {number} was changed."
        if before is None and number != link["begins"]:
            yield from _missing_seals(link["begins"], number - 1)
        elif before is not None and number != before + 1:
            yield from _missing_seals(before + 1, number - 1)
        elif before is not None and not link["linked"]:
            yield f"Seal {number} does not follow from seal {before}: that was changed."
        if exported.get(number, link["hash"]) != link["hash"]:
            yield f"Seal {number} is not the one that was exported."
    newest = links[-1]["id"] if links else 0
    if lost := [number for number in exported if number > newest]:
        yield from _missing_seals(newest + 1, max(lost))


def _missing_seals(first: int, last: int):
    if first == last:
        yield f"Seal {first} was removed."
    elif first < last:
        yield f"Seals {first} to {last} were removed."


def _faults(cr):
    """Yield what is wrong with the entries."""
    cr.execute(FAULTS)
    for entry, fault, seal in cr.fetchall():
        where = f" (seal {seal})" if seal else ""
        yield f"Entry {entry}{where} {FAULT_TEXTS[fault]}."
