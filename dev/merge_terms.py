"""Bring each ``.po`` beside a template to its terms: ``merge_terms.py TEMPLATE``.

Run in the environment of Odoo, which has polib. Prints a line for each language, and
ends with status 1 if one lacks a term.
"""

import sys
from pathlib import Path

import polib


def merged(path: Path, template: polib.POFile) -> int:
    """Number of terms that a language lacks, once it has those of the template."""
    language = polib.pofile(str(path), wrapwidth=78)
    language.merge(template)
    for entry in language.obsolete_entries():
        language.remove(entry)
    language.save()
    return len(language.untranslated_entries()) + len(language.fuzzy_entries())


def main(template_path: Path) -> int:
    """Merge all of them."""
    template = polib.pofile(str(template_path))
    status = 0
    for path in sorted(template_path.parent.glob("*.po")):
        missing = merged(path, template)
        print(f"{path.name}: {missing} of {len(template)} terms are missing")
        status = status or int(missing > 0)
    return status


sys.exit(main(Path(sys.argv[1])))
