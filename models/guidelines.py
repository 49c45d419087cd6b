"""What an agent that writes for Odoo must know of the series that runs, in brief.

Models have learnt Odoo from years of older code: this names what has changed since, and
what is most often done wrong. Each is read in the sources of the series and in Odoo's
coding guidelines. https://www.odoo.com/documentation/18.0/contributing/development.html
"""

from odoo import release

from .. import compat

LONGEST = 2048
"""Characters: what clients read whole of a text that nobody has asked for."""

OF_18 = """\
- Constraints: _sql_constraints = [(name, definition, message)].
- Domains are lists; odoo.osv.expression joins them.
- Groups: res.users.groups_id, res.groups.users.
- Routes that speak JSON-RPC: type="json".
- Tests: demo data is there by default."""

OF_19 = """\
- Constraints and indexes: models.Constraint, models.Index; _sql_constraints is ignored.
- Domains: odoo.fields.Domain joins lists; odoo.osv is deprecated.
- Groups: res.users.group_ids, res.groups.user_ids, privilege_id.
- Routes that speak JSON-RPC: type="jsonrpc". self._cr, request.cr: self.env.cr.
- <group> in a search view takes no expand or string.
- Tests: no demo data by default; make your own."""

BOTH = """\
# Odoo {series}
- Views: <list>, not <tree>; invisible="state == 'done'", not attrs or states; kanban
  templates are t-name="card". inspect_view(candidate=…) before writing one.
- Models: create takes lists (@api.model_create_multi); _compute_display_name, not
  name_get; check_access and has_access; _read_group, not read_group; self.env._("…
  %(name)s", name=x), never an f-string. Computes assign every record.
- Extend with _inherit in a module that depends on the other; call super() with the
  same signature. Never edit Odoo's own files.
- SQL: odoo.tools.SQL or %s parameters after self.env.flush_all(); never string
  formatting. No cr.commit().
- sudo() as short as may be, and with a reason beside it.
- A new model needs ir.model.access.csv, its views in the manifest's data, and its
  file imported. A view must come after what it refers to.
- Translated and company_dependent fields are jsonb in PostgreSQL. x2many commands:
  odoo.Command.
- Tests: tests/test_*.py, imported in tests/__init__.py; TransactionCase rolls back;
  @tagged("post_install", "-at_install") for what needs other modules.
{own}
# Work
Fields, overrides and views may come from any module: ask inspect_model, not the
files. Loop: edit_file, lint_module, run_tests (a copy of the database, the files on
disk), then upgrade_module; restart when it says so. Python on disk is not what runs
until then. Try writes with dry_run. A secret shows as ***MASKED***: do not write that
back."""


def guidelines() -> str:
    """Return the text, as Markdown."""
    own = OF_19 if compat.ODOO_19 else OF_18
    return BOTH.format(series=release.series, own=own)
