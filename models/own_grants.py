"""What governs tool calls, no tool call changes.

An agent that could make a tool, widen its key, lift its limit or empty the audit log
would be bound by nothing. So a transaction in which a client's SQL or code has run is
looked at before it is committed, by whatever way it has written.

Against the owner of the tables this is no wall: it keeps an agent from what nobody
meant it to do. What binds a client with a shell is the configuration file.
"""

import contextlib
from collections.abc import Iterator

from .cursor_methods import replaced
from .exceptions import ToolError
from .parameters import PREFIX
from .stored_functions import NAMES

GOVERNORS = (
    "odoo_dev_mcp.odoo_dev_mcp_group_administrator",
    "odoo_dev_mcp.odoo_dev_mcp_group_developer",
)
"""Whoever is in one may do more than their own rights allow, or say who may."""

FINGERPRINTS = """
WITH RECURSIVE governors(id) AS (
    SELECT res_id FROM public.ir_model_data
     WHERE model = 'res.groups' AND module || '.' || name = ANY (%(governors)s)
     UNION
    SELECT gid FROM public.res_groups_implied_rel JOIN governors ON hid = id),
governing AS (SELECT uid FROM public.res_groups_users_rel
               WHERE gid IN (SELECT id FROM governors)),
models AS (SELECT id FROM public.ir_model WHERE model = ANY (%(models)s))
SELECT name, concat_ws(' ', c.oid, c.xmin, c.relfilenode,
           pg_stat_get_xact_tuples_inserted(c.oid),
           pg_stat_get_xact_tuples_updated(c.oid),
           pg_stat_get_xact_tuples_deleted(c.oid))
  FROM unnest(%(tables)s) name LEFT JOIN pg_class c ON c.oid = to_regclass(name)
 UNION ALL
SELECT 'the triggers of the server',
       string_agg(concat_ws(' ', oid, tgenabled, tgfoid), ',' ORDER BY oid)
  FROM pg_trigger WHERE tgrelid IN (SELECT to_regclass(t) FROM unnest(%(tables)s) t)
 UNION ALL
SELECT 'the functions of the server',
       string_agg(p.xmin || ' ' || p.oid, ' ' ORDER BY oid)
  FROM pg_proc p WHERE proname = ANY (%(functions)s)
 UNION ALL
SELECT 'the settings of the server', string_agg(md5(p.key || p.value), ' ' ORDER BY id)
  FROM public.ir_config_parameter p WHERE starts_with(key, %(prefix)s)
 UNION ALL
SELECT 'who is in a group that governs it',
       string_agg(uid || ' ' || gid, ',' ORDER BY uid, gid)
  FROM public.res_groups_users_rel WHERE gid IN (SELECT id FROM governors)
 UNION ALL
SELECT 'how those who govern it log in',
       (SELECT string_agg(md5(concat_ws(' ', u.id, login, password, active)), ' '
                          ORDER BY u.id)
          FROM public.res_users u WHERE u.id IN (SELECT uid FROM governing))
       || (SELECT concat_ws(' ', count(*), max(id)) FROM public.res_users_apikeys k
            WHERE k.user_id IN (SELECT uid FROM governing))
 UNION ALL
SELECT 'which groups govern it',
       string_agg(concat_ws(' ', name, res_id), ',' ORDER BY name)
  FROM public.ir_model_data
 WHERE model = 'res.groups' AND module || '.' || name = ANY (%(governors)s)
 UNION ALL
SELECT 'who may do what with its records', string_agg(md5(a::text), ' ' ORDER BY id)
  FROM public.ir_model_access a WHERE model_id IN (SELECT id FROM models)
 UNION ALL
SELECT 'who may see which of its records', string_agg(md5(r::text), ' ' ORDER BY id)
  FROM public.ir_rule r WHERE model_id IN (SELECT id FROM models)
 UNION ALL
SELECT 'what its tools run',
       string_agg(md5(concat(id, code, model_id)), ' ' ORDER BY id)
  FROM public.ir_act_server WHERE usage = 'mcp_tool'
"""
"""What there is of each, as far as this transaction has changed it. Of the tables of
this addon it is told how many rows the transaction has touched, not what is in them.
https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-FUNCTIONS
"""


AS_POSTGRESQL = """
SET CONSTRAINTS ALL IMMEDIATE;
SAVEPOINT mcp_grants;
SET LOCAL search_path = pg_catalog, pg_temp;
"""
"""What was put off until the commit runs now; and names are PostgreSQL's own, whatever
the caller has put before them.
https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-CATALOG
"""

AS_BEFORE = "ROLLBACK TO SAVEPOINT mcp_grants; RELEASE SAVEPOINT mcp_grants"


class Grants:
    """What governs tool calls, as it is when this is made.

    What is looked at is settled then, too: code may do to the registry what it likes.
    """

    def __init__(self, env) -> None:
        self.env = env
        self.wanted = _wanted(env.registry)
        self.look()

    def look(self) -> None:
        """Take what there is now for what is to be kept."""
        self.env.flush_all()
        self.env.cr.execute(FINGERPRINTS, self.wanted)
        self.before = dict(self.env.cr.fetchall())

    def require_kept(self) -> None:
        """Compare with what is there now.

        :raise ToolError: naming what has changed; the transaction is not to be
            committed
        """
        cr = self.env.cr
        self.env.flush_all()
        cr.execute(AS_POSTGRESQL + FINGERPRINTS, self.wanted)
        found = dict(cr.fetchall())
        cr.execute(AS_BEFORE)
        changed = sorted(
            name for name, told in self.before.items() if found[name] != told
        )
        if changed:
            raise ToolError(
                f"No tool call changes what governs tool calls ({', '.join(changed)}). "
                "Nothing is kept: do it in Odoo, under MCP Server or Settings."
            )


@contextlib.contextmanager
def kept_grants(env) -> Iterator[None]:
    """Let nothing that governs tool calls be changed within.

    Code that ends the transaction itself begins another one, which is looked at anew.

    :raise ToolError: it was; the transaction is not to be committed
    """
    cr, grants = env.cr, Grants(env)
    commits, rolls_back = cr.commit, cr.rollback

    def commit() -> None:
        grants.require_kept()
        commits()
        grants.look()

    def rollback() -> None:
        rolls_back()
        grants.look()

    with replaced(cr, commit=commit, rollback=rollback):
        yield
        grants.require_kept()


def _wanted(registry) -> dict[str, object]:
    models = registry.values()
    own = [model for model in models if model._original_module == "odoo_dev_mcp"]
    return {
        "governors": [*GOVERNORS, "base.group_system"],
        "models": [model._name for model in own],
        "tables": sorted(_tables(own)),
        "functions": list(NAMES),
        "prefix": PREFIX,
    }


def _tables(models) -> set[str]:
    """Return the tables of models with their relations, in the schema of Odoo."""
    tables = {model._table for model in models if model._auto and not model._abstract}
    relations = {
        field.relation
        for model in models
        for field in model._fields.values()
        if field.type == "many2many" and field.store and field.relation
    }
    return {f"public.{name}" for name in tables | relations}
