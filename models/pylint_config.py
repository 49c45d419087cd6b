"""What is taken of a module's pylint configuration: options that run no code.

``init-hook`` and ``evaluation`` are run as they are; ``load-plugins``,
``output-format`` and ``extension-pkg-allow-list`` import what they name; others write
files. Who may have a module looked at may run nothing by it: only what is known to be
harmless is passed on.
"""

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CONFIGS = (".pylintrc", "pylintrc", ".pylintrc.toml", "pylintrc.toml")

HARMLESS = re.compile(
    # what is looked at, and for which messages
    r"disable|enable|confidence|py-version|ignore|ignored?-[a-z-]+"
    # of pylint's checkers
    r"|(max|min|allow|allowed|known|valid|deprecated|preferred|good|bad|logging)-[a-z-]+"
    r"|[a-z-]+-(rgxs?|naming-style)|additional-builtins|callbacks|docstring-min-length"
    r"|defining-attr-methods|exclude-protected|expected-line-ending-format"
    r"|generated-members|indent-(string|after-paren)|init-import|notes"
    r"|overgeneral-exceptions|property-classes|single-line-(if|class)-stmt"
    # of pylint-odoo
    r"|attribute-deprecated|category-allowed(-app)?|cursor-expr|license-allowed"
    r"|development-status-allowed|external-request-timeout-methods|manifest-[a-z-]+"
    r"|method-required-super|no-missing-return|odoo-[a-z-]+|prohibited-method-override"
    r"|readme-template-url"
)
MISSED = ("init-hook", "load-plugins")
"""What one would miss, of all that is not taken."""

MOST_READ = 1024 * 1024


class Taken(NamedTuple):
    """A configuration that may be used.

    :param text: as an rcfile
    :param missed: options that would have changed what is found
    """

    text: str
    missed: list[str]


def config_of(folder: Path) -> Path | None:
    """Return pylint's configuration of a module: that of the nearest folder above, up
    to the top of its repository."""
    for parent in (folder, *folder.parents):
        for name in CONFIGS:
            if (parent / name).is_file():
                return parent / name
        if (parent / ".git").exists() or parent.parent == parent:
            return None
    return None


def taken(config: Path) -> Taken:
    """Return the harmless part of a configuration.

    :raise ValueError: it cannot be read; no word of the file is told
    """
    try:
        with config.open(encoding="utf_8_sig") as file:
            text = file.read(MOST_READ)
        read = _of_toml if config.suffix == ".toml" else _of_ini
        options = list(read(text))
    except (
        *(OSError, ValueError, ImportError, AttributeError),
        configparser.Error,
    ) as error:
        raise ValueError(f"{type(error).__name__} in {config}") from None
    rows = [row for row in options if HARMLESS.fullmatch(row[0].replace("_", "-"))]
    # an option may be given twice, and its value must not become another option
    lines = [
        f"[{number}]\n{name} = {' '.join(value.split()).replace('%', '%%')}\n"
        for number, (name, value) in enumerate(rows)
    ]
    found = dict(options)
    if found.get("load-plugins", "").strip() == "pylint_odoo":
        del found["load-plugins"]
    return Taken("".join(lines), [name for name in MISSED if name in found])


def _of_ini(text: str) -> Iterator[tuple[str, str]]:
    # as pylint/config/config_file_parser.py does
    parser = configparser.ConfigParser(inline_comment_prefixes=("#", ";"))
    parser.read_string(text)
    for section in parser.sections():
        yield from parser[section].items()


def _of_toml(text: str) -> Iterator[tuple[str, str]]:
    import tomllib  # from Python 3.11 on

    for name, value in tomllib.loads(text).get("tool", {}).get("pylint", {}).items():
        inner = value if isinstance(value, dict) else {name: value}
        for option, given in inner.items():
            yield option, _as_text(given)


def _as_text(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
