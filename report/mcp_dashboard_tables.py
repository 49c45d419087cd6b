from odoo import models

MOST_ROWS = 10


class McpDashboard(models.Model):
    """The tables below the charts: title, columns and rows of each."""

    _inherit = "mcp.dashboard"

    def _most_used(self) -> dict:
        rows = self._sums(
            ["tool"],
            *("__count", "errors:sum", "refusals:sum"),
            order="__count DESC, tool",
            limit=MOST_ROWS,
        )
        columns = self.env._("Tool"), *self._call_columns()
        return {"title": self.env._("Most used"), "columns": columns, "rows": rows}

    def _slowest(self) -> dict:
        rows = self._sums(
            ["tool"],
            *("duration_ms:avg", "duration_ms:max"),
            domain=[("status", "not in", ("open", "refused", "lost"))],
            order="duration_ms:avg DESC, tool",
            limit=MOST_ROWS,
        )
        columns = (
            self.env._("Tool"),
            self.env._("Average (ms)"),
            self.env._("Longest (ms)"),
        )
        return {"title": self.env._("Slowest"), "columns": columns, "rows": rows}

    def _refused(self) -> dict:
        rows = self._sums(
            ["tool", "error_class"],
            "__count",
            domain=[("status", "=", "refused")],
            order="__count DESC, tool",
            limit=MOST_ROWS,
        )
        columns = self.env._("Tool"), self.env._("Reason"), self.env._("Calls")
        return {"title": self.env._("Refusals"), "columns": columns, "rows": rows}

    def _by_key(self) -> dict:
        found = self._sums(
            ["key_name", "user_id"],
            "__count",
            domain=[("key_name", "!=", False)],
            order="__count DESC, key_name",
            limit=MOST_ROWS,
        )
        rows = [(key, user.sudo().display_name, calls) for key, user, calls in found]
        columns = self.env._("Key"), self.env._("User"), self.env._("Calls")
        return {"title": self.env._("Active keys"), "columns": columns, "rows": rows}

    def _by_client(self) -> dict:
        rows = self._sums(
            ["client"], "__count", order="__count DESC, client", limit=MOST_ROWS
        )
        columns = self.env._("Client"), self.env._("Calls")
        return {"title": self.env._("Active clients"), "columns": columns, "rows": rows}
