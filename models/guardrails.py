"""What the server's configuration file forbids, whatever the records say.

Section ``[odoo_dev_mcp]`` of the file that Odoo was started with::

    [odoo_dev_mcp]
    disabled_tools = execute_command, odoo_shell
    read_only = True
    path_roots = /srv/addons, /var/log/odoo

Read once per process, so that a call which changes the file changes nothing before an
administrator restarts the server. 18.0 keeps such a section (``config.get_misc``), 19.0
does not: it is parsed here on both.
"""

import configparser
import functools
import logging
import os
from dataclasses import dataclass

from .. import compat
from .exceptions import ToolError
from .parameters import parts

_logger = logging.getLogger(__name__)

SECTION = "odoo_dev_mcp"
WORDS = {"true": True, "1": True, "yes": True, "on": True} | {
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True)
class Guardrails:
    """The limits that no record and no call can widen.

    :param disabled_tools: names of tools that do not exist
    :param read_only: only features that say they change nothing
    :param path_roots: folders that the file tools may reach; None: as the settings say
    """

    disabled_tools: frozenset[str] = frozenset()
    read_only: bool = False
    path_roots: tuple[str, ...] | None = None

    def options(self) -> dict[str, str]:
        """Return the section of a file that says the same."""
        found = {
            "disabled_tools": ", ".join(sorted(self.disabled_tools)),
            "read_only": str(self.read_only),
        }
        if self.path_roots is not None:
            found["path_roots"] = ", ".join(self.path_roots)
        return found

    def permits(self, feature) -> bool:
        """Tell whether a feature may be offered at all."""
        if self.read_only and not feature.read_only:
            return False
        return self.disabled_tools.isdisjoint({feature.name, feature.method})

    def require(self, tool: str, *, writes: bool) -> None:
        """Refuse the work of a tool, whoever asks for it by whatever name.

        :raise ToolError: the file forbids it
        """
        if tool in self.disabled_tools or (writes and self.read_only):
            raise ToolError(f"The server's configuration file forbids {tool}.")


STRICTEST = Guardrails(read_only=True, path_roots=())
"""What a section that cannot be understood is read as."""


_adopted: list[Guardrails] = []


def guardrails() -> Guardrails:
    """Return the guardrails of this server."""
    return _adopted[-1] if _adopted else _own()


def adopt(options: dict[str, str]) -> None:
    """Have the guardrails of the server that this process works for.

    :param options: as :meth:`Guardrails.options` told them there
    """
    _adopted.append(parse(options))


@functools.cache
def _own() -> Guardrails:
    return read(compat.config_file())


def read(path: str) -> Guardrails:
    """Return the guardrails in the file ``path``; no file or section: none.

    An unknown option or a value that is none counts as the strictest.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read(path)
    except (configparser.Error, OSError, UnicodeError) as error:
        _logger.error("%s: %s; tools that change something are off", path, error)
        return STRICTEST
    if not parser.has_section(SECTION):
        return Guardrails()
    try:
        return parse(dict(parser.items(SECTION)))
    except ValueError as error:
        _logger.error(
            "%s, [%s]: %s; tools that change something are off", path, SECTION, error
        )
        return STRICTEST


def parse(options: dict[str, str]) -> Guardrails:
    """Return the guardrails that the options of the section say.

    >>> parse({"read_only": "yes", "disabled_tools": "a, b"}).permits
    ... # doctest: +ELLIPSIS
    <bound method Guardrails.permits of ...>
    >>> parse({"read_only": "perhaps"})
    Traceback (most recent call last):
    ValueError: read_only = perhaps: say True or False

    :raise ValueError: naming the option
    """
    if unknown := sorted(set(options) - set(Guardrails.__dataclass_fields__)):
        raise ValueError(f"unknown option {', '.join(unknown)}")
    found = {}
    if "disabled_tools" in options:
        found["disabled_tools"] = frozenset(parts(options["disabled_tools"]))
    if "read_only" in options:
        word = options["read_only"].strip()
        if word.lower() not in WORDS:
            raise ValueError(f"read_only = {word}: say True or False")
        found["read_only"] = WORDS[word.lower()]
    if "path_roots" in options:
        roots = parts(options["path_roots"])
        if relative := [root for root in roots if not os.path.isabs(root)]:
            raise ValueError(f"path_roots: {relative[0]} is not absolute")
        found["path_roots"] = tuple(roots)
    return Guardrails(**found)


# When Odoo starts, not when a call first asks: what a call has written is not read.
guardrails()
