"""Why a user may do something with a model or a record, or may not.

Everything is read in sudo, and judged by Odoo as that user: whoever calls this sees the
groups, access rights and record rules of all users.
"""

from collections.abc import Iterable

from odoo.exceptions import AccessError
from odoo.tools.safe_eval import safe_eval

from .exceptions import ToolError

OPERATIONS = ("read", "write", "create", "unlink")
MOST_FIELDS = 40


class AccessFacts:
    """One question: may ``user`` do ``operation`` with ``model``?

    :param env: any environment
    :param ids: of records; none: the model in general
    """

    def __init__(
        self, env, user, model: str, operation: str, ids: Iterable[int]
    ) -> None:
        self.env = env(su=True)
        self.user = user.with_env(self.env)
        self.operation = operation
        self.model = model
        self.groups = set(self.user._get_group_ids())
        self.records = self.env[model].browse(dict.fromkeys(ids))

    def told(self) -> dict:
        """Return all that decides it, as values of the prompt's template."""
        self.require_records()
        allowed, reason = self._verdict()
        return {
            "allowed": allowed,
            "reason": reason,
            "login": self.user.login,
            "kind": self._kind(),
            "companies": self._companies(),
            "record_company": self._record_company(),
            "groups": sorted(self._groups(self.groups)),
            "rights": self._rights(),
            "rules": self._rules(),
            "fields_hidden": self._fields(),
            "parents": sorted(self.env[self.model]._inherits),
        }

    def require_records(self) -> None:
        """Make sure that all the records are there.

        :raise ToolError: naming those that are not
        """
        if missing := self.records - self.records.exists():
            ids = ", ".join(map(str, missing._ids[:20]))
            raise ToolError(f"{self.model} has no record with the id {ids}.")

    def _verdict(self) -> tuple[bool, str]:
        """Return whether Odoo lets the user, and what it says if not."""
        try:
            self.records.with_user(self.user).sudo(False).check_access(self.operation)
        except AccessError as error:
            return False, str(error)
        return True, ""

    def _kind(self) -> str:
        kind = "internal user" if self.user._is_internal() else "portal or public user"
        return kind if self.user.active else f"archived {kind}"

    def _companies(self) -> dict:
        return {
            "current": self.user.company_id.display_name,
            "allowed": self.user.company_ids.mapped("display_name"),
        }

    def _record_company(self) -> str:
        if not self.records or "company_id" not in self.records._fields:
            return ""
        return self.records.company_id.display_name or "none: shared by all"

    def _groups(self, ids) -> list[str]:
        return self.env["res.groups"].browse(sorted(ids)).mapped("display_name")

    def _rights(self) -> list[dict]:
        """Return the access rights on the model; one that grants it is enough."""
        rows = self.env["ir.model.access"].search([("model_id.model", "=", self.model)])
        return [
            {
                "name": row.name,
                "group": row.group_id.display_name or "everybody",
                "grants": row[f"perm_{self.operation}"],
                "applies": not row.group_id or row.group_id.id in self.groups,
            }
            for row in rows
        ]

    def _rules(self) -> list[dict]:
        """Return the record rules of the model and of those that it inherits from.

        Global rules must all hold; of the groups' rules that apply, one must.
        """
        return [self._rule(rule) for rule in self._all_rules()]

    def _all_rules(self):
        names = [self.model, *self.env[self.model]._inherits]
        return self.env["ir.rule"].search(
            [("model_id.model", "in", names), (f"perm_{self.operation}", "=", True)]
        )

    def blame(self) -> str:
        """Return which record rule Odoo itself fails at, as a message begins."""
        for rule in self._all_rules():
            try:
                self._excluded(rule)
            except Exception:  # whatever somebody has written there
                return (
                    f"The domain of the record rule {rule.name!r} (id {rule.id}) "
                    "cannot be used: mend it. "
                )
        return ""

    def _rule(self, rule) -> dict:
        own = rule.model_id.model == self.model
        applies = not rule.groups or bool(self.groups.intersection(rule.groups.ids))
        return {
            "name": rule.name,
            "model": "" if own else rule.model_id.model,
            "groups": rule.groups.mapped("display_name"),
            "domain": " ".join((rule.domain_force or "[]").split()),
            "applies": applies,
            "holds": self._holds(rule) if applies and own and self.records else None,
        }

    def _holds(self, rule) -> bool:
        """Tell whether the records are in the domain of a rule, for the user."""
        return not self._excluded(rule)

    def _excluded(self, rule):
        """Return the records that are not in the domain of a rule, for the user.

        A rule of a model that this one inherits from is about what it has of that.
        """
        domain = self._domain(rule)
        if rule.model_id.model == self.model:
            return self.records - self.records.filtered_domain(domain)
        name = self.env[self.model]._inherits[rule.model_id.model]
        fitting = self.records[name].filtered_domain(domain)
        return self.records.filtered(lambda record: record[name] not in fitting)

    def _domain(self, rule) -> list:
        """Return the domain of a rule with the user's own values."""
        context = self.env["ir.rule"].with_user(self.user)._eval_context()
        return safe_eval(rule.domain_force or "[]", context)

    def _fields(self) -> list[str]:
        """Return the fields of the model that the user's groups do not reach."""
        user = self.user.with_user(self.user)
        fields = self.env[self.model]._fields.values()
        hidden = [
            f"{field.name} ({field.groups})"
            for field in fields
            if field.groups and not user.has_groups(field.groups)
        ]
        return sorted(hidden)[:MOST_FIELDS]
