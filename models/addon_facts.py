"""What is told of one addon to whoever reviews it."""

from odoo import release

from .. import compat
from .addon_source import Source, origin
from .log_traceback import shortened
from .redaction import redact_text
from .source_patterns import LOOK_AT, changed

LONGEST_MANIFEST = 4000
MOST_FILES = 150
MOST_NAMES = 60


class AddonFacts:
    """One addon, by its source and by what it has become in this database.

    :param module: its ``ir.module.module`` record, in sudo
    :param path: its folder
    """

    def __init__(self, module, path: str) -> None:
        self.env = module.env
        self.module = module
        self.path = path
        self.source = Source(path)

    def told(self) -> dict:
        """Return the values of the prompt's template."""
        module, source = self.module, self.source
        return {
            "path": self.path,
            "state": module.state,
            "version": module.latest_version or "",
            "origin": origin(self.path, module.license or ""),
            "manifest": self._manifest(),
            "sizes": source.sizes(),
            "files": [
                f"{file.path} ({len(source.text[file]) or f'{file.size} bytes'})"
                for file in source.files[:MOST_FILES]
            ],
            "files_left_out": max(0, len(source.files) - MOST_FILES),
            "places": source.places(LOOK_AT),
            "outdated": source.places(changed(0, release.version_info[0])),
            "tests": source.count(r"^\s+def test_", "tests"),
            "migrations": source.folders("migrations") + source.folders("upgrades"),
            **(self._in_database() if module.state == "installed" else {}),
        }

    def _manifest(self) -> str:
        with open(f"{self.path}/__manifest__.py", encoding="utf-8") as manifest:
            return shortened(redact_text(manifest.read().strip()), LONGEST_MANIFEST)

    def _in_database(self) -> dict:
        """Return its models, and those that lack what every model wants."""
        models = self._brought("ir.model")
        real = [m for m in models if m.model in self.env and not self._abstract(m)]
        fields = self._brought("ir.model.fields")
        extended = {field.model for field in fields} - {m.model for m in models}
        return {
            "models": [model.model for model in models][:MOST_NAMES],
            "extended": sorted(extended)[:MOST_NAMES],
            "without_rights": self._lacking("ir.model.access", real),
            "without_rules": self._lacking(
                "ir.rule",
                [m for m in real if "company_id" in self.env[m.model]._fields],
            ),
            "dependents": [
                row.module_id.name
                for row in self.env["ir.module.module.dependency"].search(
                    [("name", "=", self.module.name)]
                )
                if row.module_id.state == "installed"
            ],
        }

    def _brought(self, model: str):
        """Return the records of ``model`` that the addon has brought."""
        data = self.env["ir.model.data"].search(
            [("module", "=", self.module.name), ("model", "=", model)]
        )
        return self.env[model].browse(sorted(set(data.mapped("res_id")))).exists()

    def _abstract(self, model) -> bool:
        return self.env[model.model]._abstract

    def _lacking(self, kind: str, models: list) -> list[str]:
        """Return the models that have no active record of ``kind``."""
        ids = [model.id for model in models]
        found = self.env[kind].search([("model_id", "in", ids)]).model_id
        return [model.model for model in models if model not in found]


def module_row(env, name: str) -> dict:
    """Return name, version and origin of a module, for a list of modules."""
    module = env["ir.module.module"].sudo().search([("name", "=", name)])
    path = compat.module_path(name)
    return {
        "name": name,
        "version": module.latest_version or module.installed_version or "",
        "origin": origin(path, module.license or ""),
        "state": module.state or "unknown",
        "path": path or "",
    }
