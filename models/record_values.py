"""Values to write, checked before Odoo is asked: its own errors leave out the place."""

from .domain_check import field_at, moment
from .exceptions import ArgumentError


def require_values(model, values, where: str) -> dict:
    """Return values to write as Odoo takes them.

    :raise ArgumentError: the field that there is not, and the nearest
    """
    if not isinstance(values, dict):
        raise ArgumentError(f"{where}: an object, by field.")
    return {
        name: _value(*field_at(model, name, where), value, f"{where}.{name}")
        for name, value in values.items()
        if _is_single(name, where)
    }


def _is_single(name: str, where: str) -> bool:
    if "." in name:
        raise ArgumentError(
            f"{where}: {name!r} is a path; write the record that has it."
        )
    return True


def _value(model, field, value, where: str):
    if field.type in ("date", "datetime") and isinstance(value, str):
        return moment(field, value, where)
    if field.type == "selection" and isinstance(value, str) and value:
        known = field.get_values(model.env)
        if value not in known:
            raise ArgumentError(
                f"{where}: {value[:60]!r} is none of {', '.join(known)}."
            )
    if field.type == "many2one" and not isinstance(value, int | None):
        raise ArgumentError(
            f"{where}: send the id of one {field.comodel_name}, or null."
        )
    if field.type in ("one2many", "many2many"):
        return _commands(model.env[field.comodel_name], value, where)
    return value


def _commands(comodel, commands, where: str):
    """Return commands of a relation as Odoo's ``Command`` has them: [0, 0, values]…"""
    if not isinstance(commands, list):
        raise ArgumentError(
            f"{where}: a list of commands: [0, 0, values] creates, [1, id, values] "
            "writes, [2, id] deletes, [3, id] unlinks, [4, id] links, [5] unlinks all, "
            "[6, 0, ids] replaces."
        )
    found = []
    for number, command in enumerate(commands):
        if isinstance(command, list) and len(command) == 3 and command[0] in (0, 1):
            values = require_values(comodel, command[2], f"{where}[{number}][2]")
            command = [command[0], command[1], values]
        found.append(command)
    return found
