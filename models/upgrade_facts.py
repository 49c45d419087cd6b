"""What an upgrade of this Odoo has to carry over."""

from odoo import release

from .. import compat
from .addon_source import Source, origin
from .source_patterns import changed, gone

MOST_MODULES = 60
MOST_ROWS = 60


class UpgradeFacts:
    """The installed modules by where they are from, and what the database adds.

    :param env: any environment; it is read in sudo
    :param target: the major series that is upgraded to, e.g. 19
    """

    def __init__(self, env, target: int) -> None:
        self.env = env(su=True)
        self.current = release.version_info[0]
        self.target = target

    def told(self) -> dict:
        """Return the values of the prompt's template."""
        modules = self.env["ir.module.module"].search([("state", "=", "installed")])
        by_origin: dict[str, list] = {"community": [], "enterprise": [], "own": []}
        for module in modules.sorted("name"):
            path = compat.module_path(module.name)
            by_origin[origin(path, module.license or "")].append((module, path))
        missing = gone(self.current, self.target)
        return {
            "community": [module.name for module, _path in by_origin["community"]],
            "enterprise": [module.name for module, _path in by_origin["enterprise"]],
            "own": [self._own(*row) for row in by_origin["own"][:MOST_MODULES]],
            "own_count": len(by_origin["own"]),
            "gone": [module.name for module in modules if module.name in missing],
            **self._customised(),
            **self._database(),
        }

    def _own(self, module, path: str | None) -> dict:
        source = Source(path) if path else None
        outdated = changed(self.current, self.target)
        return {
            "name": module.name,
            "version": module.latest_version or "",
            "path": path or "no folder: it is in the database alone",
            "sizes": source.sizes() if source else "",
            "places": source.places(outdated, tests=True) if source else [],
        }

    def _customised(self) -> dict:
        """Return what people have made in the database, without a module."""
        models = self.env["ir.model"].search([("state", "=", "manual")])
        fields = self.env["ir.model.fields"].search(
            [("state", "=", "manual"), ("model_id", "not in", models.ids)]
        )
        updated = self.env["ir.ui.view"].search([("arch_updated", "=", True)])
        # one of 18.0 is written by Odoo itself
        views = {*updated.mapped("xml_id")} - {"base.user_groups_view", ""}
        return {
            "models": models.mapped("model")[:MOST_ROWS],
            "fields": [f"{f.model}.{f.name} ({f.ttype})" for f in fields[:MOST_ROWS]],
            "fields_count": len(fields),
            "views_changed": sorted(views)[:MOST_ROWS],
            "views_changed_count": len(views),
            "views_made": self._without_module("ir.ui.view", [("mode", "!=", False)]),
            "actions": self._without_module(
                "ir.actions.server", [("state", "=", "code")]
            ),
        }

    def _without_module(self, model: str, domain: list) -> list[str]:
        """Return the names of records that no module has brought."""
        records = self.env[model].search(domain)
        known = records.get_external_id()
        made = [r for r in records if not known[r.id] or "__" in known[r.id][:2]]
        return [f"{record.display_name} ({record.id})" for record in made[:MOST_ROWS]]

    def _database(self) -> dict:
        """Return the size of the database, and its largest tables."""
        self.env.cr.execute(
            "SELECT pg_size_pretty(pg_database_size(current_database()))"
        )
        [size] = self.env.cr.fetchone()
        self.env.cr.execute(
            "SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) "
            "FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = current_schema()::regnamespace "
            "ORDER BY pg_total_relation_size(oid) DESC LIMIT 8"
        )
        return {
            "size": size,
            "tables": [f"{name} {bytes_}" for name, bytes_ in self.env.cr.fetchall()],
        }
