"""What is to be rendered: a path, report, template or view, by its name."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from . import view_names
from .exceptions import ArgumentError, ToolError
from .nearest import nearest
from .page_session import IN_A_PATH
from .undivided import undivided
from .view_chain import label

WEB_CLIENT = "/odoo"

BLANK = "/odoo-dev-mcp-template"
"""The address that a template is shown at; nobody is asked for it."""

LONGEST_ERROR = 2000


@dataclass(frozen=True)
class Target:
    """Something to be rendered.

    :param path: of this server
    :param html: what is shown in place of the page
    :param action: what the web client opens there
    :param report: an ``ir.actions.report`` record
    """

    path: str
    html: str | None = None
    action: dict | None = None
    report: object = None

    def printed(self) -> str:
        """Return the path of a report as Odoo's own engine prints it; no attachment is
        read or saved with this context."""
        context = quote('{"report_pdf_no_attachment": true}')
        return f"{self.path.replace('/html/', '/pdf/', 1)}?context={context}"


def resolve(env, name: str, ids: list[int] | None) -> Target:
    """Return what is meant.

    :param env: of the user who is to see it
    :raise ToolError: there is no such thing; the nearest names
    """
    if name.startswith("/"):
        if ids:
            raise ArgumentError("Argument 'ids': a path names its record itself.")
        return Target(checked_path(name))
    if report := _report(env, name):
        if not ids:
            raise ArgumentError(
                f"Argument 'ids': the report {name} is one of {report.model} records; "
                "say of which."
            )
        numbers = ",".join(map(str, ids))
        path = f"/report/html/{quote(report.report_name)}/{numbers}"
        return Target(path, report=report)
    try:
        view = view_names.find(env, name)
    except ToolError as error:
        known = env["ir.actions.report"].sudo().search([]).mapped("report_name")
        near = nearest(name, known)
        raise ToolError(f"{error}{near and f' Reports:{near}'}") from error
    if view.type != "qweb":
        return Target(WEB_CLIENT, action=_action(view, ids or []))
    if ids:
        raise ArgumentError(
            f"Argument 'ids': no report uses the template {label(view)}, which is "
            "rendered without records."
        )
    return Target(BLANK, html=_template(env, view))


def checked_path(path: str) -> str:
    """Return a path that leads nowhere but to this server.

    :raise ArgumentError: it does not
    """
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or path.startswith("//") or "\\" in path:
        raise ArgumentError(
            "Argument 'target': a path of this server is expected, e.g. /odoo/contacts."
        )
    return quote(path, safe=IN_A_PATH)


def _report(env, name: str):
    """Return the report of a name or XML id, or none."""
    reports = env["ir.actions.report"].sudo()
    if found := reports.search([("report_name", "=", name)], limit=1):
        return found
    record = env.ref(name, raise_if_not_found=False) if "." in name else None
    if record and record._name == reports._name:
        return reports.browse(record.id)
    return reports


def _action(view, ids: list[int]) -> dict:
    """Return the window action that opens a view."""
    if view.type == "search":
        raise ArgumentError(
            "Argument 'target': a search view is shown with another one, e.g. the list."
        )
    shown = view
    while shown.inherit_id and shown.mode != "primary":
        shown = shown.inherit_id
    action = {
        "type": "ir.actions.act_window",
        "name": shown.name,
        "res_model": view.model,
        "views": [[shown.id, shown.type]],
        "target": "current",
    }
    if shown.type == "form":
        return {**action, "res_id": ids[0]} if ids else action
    return {**action, "domain": [["id", "in", ids]]} if ids else action


def _template(env, view) -> str:
    """Return the HTML of a template, rendered as Odoo renders those of reports.

    What it writes is undone.

    :raise ToolError: it cannot be rendered; QWeb tells where
    """
    with env.cr.savepoint() as savepoint, undivided(env.cr):
        try:
            report = env["ir.actions.report"]
            html = report._render_template(view.key or view.xml_id, {})
        except Exception as error:
            raise ToolError(
                f"{label(view)} cannot be rendered without what its caller gives it: "
                f"{str(error)[:LONGEST_ERROR]}"
            ) from error
        finally:
            savepoint.rollback()
            env.invalidate_all()
    return html.decode()
