"""How PostgreSQL seals the audit log, and how it is verified."""

from .audit_functions import OF_ENTRY
from .gate import PASS

SEALED = """
SELECT s.id AS seal, s.last_entry, split_part(line, ' ', 1)::integer AS entry,
       split_part(line, ' ', 2) AS digest
  FROM mcp_audit_seal s, unnest(string_to_array(s.entries, E'\\n')) AS line
"""
"""Each entry of each seal."""

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
        SELECT entry FROM ({SEALED}) line WHERE line.last_entry > last.settled);
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
    DELETE FROM mcp_audit_log
     WHERE id IN (SELECT entry FROM ({SEALED}) line WHERE seal < kept);
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
       (SELECT coalesce(sum(entry_count), 0) FROM mcp_audit_seal) AS entries,
       (SELECT count(*) FROM mcp_audit_log a WHERE status <> 'open'
           AND NOT EXISTS (SELECT FROM ({SEALED} OFFSET 0) s WHERE s.entry = a.id))
       AS pending,
       coalesce((SELECT min(id) FROM mcp_audit_seal), 1) AS first_seal
"""
