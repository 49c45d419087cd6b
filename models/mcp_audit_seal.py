import logging
from typing import NamedTuple

from odoo import api, fields, models

from .audit_functions import OF_ENTRY, protect
from .gate import PASS
from .mcp_metric import BigInteger
from .mcp_sealed_mixin import McpSealedMixin
from .parameters import parameter
from .stored_functions import define
from .transactions import Transactions

_logger = logging.getLogger(__name__)

BATCH = 1000
"""Entries under one seal."""

MOST_FINDINGS = 100


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


FAULT_TEXTS = {
    "removed": "was removed",
    "changed": "was changed",
    "inserted": "was not written by the server",
}

HASH = """
CREATE FUNCTION mcp_audit_seal_hash(s mcp_audit_seal)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        s.id, s.create_date, s.entry_count, s.first_entry, s.last_entry, s.newest,
        s.entries, s.first_seal, s.previous_hash, s.settled, s.running, s.seen,
        s.horizon
    )::text, 'UTF8')), 'hex')
$$
"""

MAKE = f"""
CREATE FUNCTION mcp_audit_seal_make(most integer, begins integer DEFAULT NULL)
RETURNS mcp_audit_seal LANGUAGE plpgsql AS $$
DECLARE
    last mcp_audit_seal;
    made mcp_audit_seal;
    open_before integer[];
    open_now integer[];
    sealed_before integer[];
    reach integer;
    sealed integer[];
    present txid_snapshot;
BEGIN
    PERFORM {PASS};
    -- one after the other, and each sees the one before
    LOCK TABLE mcp_audit_seal IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM mcp_audit_seal ORDER BY id DESC LIMIT 1;
    present := txid_current_snapshot();
    made.seen := greatest(last.seen, (SELECT max(id) FROM mcp_audit_log), 0);
    -- an id is drawn before its entry is committed: of those up to the newest that was
    -- seen all are there when all transactions of then have ended (or are another
    -- cluster's, whose numbers say nothing here)
    made.settled := CASE
        WHEN last.id IS NULL THEN 0
        WHEN txid_snapshot_xmin(present) >= last.horizon THEN last.seen
        WHEN txid_snapshot_xmax(present) < last.horizon THEN last.seen
        ELSE last.settled END;
    made.horizon := txid_snapshot_xmax(present);
    open_before := string_to_array(last.running, ' ')::integer[];
    -- before the closed ones are looked for: what is closed meanwhile is in both
    open_now := ARRAY(SELECT id FROM mcp_audit_log WHERE status = 'open');

    sealed_before := ARRAY(
        SELECT split_part(line, ' ', 1)::integer
          FROM mcp_audit_seal, unnest(string_to_array(entries, E'\\n')) AS line
         WHERE last_entry > last.settled);
    -- no further than a batch reaches: where nothing was sealed yet there are millions
    reach := (SELECT id FROM mcp_audit_log WHERE id > coalesce(last.settled, 0)
               ORDER BY id OFFSET most + cardinality(sealed_before) LIMIT 1);
    SELECT array_agg(id ORDER BY id), count(*), min(id), max(id), max(create_date),
           string_agg(id || ' ' || coalesce(digest, '-'), E'\\n' ORDER BY id)
      INTO sealed, made.entry_count, made.first_entry, made.last_entry, made.newest,
           made.entries
      FROM (
        SELECT id, create_date, digest FROM (
            SELECT * FROM mcp_audit_log
             WHERE id > coalesce(last.settled, 0) AND id <= coalesce(reach, made.seen)
             UNION ALL
            SELECT * FROM mcp_audit_log WHERE id = ANY (open_before)) candidate
         WHERE status <> 'open' AND id NOT IN (SELECT unnest(sealed_before))
         ORDER BY id LIMIT most) batch;
    IF made.entry_count = 0 AND begins IS NULL THEN
        RETURN NULL;
    END IF;
    made.settled := CASE
        WHEN most = 0 THEN last.settled
        WHEN made.entry_count = most
            THEN least(made.settled, greatest(made.last_entry, last.settled))
        ELSE least(made.settled, reach) END;
    made.running := array_to_string(ARRAY(
        SELECT id FROM unnest(open_now || open_before) AS id
         WHERE id <= made.settled AND id <> ALL (coalesce(sealed, '{{}}'))
         GROUP BY id ORDER BY id), ' ');
    made.id := coalesce(last.id, 0) + 1;
    made.create_date := date_trunc('second', clock_timestamp() AT TIME ZONE 'UTC');
    made.first_seal := coalesce(begins, last.first_seal, made.id);
    made.previous_hash := coalesce(last.hash, '');
    made.hash := mcp_audit_seal_hash(made);
    INSERT INTO mcp_audit_seal SELECT made.*;
    RETURN made;
END $$
"""
"""Make the next seal, of at most so many entries; none if there is nothing to seal."""

