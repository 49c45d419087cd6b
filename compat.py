"""Every difference between Odoo 18.0 and 19.0, and nothing else.

Models are written in the idiom of 19.0; what 18.0 lacks is supplied here.
"""

from odoo import models, release

ODOO_19 = release.version_info[0] >= 19

GROUPS_FIELDS = frozenset({"groups_id", "group_ids", "users", "user_ids"})
"""Fields of ``res.users`` and ``res.groups`` that say who is in which group."""

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


def members(group):
    """Return the users of ``group``, by implication too, whatever the series.

    :param group: a ``res.groups`` record
    :return: ``res.users`` records
    """
    return group.all_user_ids if ODOO_19 else group.users
