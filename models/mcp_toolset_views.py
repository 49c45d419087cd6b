from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from odoo import models

from . import browser, page_session, view_names
from .content import image, resource
from .exceptions import ArgumentError, ToolError
from .live_call import live
from .page_session import MOST_BYTES
from .parameters import let_go, time_left
from .render_target import resolve
from .tool_signature import tool
from .user_named import user_named
from .view_chain import ViewChain
from .view_told import told_nodes, told_view, validated

if TYPE_CHECKING:
    from .schemas.views import (
        Candidate,
        CandidateMode,
        Login,
        Node,
        RecordIds,
        Rendered,
        RenderFormat,
        Target,
        View,
        ViewInspected,
        Width,
    )

DEVELOPER = "odoo_dev_mcp.odoo_dev_mcp_group_developer"

RENDER_SECONDS = 60
HTML_MOST = 40_000


class McpToolsetViews(models.AbstractModel):
    """Views as Odoo combines them, and as users see them."""

    _name = "mcp.toolset.views"
    _description = "MCP Toolset Views"

    @tool(types=".schemas.views", foreign=True)
    def inspect_view(
        self,
        view: View,
        node: Node = None,
        candidate: Candidate = None,
        mode: CandidateMode = None,
    ) -> ViewInspected:
        """Tell how a view comes about, or what Odoo says to an arch for it.

        :raise ToolError: there is no such view or node
        """
        found = view_names.find(self.env, view)
        if candidate is not None:
            if node is not None:
                raise ArgumentError(
                    "Argument 'node': leave it out with 'candidate', whose answer "
                    "tells what each spec hits."
                )
            return validated(found, candidate, mode)
        if mode:
            raise ArgumentError("Argument 'mode': it goes with 'candidate'.")
        chain = ViewChain(found)
        if node is not None:
            return told_nodes(found, chain, node)
        return told_view(found, chain)

    @tool(types=".schemas.views", writes=True, foreign=True)
    def render(
        self,
        target: Target,
        format: RenderFormat = "png",  # noqa: A002
        ids: RecordIds = None,
        user: Login = None,
        width: Width = 1366,
    ) -> Rendered:
        """Return what a user sees of a page, report, template or view.

        It is opened as in that user's browser, so that Odoo may write what it writes
        when somebody looks; what would change records is kept back.

        :raise ToolError: there is no such thing, user or browser
        """
        seen_by = self._seen_by(user)
        found = resolve(seen_by.env, target, ids)
        told = {"target": target, "user": seen_by.login}
        seconds = time_left(self.env, RENDER_SECONDS)
        if format == "pdf" and found.report and has_pdf_engine(seen_by.env):
            return {**told, **self._page(seen_by, found.printed(), seconds)}
        if format == "html" and not found.action:
            if found.html is not None:
                return {**told, **told_html(found.html)}
            return {**told, **self._page(seen_by, found.path, seconds)}
        return {**told, **self._shown(seen_by, found, format, width, seconds)}

    def _seen_by(self, login: str | None):
        """Return the user who is to see it, with their own rights.

        :raise ToolError: there is none, or the caller may not act for others
        """
        if login is None or login == self.env.user.login:
            return self._as(self.env.user)
        if not self.env.user.has_group(DEVELOPER):
            raise ToolError("Only MCP developers render as another user.")
        return self._as(user_named(self.env, login, active=True))

    def _as(self, user):
        """Return a user with their own rights, language and time zone; and without the
        call, which is no affair of the code of a template."""
        context = user.with_user(user).context_get()
        return user.with_env(self.env(user=user.id, context=dict(context)))

    def _page(self, seen_by, path: str, seconds: float) -> dict:
        """Return what the server answers for a path."""
        base = page_session.origin(self.env.cr.dbname)
        with page_session.session_of(seen_by) as sid:
            let_go(self.env)
            page = page_session.get(base, path, sid, seconds, live(self.env))
        told = {"url": page.path, "status": page.status}
        if page.status >= 500:
            told["more"] = "why is in the server's log"
        kind = page.content_type
        if kind.startswith("application/pdf"):
            return {**told, **self._pdf(path, page.data)}
        if kind.startswith("image/"):
            live(self.env).attached.append(image(page.data, kind.partition(";")[0]))
        elif kind.startswith("text/") or "json" in kind:
            return {**told_html(page.data.decode(errors="replace")), **told}
        return {**told, "content_type": kind, "bytes": len(page.data)}

    def _shown(self, seen_by, found, form: str, width: int, seconds: float) -> dict:
        """Return what a browser shows."""
        base = page_session.origin(self.env.cr.dbname)
        with page_session.session_of(seen_by) as sid:
            let_go(self.env)
            shown = browser.show(
                base,
                found.path,
                sid,
                form=form,
                width=width,
                timeout=seconds,
                call=live(self.env),
                html=found.html,
                action=found.action,
            )
        told = {name: value for name, value in shown.told.items() if value}
        if form == "html":
            return {**told, **told_html(shown.data.decode(errors="replace"))}
        if form == "pdf":
            return {**told, **self._pdf(found.path, shown.data)}
        live(self.env).attached.append(image(shown.data))
        return {**told, "bytes": len(shown.data)}

    def _pdf(self, name: str, data: bytes) -> dict:
        """Give a PDF with the answer."""
        if len(data) > MOST_BYTES:
            raise ToolError(
                f"The PDF has {len(data)} bytes, {MOST_BYTES} are handed over: render "
                "fewer records."
            )
        uri = f"odoo://render/{quote(name, safe='')}.pdf"
        live(self.env).attached.append(
            resource(uri, blob=data, mime_type="application/pdf")
        )
        return {"bytes": len(data)}


def has_pdf_engine(env) -> bool:
    """Tell whether Odoo can print its reports itself, with wkhtmltopdf."""
    return env["ir.actions.report"].sudo().get_wkhtmltopdf_state() != "install"


def told_html(html: str) -> dict:
    """Return HTML, cut if it is long."""
    told = {"html": html[:HTML_MOST], "length": len(html)}
    if len(html) > HTML_MOST:
        told["more"] = f"{HTML_MOST} of {len(html)} characters are shown"
    return told
