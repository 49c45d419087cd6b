"""Functions that act although the transaction only reads.

PostgreSQL's READ ONLY judges statements, not functions: as the owner of the tables
``pg_terminate_backend`` still terminates. To a read-only role PostgreSQL itself refuses
what reaches beyond its own session, but no function that is everybody's, as those of
advisory locks are. So, whoever reads, two texts are looked at: the statement, and
PostgreSQL's plan of it, which shows what views and SQL functions hide, but not what
stands in VALUES lists, LIMIT or window frames.
"""

import re

from .exceptions import ToolError
from .sql_lexer import tokens

DENIED = re.compile(
    r"""
      pg_(terminate|cancel)_backend | pg_reload_conf | pg_rotate_logfile\w*
    | pg_(try_)?advisory_\w+ | pg_notify | set_config
    | pg_read_\w*file\w* | pg_stat_file | pg_ls_\w+ | pg_file_\w+
    | pg_(?!get_|stat_get_)\w*(_slot|_slots)\w* | pg_logical_\w+ | pg_replication_\w+
    | pg_(start|stop)_backup | pg_backup_\w+ | pg_(create_restore_point|switch_wal)
    | pg_(promote|wal_replay_\w+|export_snapshot|import_system_collations)
    | pg_stat_reset\w* | pg_stat_statements_reset | pg_stat_clear_snapshot
    | pg_log_backend_memory_contexts | pg_log_standby_snapshot | binary_upgrade_\w+
    | pg_(clear|restore)_\w+_stats | pg_nextoid | pg_stop_making_pinned_objects
    | pg_extension_config_dump | brin_\w*summarize_\w+ | gin_clean_pending_list
    | lo_\w+ | loread | lowrite
    | pg_background_\w+ | hypopg_\w+ | (auto|pg_)prewarm\w* | pg_buffercache_evict\w*
    | http(_\w+)? | dblink\w* | postgres_fdw_\w+
    | (query|cursor|table|schema|database)_to_xml\w*
    | mcp_query_open | ts_stat | ts_rewrite | crosstab\w* | connectby | xpath_table
    """,
    re.VERBOSE,
)
"""Signals, locks that outlive the transaction, the server's files, replication,
settings, statistics, indexes, other databases and servers, and functions that run a
query given as text. Each function of ``pg_catalog`` that PUBLIC may execute is here or
known as harmless to ``dev/tests/test_read_only_role.py``."""


RELATION = re.compile(r"\b(from|table)\b", re.IGNORECASE)


def may_call(sql: str) -> bool:
    """Tell whether a statement may call functions, by itself or by a view.

    What it may not costs no plan.

    >>> may_call("SELECT 1"), may_call("TABLE a_view"), may_call("SELECT now()")
    (False, True, True)
    """
    return "(" in sql or bool(RELATION.search(sql))


def check_calls(sql: str) -> None:
    """Refuse a text that calls a function that acts.

    :param sql: a statement, or the text of ``EXPLAIN (VERBOSE)``
    :raise ToolError: naming the function
    """
    before = None
    for token in tokens(sql):
        if token.text == "(" and before and DENIED.fullmatch(before):
            raise ToolError(
                f"query_database only reads: {before}() acts on the server, or hides "
                "what it runs. Query without it."
            )
        if token.kind == "quoted" and token.name is None:
            raise ToolError('Write the identifier U&"…" as it reads, without escapes.')
        before = token.name
