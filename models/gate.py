from odoo import models

LOCK = (0x6D637067, 1)  # "mcpg"

PASS = "pg_advisory_xact_lock_shared({}, {})".format(*LOCK)
"""What a transaction of ours that takes several tables begins with."""


class McpGate(models.AbstractModel):
    """Has calls wait while the addon is upgraded.

    An upgrade locks one table after the other until it is committed. A call that waits
    for one of them holds others, which the upgrade wants next: PostgreSQL would end one
    of the two. Behind the gate it waits with empty hands.
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS
    """

    _name = "mcp.gate"
    _description = "MCP Gate"

    def init(self):
        # the first model of the addon: nothing is locked yet
        self.env.cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
