"""How PostgreSQL writes the audit log: opened once, closed once, and then as it is.

Functions because PostgreSQL keeps their plans, and because a statement of its own is
a transaction of its own: one round trip where there would be six.
"""

from .gate import PASS

OPEN = f"""
CREATE FUNCTION mcp_audit_log_open
       (heeded text, durable boolean, rule integer, subject text, most integer,
        period integer,
        uid integer, login text, key integer, name_of_key text, called text,
        given text, client text, address text, revision text, request text,
        runs_in text)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    level text := '';
    seconds integer;
    entry integer;
BEGIN
    PERFORM {PASS};
    IF NOT durable THEN
        SET LOCAL synchronous_commit = off;
    END IF;
    IF heeded IS NOT NULL AND heeded <> mcp_signals() THEN
        RETURN ARRAY['behind'];
    END IF;
    IF mcp_suspended() THEN
        RETURN ARRAY['suspended'];
    END IF;
    IF key IS NOT NULL THEN
        level := mcp_api_key_level(key, NULL);
        IF level IS NULL THEN
            RETURN ARRAY['key'];
        END IF;
    END IF;
    IF rule IS NOT NULL THEN
        seconds := mcp_rate_limit_count(rule, subject, most, period);
        IF seconds > 0 THEN
            RETURN ARRAY['limit', seconds::text];
        END IF;
    END IF;
    INSERT INTO mcp_audit_log
           (create_date, user_id, user_res_id, user_login, key_id, key_res_id, key_name,
            tool, arguments, client, address, revision, request_id, process, status)
    VALUES (date_trunc('second', clock_timestamp() AT TIME ZONE 'UTC'), uid, uid, login,
            key, key, name_of_key, called, given, client, address, revision, request,
            runs_in, 'open')
    RETURNING id INTO entry;
    RETURN ARRAY['entry', entry::text, level];
END $$
"""
"""Begin the entry of a call, if its key is good and its limit not used up."""

DIGEST = """
CREATE FUNCTION mcp_audit_log_digest
       (a mcp_audit_log, status text, kind text, said text, took integer,
        total integer, code text)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        a.id, a.create_date, a.user_res_id, a.user_login, a.key_res_id, a.key_name,
        a.tool, a.arguments, a.client, a.address, a.revision, a.request_id, a.process,
        a.cancel_requested, status, kind, said, took, total, code
    )::text, 'UTF8')), 'hex')
$$
"""
"""What is in an entry, as sha256 of a JSON array: dates are ISO there, whatever the
session says. Its user and key count by their ids: both may be deleted.

To change it would call every entry changed that has one: what is added to entries later
needs a digest of its own.
https://www.postgresql.org/docs/current/functions-binarystring.html
"""

OF_ENTRY = (
    "mcp_audit_log_digest(a, a.status, a.error_class, a.message, a.duration_ms,"
    " a.row_count, a.exit_code)"
)
"""The digest of the closed entry ``a`` as it is now."""

CLOSE = f"""
CREATE FUNCTION mcp_audit_log_close
       (durable boolean, entry integer, ended text, kind text, said text, took integer,
        total integer, code text, le text, seconds double precision)
RETURNS SETOF mcp_audit_log LANGUAGE plpgsql AS $$
DECLARE closed mcp_audit_log;
BEGIN
    PERFORM {PASS};
    IF NOT durable THEN
        SET LOCAL synchronous_commit = off;
    END IF;
    UPDATE mcp_audit_log a
       SET status = ended, error_class = kind, message = said, duration_ms = took,
           row_count = total, exit_code = code,
           digest = mcp_audit_log_digest(a, ended, kind, said, took, total, code)
     -- by its id: for status = 'open' PostgreSQL would take the index of the open ones,
     -- which is full of those that were open until the last vacuum
     WHERE a.id = entry AND a.status || '' = 'open'
    RETURNING a.* INTO closed;
    IF FOUND THEN
        PERFORM mcp_metric_count(closed.tool, ended, le, seconds);
        RETURN NEXT closed;
    END IF;
END $$
"""
"""End an entry, and count it."""

REFUSE = """
CREATE OR REPLACE FUNCTION mcp_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('mcp.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    -- whoever deletes a user or a key takes the reference away, and nothing else
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - '{user_id,key_id}'::text[]
                          = to_jsonb(NEW) - '{user_id,key_id}'::text[]
       AND to_jsonb(NEW) -> 'user_id' IN (to_jsonb(OLD) -> 'user_id', 'null')
       AND to_jsonb(NEW) -> 'key_id' IN (to_jsonb(OLD) -> 'key_id', 'null') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is not changed: what is in the audit log stays as it is',
        TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
"""Refuse what changes a closed entry or a seal, whoever asks. Who owns the table can
take the trigger away; then the seals tell.
https://www.postgresql.org/docs/current/sql-createtrigger.html
"""

TRIGGERS = {
    "mcp_audit_log": {
        "mcp_audit_log_kept": """
            CREATE TRIGGER mcp_audit_log_kept BEFORE UPDATE ON mcp_audit_log
            FOR EACH ROW WHEN (OLD.status <> 'open')
            EXECUTE FUNCTION mcp_audit_refuse()""",
        "mcp_audit_log_not_removed": """
            CREATE TRIGGER mcp_audit_log_not_removed BEFORE DELETE ON mcp_audit_log
            FOR EACH ROW EXECUTE FUNCTION mcp_audit_refuse()""",
        "mcp_audit_log_not_emptied": """
            CREATE TRIGGER mcp_audit_log_not_emptied BEFORE TRUNCATE ON mcp_audit_log
            FOR EACH STATEMENT EXECUTE FUNCTION mcp_audit_refuse()""",
    },
    "mcp_audit_seal": {
        "mcp_audit_seal_kept": """
            CREATE TRIGGER mcp_audit_seal_kept
            BEFORE UPDATE OR DELETE ON mcp_audit_seal
            FOR EACH ROW EXECUTE FUNCTION mcp_audit_refuse()""",
        "mcp_audit_seal_not_emptied": """
            CREATE TRIGGER mcp_audit_seal_not_emptied
            BEFORE TRUNCATE ON mcp_audit_seal
            FOR EACH STATEMENT EXECUTE FUNCTION mcp_audit_refuse()""",
    },
}

OF_BEFORE = (
    "UPDATE mcp_audit_log SET user_res_id = user_id, key_res_id = key_id "
    "WHERE digest IS NULL",
    f"UPDATE mcp_audit_log a SET digest = {OF_ENTRY} "
    "WHERE status <> 'open' AND digest IS NULL",
)
"""What entries of before there were digests are given, once."""


def protect(cr, table: str) -> None:
    """Have PostgreSQL refuse to change what is in ``table``.

    Nothing is made that is there: to make it anew would have all calls wait until the
    upgrade of the addon is committed.
    """
    cr.execute(REFUSE)
    for name, definition in TRIGGERS[table].items():
        if not has_trigger(cr, name):
            cr.execute(definition)


def has_trigger(cr, name: str) -> bool:
    """Tell whether the trigger is there."""
    cr.execute("SELECT FROM pg_trigger WHERE tgname = %s", [name])
    return bool(cr.rowcount)
