"""How views are named by who asks for them, and where their files are."""

from odoo.tools import file_path

from . import data_places
from .exceptions import ToolError
from .nearest import nearest, no_model
from .view_chain import label

TYPES_OTHERWISE = "form"
LONGEST_ID = 10
"""Digits that are surely too many for PostgreSQL's integer."""


def find(env, name: str):
    """Return the ``ir.ui.view`` record that is meant.

    :param name: XML id, key, id; or model and type, e.g. ``res.partner list``
    :return: in sudo: definitions are no data, and who may see them is decided on the
        tool's record
    :raise ToolError: there is none; the nearest names
    """
    views = env["ir.ui.view"].sudo().with_context(lang=None, active_test=False)
    model, _space, kind = name.strip().partition(" ")
    if model.isdecimal() and len(model) < LONGEST_ID:
        found = views.browse(int(model)).exists()
    elif kind or (model in env and not _by_xml_id(views, model)):
        return _default(views, model, kind.strip() or TYPES_OTHERWISE)
    else:
        found = _by_xml_id(views, model)
    if not found:
        raise ToolError(f"There is no view {name!r}.{_nearest(views, model)}")
    return found


def _by_xml_id(views, name: str):
    """Return the view of an XML id, or of a QWeb template's key."""
    record = views.env.ref(name, raise_if_not_found=False) if "." in name else None
    if record and record._name == views._name:
        return views.browse(record.id)
    return views.search([("key", "=", name)], limit=1)


def _default(views, model: str, kind: str):
    """Return the view that Odoo takes for a model when none is named.

    :raise ToolError: there is no such model, or no such view of it
    """
    if model not in views.env:
        raise ToolError(no_model(views.env.registry, model))
    views = views.with_context(active_test=True)
    if found := views.default_view(model, kind):
        return views.browse(found)
    types = views.search([("model", "=", model), ("mode", "=", "primary")])
    there_are = ", ".join(sorted(set(types.mapped("type")))) or "none"
    raise ToolError(
        f"{model} has no view of type {kind!r}; of these types it has: {there_are}. "
        "What a model has no view of Odoo makes up from its fields."
    )


def _nearest(views, name: str) -> str:
    rows = views.env["ir.model.data"].sudo()
    module, dot, rest = name.rpartition(".")
    domain = [("model", "=", views._name)]
    own = rows.search_fetch([*domain, ("module", "=", module)], ["module", "name"])
    known = own or rows.search_fetch(domain, ["module", "name"])
    wanted = name if dot else rest
    found = nearest(wanted, [f"{row.module}.{row.name}" for row in known])
    return found or (
        " Give an XML id, an id, a template's key, or a model and a type, e.g. "
        "'res.partner form'."
    )


def source(view) -> str | None:
    """Return file and line of the record of a view, as far as there is one."""
    if not view.arch_fs:
        return None
    try:
        path = file_path(view.arch_fs)
    except (FileNotFoundError, ValueError):
        return None
    names = {label(view), label(view).rpartition(".")[2]}
    _path, line = next(data_places.places(path, names), (path, None))
    return f"{view.arch_fs}:{line}" if line else view.arch_fs
