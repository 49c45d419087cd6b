"""What is told of one addon to whoever reviews it."""

import os

from odoo import release

from .. import compat
from .addon_source import Source, origin
from .log_traceback import shortened
from .redaction import redact_text
from .source_patterns import LOOK_AT, changed

LONGEST_MANIFEST = 4000
MOST_FILES = 500
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
        outdated = changed(0, release.version_info[0])
        return {
            "path": self.path,
            "state": module.state,
            "version": module.latest_version or "",
            "origin": origin(self.path, module.license or ""),
            "manifest": self._manifest(),
            "sizes": source.sizes(),
            "folders": self._folders(),
            "files_left_out": max(0, len(source.files) - MOST_FILES),
            "places": source.places(LOOK_AT, tests=False),
            "outdated": source.places(outdated, tests=True),
            "tests": source.count(r"^\s+def test_", "tests"),
            "migrations": source.folders("migrations") + source.folders("upgrades"),
            **(self._in_database() if module.state == "installed" else {}),
        }

    def _manifest(self) -> str:
        with open(f"{self.path}/__manifest__.py", encoding="utf-8") as manifest:
            return shortened(redact_text(manifest.read().strip()), LONGEST_MANIFEST)

    def _folders(self) -> list[dict]:
        """Return the folders with their files, each with its lines or bytes."""
        found: dict[str, list[str]] = {}
        for file in self.source.files[:MOST_FILES]:
            parent, name = os.path.split(file.path)
            told = len(self.source.text[file]) or f"({file.size} bytes)"
            found.setdefault(parent or ".", []).append(f"{name} {told}")
        return [{"name": name, "files": files} for name, files in found.items()]

    def _in_database(self) -> dict:
        """Return its models, and those that lack what every model wants."""
        touched = self._brought("ir.model").filtered(lambda m: m.model in self.env)
        models = touched.filtered(self._is_own)
        tables = models.filtered(lambda model: not self.env[model.model]._abstract)
        owned = [m for m in tables if self._has_company(self.env[m.model])]
        fields = self._brought("ir.model.fields")
        extended = {*touched.mapped("model"), *fields.mapped("model")}
        return {
            "models": models.mapped("model")[:MOST_NAMES],
            "extended": sorted(extended - {*models.mapped("model")})[:MOST_NAMES],
            "without_rights": self._lacking("ir.model.access", tables),
            "without_rules": self._lacking("ir.rule", owned),
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

    def _is_own(self, model) -> bool:
        return self.env[model.model]._original_module == self.module.name

    @staticmethod
    def _has_company(records) -> bool:
        return "company_id" in records._fields and not records._transient

    def _lacking(self, kind: str, models) -> list[str]:
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
