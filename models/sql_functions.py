"""Functions that act although the transaction only reads.

PostgreSQL's READ ONLY judges statements, not functions: as the owner of the tables
``pg_terminate_backend`` still terminates. Where no read-only role is set up, the
names in the plan are looked at, after PostgreSQL has parsed it: comments, quoting
and Unicode escapes hide nothing.
"""

import re

from .exceptions import ToolError

DENIED = re.compile(
    r"""
      pg_(terminate|cancel)_backend | pg_reload_conf | pg_rotate_logfile\w*
    | pg_(try_)?advisory_\w+ | pg_notify | set_config
    | pg_(read|stat)_\w*file | pg_read_binary_file | pg_ls_\w+ | pg_file_\w+
    | pg_\w*(_slot|_slots)\w* | pg_logical_\w+ | pg_replication_\w+
    | pg_(start|stop)_backup | pg_backup_\w+ | pg_(create_restore_point|switch_wal)
    | pg_(promote|wal_replay_\w+|export_snapshot|import_system_collations)
    | pg_stat_reset\w* | pg_stat_statements_reset | pg_stat_clear_snapshot
    | pg_log_backend_memory_contexts | pg_log_standby_snapshot | binary_upgrade_\w+
    | lo_\w+ | loread | lowrite
    | dblink\w* | postgres_fdw_\w+
    | (query|cursor|table|schema|database)_to_xml\w*
    | ts_stat | ts_rewrite | crosstab\w* | connectby
    """,
    re.VERBOSE,
)
"""Signals, locks that outlive the transaction, the server's files, replication,
settings, other databases, and functions that run a query given as text."""

TOKEN = re.compile(r"""\"(?:[^"]|"")*\"|'(?:[^']|'')*'|\b([a-z_][a-z0-9_]*)\s*\(""")
"""In the text of a plan: quoted identifiers and literals first, then calls."""


def check_plan(plan: str) -> None:
    """Refuse a plan that calls a function that acts.

    :param plan: the text of ``EXPLAIN (VERBOSE)``
    :raise ToolError: naming the function
    """
    for match in TOKEN.finditer(plan):
        name = match[1]
        if name and DENIED.fullmatch(name):
            raise ToolError(
                f"query_database only reads: {name}() acts on the server, or hides "
                "what it runs. Query without it."
            )
