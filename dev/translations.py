"""``make translations``: the terms of the addon, and what each language lacks of them.

Exported by Odoo 18.0 from a database of its own into ``i18n/odoo_dev_mcp.pot``. Each
``i18n/<language>.po`` gets the new terms, untranslated, and loses those that are gone.
"""

import subprocess
from pathlib import Path

from dev import console, database, odoo_source, paths, stack
from dev.odoo_instance import OdooInstance

TEMPLATE = paths.REPOSITORY / "i18n" / f"{paths.ADDON}.pot"
MERGE = Path(__file__).with_name("merge_terms.py")
SERIES = "18.0"


def main() -> int:
    """Export, merge, and tell what is missing; status 1 if anything is."""
    own = stack.on(odoo_source.choose(SERIES))
    database.sweep(own)
    name = database.temporary_name(own, "translations")
    console.progress(f"Odoo {own.series}: a database with the addon…")
    try:
        database.with_addon(own, name)
        paths.made(TEMPLATE.parent)
        export = ("-d", name, f"--i18n-export={TEMPLATE}", f"--modules={paths.ADDON}")
        OdooInstance(own, name).run_once(*export)
    finally:
        database.drop(own, name)
        OdooInstance(own, name).forget()
    return subprocess.run([own.env.python, MERGE, TEMPLATE], check=False).returncode
