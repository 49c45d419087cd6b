"""Every difference between Odoo 18.0 and 19.0, and nothing else.

Models are written in the idiom of 19.0; what 18.0 lacks is supplied here.
"""

import configparser
import sys

from odoo import models, release
from odoo.modules import module
from odoo.tools import config

ODOO_19 = release.version_info[0] >= 19

GROUPS_FIELDS = frozenset({"groups_id", "group_ids", "users", "user_ids"})
"""Fields of ``res.users`` and ``res.groups`` that say who is in which group."""

RELATIVE_DATES = ODOO_19
"""Domains take ``today`` and ``-7d`` for a date."""

MAIL_CONNECT = "_connect__" if ODOO_19 else "connect"
"""The method of ``ir.mail_server`` that connects to one."""

if ODOO_19:
    from odoo.orm.domains import CONDITION_OPERATORS, INTERNAL_CONDITION_OPERATORS
    from odoo.orm.registry import _CACHES_BY_KEY

    DOMAIN_OPERATORS = frozenset(CONDITION_OPERATORS - INTERNAL_CONDITION_OPERATORS)
else:
    from odoo.modules.registry import _CACHES_BY_KEY
    from odoo.osv.expression import TERM_OPERATORS

    DOMAIN_OPERATORS = frozenset({*TERM_OPERATORS, "<>"})

_SIGNALS = ("registry", *_CACHES_BY_KEY)

if ODOO_19:
    Constraint = models.Constraint
else:

    class Constraint:
        """An SQL constraint as a class attribute, as ``models.Constraint`` of 19.0.

        18.0 reads ``_sql_constraints`` only, so the attribute appends itself there.
        """

        def __init__(self, definition: str, message: str = "") -> None:
            self.definition = definition
            self.message = message

        def __set_name__(self, owner: type, name: str) -> None:
            row = (name.lstrip("_"), self.definition, self.message)
            owner._sql_constraints = [*getattr(owner, "_sql_constraints", []), row]


def signals_query() -> str:
    """Return the query of the numbers by which Odoo's processes tell each other of
    changes, as one text; see :func:`known_signals`."""
    if ODOO_19:
        tables = [f"orm_signaling_{name}" for name in _SIGNALS]
        numbers = [f"(SELECT max(id) FROM {table})" for table in tables]
        return f"SELECT concat_ws(' ', {', '.join(numbers)})"
    caches = [f"base_cache_signaling_{name}" for name in _SIGNALS[1:]]
    sequences = ["base_registry_signaling", *caches]
    numbers = [f"{sequence}.last_value" for sequence in sequences]
    return f"SELECT concat_ws(' ', {', '.join(numbers)}) FROM {', '.join(sequences)}"


def known_signals(registry) -> str:
    """Return the numbers of :func:`signals_query` that a registry has heeded."""
    caches = registry.cache_sequences
    numbers = [registry.registry_sequence, *(caches[name] for name in _SIGNALS[1:])]
    return " ".join(map(str, numbers))


def members(group):
    """Return the users of ``group``, by implication too, whatever the series.

    :param group: a ``res.groups`` record
    :return: ``res.users`` records
    """
    return group.all_user_ids if ODOO_19 else group.users


def config_file() -> str:
    """Return the path of the configuration file that Odoo was started with.

    It need not exist: Odoo then runs without one.
    """
    return config["config"] if ODOO_19 else config.rcfile


def config_layers() -> dict[str, dict]:
    """Return the options that were given, by where: the first layer wins.

    19.0 keeps them apart; 18.0 keeps the outcome alone, so its command line is read
    again.
    """
    if ODOO_19:
        return {
            "command line": dict(config._cli_options),
            "environment": dict(config._env_options),
            "file": dict(config._file_options),
        }
    arguments = sys.argv[1:]
    if arguments and not arguments[0].startswith("-"):
        arguments = arguments[1:]
    try:
        given = vars(config.parser.parse_args(arguments)[0])
    except SystemExit:  # a command with options of its own
        given = {}
    parser = configparser.RawConfigParser()
    parser.read(config_file())
    in_file = dict(parser.items("options")) if parser.has_section("options") else {}
    return {
        "command line": {k: v for k, v in given.items() if v not in (None, [])},
        "file": in_file,
    }


def forget_manifests() -> None:
    """Let manifests be read from disk again: both series keep them for ever.

    A module that was asked for before it was written would not exist otherwise.
    """
    if ODOO_19:
        module.Manifest._get_manifest_from_addons.cache_clear()
    else:
        module._get_manifest_cached.cache_clear()


def module_path(name: str) -> str | None:
    """Return the folder of a module as the disk has it now; None: there is none.

    19.0 remembers for ever that a module was missing: a server process that was asked
    once would never load it.
    """
    forget_manifests()
    path = module.get_module_path(name, display_warning=False)
    if not path:
        forget_manifests()
    return path or None


def is_model_method(method) -> bool:
    """Tell whether a method of a model is called without records: ``@api.model``."""
    if ODOO_19:
        return bool(getattr(method, "_api_model", False))
    return bool(getattr(method, "_api", None))


def reaches_field(model, field, operation: str) -> bool:
    """Tell whether a field lets the user of ``model`` ``read`` or ``write`` it."""
    if ODOO_19:
        return model._has_field_access(field, operation)
    return model.env.su or field.is_accessible(model.env)


def field_arguments(field) -> dict:
    """Return what a field of a definition class was made with."""
    return (field._args__ if ODOO_19 else field.args) or {}


def sql_objects(registry, owner: type) -> list[tuple[str, str, str]]:
    """Return constraints and indexes that a definition class declares.

    :return: name without that of the table, definition, name in the body of the class
    """
    if ODOO_19:
        return [
            (row.name, row.get_definition(registry), f"_{row.name}")
            for row in vars(owner).get("_table_object_definitions", ())
        ]
    return [
        (row[0], row[1], "_sql_constraints")
        for row in vars(owner).get("_sql_constraints", ())
    ]
