import json
from datetime import date, datetime, time, timedelta
from numbers import Real

from odoo import api, fields, models
from odoo.tools import format_date

from ..models import health, phone_home_state
from ..models.parameters import parameter
from ..models.user_time import day_begins, today, zone

ADMINISTRATOR = "odoo_dev_mcp.odoo_dev_mcp_group_administrator"


class McpDashboard(models.Model):
    """What is going on, at a glance: a record a period, whose id is its days.

    Its figures are those of the calls that the user may see, read when it is opened.
    """

    _name = "mcp.dashboard"
    _description = "MCP Dashboard"
    _auto = False
    _log_access = False
    _order = "days"

    _table_query = "SELECT days AS id, days FROM unnest(ARRAY[1, 7, 30]) AS days"

    days = fields.Integer(readonly=True)
    calls = fields.Integer(compute="_compute_totals")
    errors = fields.Integer(compute="_compute_totals")
    refusals = fields.Integer(compute="_compute_totals")
    duration_ms = fields.Integer("Average (ms)", compute="_compute_totals")
    users = fields.Integer(compute="_compute_totals")
    keys = fields.Integer(compute="_compute_totals")
    clients = fields.Integer(compute="_compute_totals")
    running = fields.Integer(compute="_compute_running")
    calls_graph = fields.Text(compute="_compute_graphs")
    failures_graph = fields.Text(compute="_compute_graphs")
    graph_table = fields.Html(compute="_compute_graphs", sanitize=False)
    tables = fields.Html(compute="_compute_tables", sanitize=False)
    listener_state = fields.Char(
        "Listener", compute="_compute_states", compute_sudo=True, groups=ADMINISTRATOR
    )
    registry_state = fields.Text(
        "Registry", compute="_compute_states", compute_sudo=True, groups=ADMINISTRATOR
    )

    @api.depends("days")
    def _compute_display_name(self):
        for period in self:
            period.display_name = (
                self.env._("Today")
                if period.days == 1
                else self.env._("Last %(days)s Days", days=period.days)
            )

    @api.depends("days")
    def _compute_totals(self):
        names = ("errors:sum", "refusals:sum", "duration_ms:avg")
        who = ("user_id", "key_id", "client")
        distinct = [f"{name}:count_distinct" for name in who]
        for period in self:
            [(calls, *figures)] = period._sums([], "__count", *names, *distinct)
            errors, refusals, average, users, keys, clients = figures
            period.calls = calls
            period.errors = errors or 0
            period.refusals = refusals or 0
            period.duration_ms = round(average or 0)
            period.users = users
            period.keys = keys
            period.clients = clients

    @api.depends("days")
    def _compute_running(self):
        self.running = self.env["mcp.audit.log"].search_count([("status", "=", "open")])

    @api.depends("days")
    def _compute_graphs(self):
        for period in self:
            labels = period._labels()
            unit = "date:hour" if period.days == 1 else "date:day"
            sums = ("__count", "errors:sum", "refusals:sum")
            found = {row[0]: row[1:] for row in period._sums([unit], *sums)}
            rows = [(labels[at], *found.get(at, (0, 0, 0))) for at in labels]
            period.calls_graph = _graph(
                self.env._("Calls"), [(label, calls) for label, calls, *_bad in rows]
            )
            period.failures_graph = _graph(
                self.env._("Failed or refused"),
                [(label, errors + refusals) for label, _n, errors, refusals in rows],
            )
            columns = self.env._("Time"), *period._call_columns()
            period.graph_table = period._render({"columns": columns, "rows": rows})

    @api.depends("days")
    def _compute_tables(self):
        for period in self:
            period.tables = period._render(
                period._most_used(),
                period._slowest(),
                period._refused(),
                period._by_key(),
                period._by_client(),
            )

    @api.depends("days")
    def _compute_states(self):
        listener, registry = self._listener_state(), self._registry_state()
        for period in self:
            period.listener_state = listener
            period.registry_state = registry

    def action_period(self):
        """Show the figures of another period: the days are in the context."""
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("odoo_dev_mcp.mcp_dashboard_action")
        return {**action, "res_id": self.env.context["days"], "target": "main"}

    def action_entries(self):
        """Open the entries behind a figure: the context names the filter, or none."""
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("odoo_dev_mcp.mcp_audit_log_action")
        wanted = self.env.context.get("filter")
        if wanted != "running":
            action["domain"] = [("create_date", ">=", self._begins())]
        action["context"] = {f"search_default_{wanted}": 1} if wanted else {}
        return action

    def _first_day(self) -> date:
        return today(self.env) - timedelta(self.days - 1)

    def _begins(self) -> datetime:
        return day_begins(self.env, self._first_day())

    def _sums(self, groupby: list, *aggregates, domain=(), order=None, limit=None):
        """Return groups of the period's calls as ``_read_group`` does.

        Days and hours are the user's.
        """
        report = self.env["mcp.call.report"].with_context(tz=zone(self.env))
        return report._read_group(
            [("date", ">=", self._begins()), *domain],
            groupby,
            aggregates,
            order=order,
            limit=limit,
        )

    def _labels(self) -> dict[datetime, str]:
        """Return what each bar of a graph is called, by the user's time it begins."""
        first = datetime.combine(self._first_day(), time.min)
        if self.days == 1:
            hours = [first + timedelta(hours=n) for n in range(24)]
            return {hour: f"{hour:%H}:00" for hour in hours}
        days = [first + timedelta(n) for n in range(self.days)]
        return {
            day: format_date(self.env, day.date(), date_format="d MMM") for day in days
        }

    def _call_columns(self) -> tuple:
        return self.env._("Calls"), self.env._("Failed"), self.env._("Refused")

    def _render(self, *tables: dict):
        """Return tables as HTML; each has columns, rows, and perhaps a title."""
        return self.env["ir.qweb"]._render(
            "odoo_dev_mcp.mcp_dashboard_tables",
            {"tables": tables, "is_number": _is_number},
        )

    def _listener_state(self) -> str:
        told = health.listener(self.env.cr)
        if told["status"] == health.DISABLED:
            return self.env._("Switched off: clients use Odoo's own port.")
        if told["status"] == health.HEALTHY:
            return self.env._("Listens at %(url)s", url=told["url"])
        return self.env._("Does not listen: %(error)s", error=told["error"])

    def _registry_state(self) -> str:
        if not parameter(self.env, "phone_home_url"):
            return self.env._("Not configured: nobody is told.")
        told = sorted(phone_home_state.told(self.env.cr).items())
        lines = [f"{host}: {entry.error or entry.answer}" for host, entry in told]
        return "\n".join(lines) or self.env._("Not called yet.")


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _graph(title: str, values: list[tuple[str, int]]) -> str:
    """Return what the web client's ``dashboard_graph`` draws as bars."""
    bars = [{"label": label, "value": n, "type": "future"} for label, n in values]
    return json.dumps([{"key": title, "values": bars}])
