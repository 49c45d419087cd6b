"""Who or what decides whether a user may do something, and what would change it."""

from textwrap import shorten

from .. import compat
from .access_facts import AccessFacts
from .domain_check import field_at

MOST_IDS = 50
LONGEST_DOMAIN = 500


class AccessAnswer(AccessFacts):
    """The facts, cut down to those that decide.

    :param whole: who asks may know of the records' companies, which others may not
    """

    def __init__(self, env, user, model, operation, ids, *, whole: bool) -> None:
        super().__init__(env, user, model, operation, ids)
        self.whole = whole
        self.remedies: list[str] = []

    def answer(self, fields: list[str]) -> dict:
        """Return the verdict, what decides it, and what would have to change.

        :param fields: names of fields that are asked about, too
        :raise ToolError: there are no such records
        """
        self.require_records()
        acting = self.records.with_user(self.user).sudo(False)
        granted = acting.browse().has_access(self.operation)
        denied = acting - acting._filtered_access(self.operation)
        told = {
            "allowed": granted and not denied,
            "user": f"{self.user.login} (id {self.user.id}, {self._kind()})",
            "denied_ids": list(denied._ids[:MOST_IDS]) if self.records else None,
            "access_rights": self._deciding_rights(granted),
            "rules": self._deciding_rules(granted),
            "companies": self._deciding_companies(denied.with_env(self.env)),
            "fields": self._deciding_fields(fields),
        }
        if told["fields"]:
            told["allowed"] = False
        told["remedies"] = self.remedies
        return {name: value for name, value in told.items() if value or value is False}

    def _deciding_rights(self, granted: bool) -> list[dict]:
        """Return the access rights that grant it; to the user, or else to whom.

        One that applies is enough: ``ir.model.access``.
        """
        rights = self.env["ir.model.access"].search(
            [("model_id.model", "=", self.model), (f"perm_{self.operation}", "=", True)]
        )
        own = rights.filtered(
            lambda row: not row.group_id or row.group_id.id in self.groups
        )
        if not granted:
            groups = rights.group_id
            named = " or ".join(map(self._group, groups))
            self.remedies.append(
                f"be a member of {named}"
                if groups
                else f"no group may {self.operation} {self.model}: it takes a new "
                "access right (ir.model.access)"
            )
        return [
            {
                "name": row.name,
                "xml_id": row.get_external_id()[row.id] or None,
                "group": self._group(row.group_id) if row.group_id else "everybody",
                "applies": row in own,
            }
            for row in (own or rights)
        ]

    def _deciding_rules(self, granted: bool) -> list[dict]:
        """Return the record rules that apply, with what each leaves out.

        All global rules must hold, and one of those of the user's groups: ``ir.rule``.
        """
        if self.user._is_superuser():
            return []
        applying = self._all_rules().filtered(
            lambda rule: not rule.groups or self.groups.intersection(rule.groups.ids)
        )
        excluded = {rule: self._excluded(rule) for rule in applying}
        if granted:
            self._advise(applying, excluded)
        return [self._told_rule(rule, excluded[rule]) for rule in applying]

    def _advise(self, rules, excluded: dict) -> None:
        """Say what would have to change of the rules, and for which records."""
        for rule in rules.filtered(lambda rule: not rule.groups):
            if records := excluded[rule]:
                self.remedies.append(
                    f"global rule {rule.name!r} leaves out {_ids(records)}: change "
                    "these records or the rule"
                )
        for model in rules.filtered("groups").model_id:
            of_groups = rules.filtered(
                lambda rule, model=model: rule.groups and rule.model_id == model
            )
            left = self.records
            for rule in of_groups:
                left &= excluded[rule]
            if left:
                self.remedies.append(
                    f"none of the rules of the user's groups lets in {_ids(left)}: be "
                    "a member of a group whose rule does"
                    + self._letting_in(model, left)
                )

    def _letting_in(self, model, records) -> str:
        """Return the groups whose rules let in what those of the user leave out."""
        rules = self.env["ir.rule"].search(
            [("model_id", "=", model.id), (f"perm_{self.operation}", "=", True)]
        )
        others = rules.filtered(
            lambda rule: rule.groups and not self.groups.intersection(rule.groups.ids)
        )
        fitting = others.filtered(lambda rule: not (self._excluded(rule) & records))
        return f": {', '.join(map(self._group, fitting.groups))}" if fitting else ""

    def _told_rule(self, rule, excluded) -> dict:
        told = {
            "name": rule.name,
            "xml_id": rule.get_external_id()[rule.id] or None,
            "of": ", ".join(map(self._group, rule.groups)) or "everybody (global)",
            "domain": shorten(str(self._domain(rule)), LONGEST_DOMAIN),
            "model": None if rule.model_id.model == self.model else rule.model_id.model,
            "leaves_out": list(excluded._ids[:MOST_IDS]),
        }
        return {name: value for name, value in told.items() if value}

    def _deciding_companies(self, denied) -> dict:
        """Return the companies of denied records that are none of the user's."""
        if not denied or "company_id" not in denied._fields:
            return {}
        foreign = denied.company_id - self.user.company_ids
        if not foreign:
            return {}
        of_them = denied.filtered(lambda record: record.company_id in foreign)
        named = "another company"
        if self.whole:
            named = ", ".join(f"{row.name} (id {row.id})" for row in foreign)
        self.remedies.append(f"be allowed in {named}, which {_ids(of_them)} belongs to")
        return {
            "of_user": self.user.company_ids.mapped("name"),
            "of_records": named,
        }

    def _deciding_fields(self, names: list[str]) -> dict[str, str]:
        """Return the fields that the user does not reach, with who does."""
        acting = self.env[self.model].with_user(self.user).sudo(False)
        verb = "read" if self.operation == "read" else "write"
        found = {}
        for name in names:
            owner, field = field_at(acting, name, "fields")
            if not compat.reaches_field(owner, field, verb):
                found[name] = f"only for members of {self._groups_of(field)}"
                self.remedies.append(f"{name}: be a member of {self._groups_of(field)}")
        return found

    def _groups_of(self, field) -> str:
        if not field.groups or field.groups == ".":
            return "no group: code alone"
        names = field.groups.split(",")
        found = [self.env.ref(name.strip(" !"), False) for name in names]
        return " or ".join(map(self._group, filter(None, found))) or field.groups

    def _group(self, group) -> str:
        xml_id = group.get_external_id()[group.id]
        return f"{group.display_name} ({xml_id})" if xml_id else group.display_name


def _ids(records) -> str:
    """Return ids as words.

    >>> class Some:
    ...     _ids = (1, 2)
    >>> _ids(Some)
    '1, 2'
    """
    shown = ", ".join(map(str, records._ids[:20]))
    more = len(records._ids) - 20
    return f"{shown} and {more} more" if more > 0 else shown