RETIRE = f"""
CREATE FUNCTION mcp_audit_retire(days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    cutoff timestamp := clock_timestamp() AT TIME ZONE 'UTC' - days * interval '1 day';
    kept integer;
    removed integer;
BEGIN
    PERFORM {PASS};
    LOCK TABLE mcp_audit_seal IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(min(id) FILTER (WHERE newest >= cutoff), max(id) + 1)
      INTO kept FROM mcp_audit_seal;
    PERFORM set_config('mcp.retention', 'on', true);
    DELETE FROM mcp_audit_log WHERE id IN (
        SELECT split_part(line, ' ', 1)::integer
          FROM mcp_audit_seal, unnest(string_to_array(entries, E'\\n')) AS line
         WHERE id < kept);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        -- it says where the chain begins from now on
        PERFORM mcp_audit_seal_make(0, kept);
        DELETE FROM mcp_audit_seal WHERE id < kept;
    END IF;
    PERFORM set_config('mcp.retention', '', true);
    RETURN removed;
END $$
"""
"""Remove the oldest seals, each when all of its entries are old, with those."""

LINKS = """
SELECT id, hash, hash = mcp_audit_seal_hash(s) AS whole,
       lag(id) OVER w AS before, previous_hash = lag(hash) OVER w AS linked,
       last_value(first_seal) OVER (ORDER BY id
           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS begins
  FROM mcp_audit_seal s WINDOW w AS (ORDER BY id) ORDER BY id
"""

SEALED = """
SELECT s.id AS seal, split_part(line, ' ', 1)::integer AS entry,
       split_part(line, ' ', 2) AS digest
  FROM mcp_audit_seal s, unnest(string_to_array(s.entries, E'\\n')) AS line
"""

FAULTS = f"""
WITH sealed AS ({SEALED}),
     newest AS (SELECT settled, string_to_array(running, ' ')::integer[] AS running
                  FROM mcp_audit_seal ORDER BY id DESC LIMIT 1)
SELECT * FROM (
    SELECT coalesce(sealed.entry, a.id) AS entry,
           CASE
           WHEN a.id IS NULL THEN 'removed'
           WHEN sealed.entry IS NULL AND a.status = 'open' THEN NULL
           WHEN a.digest IS NULL THEN 'inserted'
           WHEN sealed.entry IS NULL AND a.id <= newest.settled
                AND a.id <> ALL (newest.running) THEN 'inserted'
           WHEN coalesce(sealed.digest, a.digest) IS DISTINCT FROM {OF_ENTRY}
                OR a.digest <> coalesce(sealed.digest, a.digest)
                OR a.user_id IS DISTINCT FROM u.id
                OR a.key_id IS DISTINCT FROM k.id THEN 'changed'
           END AS fault,
           sealed.seal
      FROM sealed FULL JOIN mcp_audit_log a ON a.id = sealed.entry
           LEFT JOIN newest ON true
           LEFT JOIN res_users u ON u.id = a.user_res_id
           LEFT JOIN mcp_api_key k ON k.id = a.key_res_id) looked_at
 WHERE fault IS NOT NULL
 ORDER BY entry, seal
"""
"""Each entry that is not as it was sealed, or, where it is not sealed yet, closed."""

COUNTS = f"""
SELECT (SELECT count(*) FROM mcp_audit_seal) AS seals,
       (SELECT count(*) FROM ({SEALED}) sealed) AS entries,
       (SELECT count(*) FROM mcp_audit_log a WHERE status <> 'open'
           AND NOT EXISTS (SELECT FROM ({SEALED} OFFSET 0) s WHERE s.entry = a.id))
       AS pending,
       coalesce((SELECT min(id) FROM mcp_audit_seal), 1) AS first_seal
"""
