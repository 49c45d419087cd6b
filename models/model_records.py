"""The records that belong to a model: views, rights, rules, actions, menus."""

from collections import defaultdict

from .capped import capped

MOST_VIEWS = 25
MOST_EXTENSIONS = 6
LETTERS = {"read": "r", "write": "w", "create": "c", "unlink": "d"}


class ModelRecords:
    """What is told of a model's records.

    :param env: who may call the tool is decided on its record; it is read in sudo
    """

    def __init__(self, env, name: str) -> None:
        self.env = env(su=True, context={**env.context, "lang": None})
        self.name = name

    def told(self) -> dict:
        """Return the facts."""
        actions = self.env["ir.actions.act_window"].search(
            [("res_model", "=", self.name)]
        )
        menus = [f"{action._name},{action.id}" for action in actions]
        return {
            "views": self._views(),
            "access": self._access(),
            "rules": self._rules(),
            "window_actions": len(actions),
            "menus": self.env["ir.ui.menu"].search_count([("action", "in", menus)]),
        }

    def _views(self) -> list[str]:
        """Return the primary views, each with the views that extend it, in order."""
        views = self.env["ir.ui.view"].search([("model", "=", self.name)])
        names = external_ids(views | views.inherit_id)
        found = defaultdict(list)
        for view in views.sorted(lambda row: (row.type, row.priority, row.id)):
            if view.mode == "extension":
                base = view
                while base.mode == "extension" and base.inherit_id:
                    base = base.inherit_id
                found[base].append(names[view.id])
            else:
                found[view] = found[view]
        names |= external_ids(self.env["ir.ui.view"].union(*found))
        rows = [
            f"{view.type} {names[view.id]}{_parent(view, names)}{_plus(extensions)}"
            for view, extensions in found.items()
        ]
        return capped(rows, MOST_VIEWS, "search ir.ui.view")

    def _access(self) -> list[str]:
        rows = self.env["ir.model.access"].search([("model_id", "=", self._model_id())])
        groups = external_ids(rows.group_id)
        names = external_ids(rows)
        return [
            f"{groups.get(row.group_id.id, 'everybody')} {letters(row)} "
            f"[{names[row.id]}]"
            for row in rows
        ]

    def _rules(self) -> list[str]:
        rows = self.env["ir.rule"].search([("model_id", "=", self._model_id())])
        groups, names = external_ids(rows.groups), external_ids(rows)
        return [
            f"{', '.join(groups[group.id] for group in row.groups) or 'global'} "
            f"{letters(row)} {row.domain_force or '[]'} [{names[row.id]}]"
            for row in rows
        ]

    def _model_id(self) -> int:
        return self.env["ir.model"]._get_id(self.name)


def letters(row) -> str:
    """Return what an ACL line or rule is about, e.g. ``rw--``."""
    return "".join(
        letter if row[f"perm_{name}"] else "-" for name, letter in LETTERS.items()
    )


def external_ids(records) -> dict[int, str]:
    """Return the XML id of each record; of one that has none, its model and id."""
    found = records.get_external_id()
    return {key: name or f"{records._name},{key}" for key, name in found.items()}


def _plus(extensions: list[str]) -> str:
    shown = capped(extensions, MOST_EXTENSIONS, "search ir.ui.view")
    return f" + {', '.join(shown)}" if shown else ""


def _parent(view, names: dict[int, str]) -> str:
    parent = view.inherit_id
    return f" (from {names.get(parent.id, parent.id)})" if parent else ""
