"""The classes that a model of the registry is made of, and what each defines.

``odoo/orm/model_classes.py`` (18.0: ``odoo/models.py``) builds a registry class whose
bases are the definition classes of the installed modules, the latest first.
"""

from types import FunctionType

from odoo.fields import Field

from .exceptions import ToolError
from .nearest import no_model
from .source_places import definition_of

AUTOMATIC = frozenset(
    ("id", "display_name", "create_uid", "create_date", "write_uid", "write_date")
)


def model_class(env, name: str) -> type:
    """Return the class of a model in the registry.

    :raise ToolError: there is no such model; the nearest names
    """
    if name not in env.registry:
        raise ToolError(
            no_model(
                env.registry, name, "search_code finds it in the source.", abstract=True
            )
            + " A model of a module that is not installed is not in the registry."
        )
    return env.registry[name]


def definition_classes(model: type) -> list[type]:
    """Return the definition classes of a model, the one that is called first first.

    Registry classes, of the model and of its mixins, only hold them together.
    """
    return [
        owner
        for owner in model.__mro__
        if "_field_definitions" in vars(owner) and not getattr(owner, "pool", None)
    ]


def source_of(owner: type, model: type) -> str:
    """Return the module of a definition class, with its model if it is a mixin's."""
    module = owner._module or "odoo"
    other = owner._name and owner._name != model._name and owner._module
    return f"{module}:{owner._name}" if other else module


def field_definitions(model: type, name: str) -> list[tuple[type, Field]]:
    """Return the definitions of a field with their classes, the first one first.

    A field of ``_inherits`` has none here, nor has one that was made by hand.
    """
    return [
        (owner, field)
        for owner in reversed(definition_classes(model))
        for field in owner._field_definitions
        if field.name == name
    ]


def is_automatic(owner: type, name: str) -> bool:
    """Tell whether the ORM has made a field itself, e.g. ``create_uid``.

    It puts them into the class that defines the model; a module may write them, too.
    """
    made = name in AUTOMATIC and definition_of(owner, name) is None
    return made or not owner._module


def functions(owner: type) -> dict[str, FunctionType]:
    """Return the methods that a class defines itself."""
    found = {}
    for name, value in vars(owner).items():
        function = getattr(value, "__func__", value)
        if isinstance(function, FunctionType) and not name.startswith("__"):
            found[name] = function
    return found


def owners(model: type, name: str) -> list[type]:
    """Return the definition classes with ``name`` in their body, first called first."""
    return [owner for owner in definition_classes(model) if name in vars(owner)]
