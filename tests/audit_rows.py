"""Audit entries by the thousand, without the calls."""

from contextlib import contextmanager
from datetime import datetime

from odoo.tools import SQL

from ..models.audit_file import this_process
from .common import ADMINISTRATOR, USER

PERIOD = {"date_from": "2020-01-01", "date_to": "2020-01-31"}
IN_PERIOD = datetime(2020, 1, 15, 12, 30, 5)


def insert_entries(env, count, **columns):
    """Write ``count`` entries as calls leave them; return the newest's id.

    :param columns: what is another than in a call that succeeded just now
    """
    row = {
        "create_date": SQL("now() AT TIME ZONE 'UTC'"),
        "user_id": env.uid,
        "user_login": env.user.login,
        "key_name": "a key",
        "tool": "query_database",
        "arguments": "{}",
        "status": "success",
        "duration_ms": 10,
        "client": "Tester 1",
        "address": "127.0.0.1",
        "process": this_process(),
        **columns,
    }
    env.cr.execute(
        SQL(
            "INSERT INTO mcp_audit_log (%s) SELECT %s FROM generate_series(1, %s) "
            "RETURNING id",
            SQL(", ").join(map(SQL.identifier, row)),
            SQL(", ").join(SQL("%s", value) for value in row.values()),
            count,
        )
    )
    newest = max(entry for (entry,) in env.cr.fetchall())
    env.invalidate_all()
    return newest


class AuditCase:
    """An administrator, a plain user, and the export of a period of its own."""

    @classmethod
    def _set_up_auditors(cls):
        cls.administrator = cls.make_user("mcp_admin", ADMINISTRATOR)
        cls.other = cls.make_user("mcp_other", USER)

    def insert(self, count=1, **columns):
        values = {"create_date": IN_PERIOD, "user_id": self.developer.id, **columns}
        return insert_entries(self.env, count, **values)


@contextmanager
def as_owner(env):
    """Change the audit as only who owns its tables can: past what protects them."""
    tables = ("mcp_audit_log", "mcp_audit_seal")
    for table in tables:
        env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        env.cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    env.invalidate_all()
