"""A view as Odoo combines it, step by step, and who has set what of it.

Odoo's own methods do each step (``ir.ui.view`` ``_combine``, ``locate_node``,
``apply_inheritance_specs``); between two of them it is looked at what has changed. Each
element has a mark of ours meanwhile, which survives that Odoo moves or copies it.
"""

import collections
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from odoo.exceptions import UserError

from .view_xml import looks_for, parsed, path_of, specs_of, start_tag

MARK = "__mcp__"

FAULTS = (ValueError, TypeError, AttributeError, UserError, etree.LxmlError)
"""What Odoo and lxml raise at a spec that is wrong."""


class Setter(NamedTuple):
    """Who has set an element or attribute.

    :param view: an ``ir.ui.view`` record
    :param line: of the element or spec, in the arch of that view
    """

    view: object
    line: int | None


@dataclass
class Origin:
    """Where an element comes from, and each of its attributes as it is now."""

    setter: Setter
    attributes: dict[str, Setter] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What one spec of an inheriting view does.

    :param spec: what it looks for, as XPath or as a tag
    :param path: of what it hits, before it does; None: it hits nothing
    :param tag: what it hits, for short
    :param error: Odoo's own, when it cannot be applied
    """

    view: object
    spec: str
    position: str
    line: int | None
    path: str | None
    tag: str | None
    error: str | None = None


class Broken(Exception):
    """A spec that must be applied cannot be.

    :param element: the spec
    :param arch: what it was to be applied to
    """

    def __init__(self, message: str, view, element, arch) -> None:
        super().__init__(message)
        self.view = view
        self.element = element
        self.arch = arch


class ViewChain:
    """One view with all that inherit from it, combined.

    :param view: the ``ir.ui.view`` record; of an extension, what it extends is combined
    :param instead: arch texts in place of those of views, by record
    :param added: a record that is in no database and extends ``view``, if any
    :param strict: end at the first spec that cannot be applied
    :raise Broken: there is one
    """

    def __init__(self, view, instead=None, added=None, *, strict: bool = False) -> None:
        self.instead = instead or {}
        self.strict = strict
        self.steps: list[Step] = []
        self.views: list = []
        self._origins: dict[str, Origin] = {}
        self.root, hierarchy = hierarchy_of(view, added)
        arch = self._tree(self.root)
        self.root._add_validation_flag(arch)
        self._look(arch, self.root, arch.sourceline)
        self.views.append(self.root)
        for inheriting in in_order(self.root, hierarchy):
            self.views.append(inheriting)
            arch = self._apply(arch, inheriting)
        self.arch = arch
        self.origins = self._unmark()

    def _tree(self, view):
        return parsed(self.instead.get(view) or view.arch or "<data/>")

    def _apply(self, arch, view):
        """Return the arch with the specs of a view applied, one after the other."""
        tree = self._tree(view)
        self.root._add_validation_flag(arch, view, tree)
        for spec in specs_of(tree):
            arch = self._apply_spec(arch, view, spec)
            self._look(arch, view, spec.sourceline)
        return arch

    def _apply_spec(self, arch, view, spec):
        line, position = spec.sourceline, spec.get("position", "inside")
        told, path, tag = looks_for(spec), None, None
        try:
            if (found := view.locate_node(arch, spec)) is not None:
                path, tag = path_of(found), start_tag(found)
            arch = view.apply_inheritance_specs(arch, spec)
            error = None
        except FAULTS as fault:
            if self.strict:
                raise Broken(str(fault), view, spec, arch) from fault
            error = str(fault)
        self.steps.append(Step(view, told, position, line, path, tag, error))
        return arch

    def _look(self, arch, view, line: int | None) -> None:
        """Mark what is new, and note who has set what has changed.

        :param line: of the spec that has changed it
        """
        for element in arch.iter(etree.Element):
            mark = element.get(MARK)
            now = {name: value for name, value in element.items() if name[:2] != "__"}
            who = Setter(view, line)
            if mark is None:
                mark = str(len(self._origins))
                element.set(MARK, mark)
                who = Setter(view, element.sourceline)
                self._origins[mark] = Origin(who)
            origin = self._origins[mark]
            if now != origin.values:
                origin.attributes = {
                    name: origin.attributes[name]
                    if origin.values.get(name) == value
                    else who
                    for name, value in now.items()
                }
                origin.values = now

    def _unmark(self) -> dict:
        """Return the origin of each element, and leave no mark."""
        found = {}
        for element in self.arch.iter(etree.Element):
            found[element] = self._origins[element.attrib.pop(MARK)]
        return found


def hierarchy_of(view, added=None) -> tuple:
    """Return the view that is combined, and by each view those that inherit from it, in
    the order of Odoo's ``_get_combined_arch``: by priority, then by id."""
    root, lineage = view, view
    while root.inherit_id:
        root = root.inherit_id
        lineage |= root
    lineage = lineage.with_context(check_view_ids=list(lineage.ids))
    hierarchy = collections.defaultdict(list)
    for inheriting in lineage._get_inheriting_views():
        hierarchy[inheriting.inherit_id].append(inheriting)
    if added:
        siblings = hierarchy[added.inherit_id]
        place = sum(other.priority <= added.priority for other in siblings)
        siblings.insert(place, added)
    return root, hierarchy


def in_order(root, hierarchy: dict) -> Iterator:
    """Yield the inheriting views as Odoo's ``_combine`` applies them: depth first, and
    primary ones after all extensions."""
    queue = collections.deque(sorted(hierarchy[root], key=lambda view: view.mode))
    while queue:
        view = queue.popleft()
        yield view
        for child in reversed(hierarchy[view]):
            if child.mode == "primary":
                queue.append(child)
            else:
                queue.appendleft(child)


def label(view) -> str:
    """Return how a view is named: as Odoo's files do, or by its id."""
    if not view.id:
        return "candidate"
    return view.xml_id or view.key or str(view.id)
