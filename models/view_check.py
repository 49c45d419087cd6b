"""A candidate for a view's arch: what Odoo says to it, before it is written.

Nothing is written, so that nothing has to be undone: no lock, no row, no cache of other
processes that has to be filled again. What Odoo does when a view is created
(``ir.ui.view`` ``_check_xml``) is done with a record that is in no database.
"""

import copy
import re
from dataclasses import dataclass, field

from lxml import etree

from odoo.tools.view_validation import relaxng, valid_view

from .view_chain import FAULTS, Broken, ViewChain, label
from .view_remedies import elements_like, named_in, remedy
from .view_xml import parsed, path_of, start_tag, unflag

PRIORITY = 16
"""Of a new view, as Odoo has it."""

MOST_WARNINGS = 10
LONGEST_ERROR = 1500
LONGEST_WARNING = 300
TAGS = re.compile(r"<br/?>|</?b>|</?li>|</?ul>")


class Findings:
    """What Odoo's validation tells beside its messages.

    :param node: the element that is wrong, if it is one
    :param warnings: message and element
    :param twins: the element that is known, by that which is validated
    """

    def __init__(self) -> None:
        self.node = None
        self.twins: dict = {}
        self.warnings: list[tuple[str, object]] = []


@dataclass
class Verdict:
    """What came of it.

    :param chain: the combined view with the candidate; None: it cannot be combined
    :param problem: what is told of what is wrong; none: the candidate is right
    """

    candidate: object
    chain: ViewChain | None = None
    problem: dict = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def extends(view, root) -> bool:
    """Tell whether an arch is one of specs, for a new view that inherits from ``view``
    rather than in place of its own."""
    specs = root.tag in ("data", "xpath") or root.get("position")
    return bool(specs) and not view.inherit_id


def check(view, text: str, *, extend: bool) -> Verdict:
    """Return what Odoo says to a candidate.

    :param view: the ``ir.ui.view`` record, in sudo
    :param extend: it is a new view that inherits from ``view``, or else its own arch
    """
    findings = Findings()
    view = view.with_context(mcp_findings=findings)
    candidate = view.new(_values(view)) if extend else view
    # a new view is validated where it changes something, a changed one as a whole
    wanted = {candidate.id} if extend else True
    view = view.with_context(validate_view_ids=wanted)
    candidate = candidate.with_env(view.env)
    verdict = Verdict(candidate)
    try:
        _combine(verdict, view, text, extend)
        _others(candidate, text, extend)
        if view.type != "qweb":
            _validate(verdict, findings)
    except Broken as broken:
        verdict.problem = _told_broken(broken, candidate)
    except FAULTS as fault:
        verdict.problem = _told(fault, verdict, findings)
    verdict.warnings = _own_warnings(verdict, findings)
    return verdict


def _values(view) -> dict:
    return {
        "name": "candidate",
        "model": view.model,
        "type": view.type,
        "inherit_id": view.id,
        "mode": "extension",
        "priority": PRIORITY,
        "key": "candidate.candidate",
        "active": True,
    }


def _combine(verdict: Verdict, view, text: str, extend: bool) -> None:
    candidate = verdict.candidate
    if candidate.inherit_id:
        candidate._valid_inheritance(parsed(text))
    added = candidate if extend else None
    verdict.chain = ViewChain(view, {candidate: text}, added, strict=True)


def _others(candidate, text: str, extend: bool) -> None:
    """Combine the primary views that are built on this one, as 19.0 does; 18.0 lets
    them break.

    :raise Broken: one cannot be any more
    """
    base = candidate.with_context(validate_view_ids=None)
    while base.inherit_id and base.mode != "primary":
        base = base.inherit_id
    stack = [base]
    while stack:
        for child in stack.pop().inherit_children_ids:
            if child.mode != "primary":
                stack.append(child)
                continue
            added = candidate if extend else None
            ViewChain(child, {candidate: text}, added, strict=True)


def _validate(verdict: Verdict, findings: Findings) -> None:
    """Validate the combined arch as ``_check_xml`` does.

    :raise ValueError: Odoo's message; ``findings`` has the element
    """
    candidate, arch = verdict.candidate, verdict.chain.arch
    # Odoo takes the views of subfields out of the tree that it validates
    tried = copy.deepcopy(arch)
    elements = (tree.iter(etree.Element) for tree in (tried, arch))
    findings.twins = dict(zip(*elements, strict=True))
    candidate._validate_view(tried, candidate.model)
    for element in arch.xpath("//*[@attrs or @states]"):
        findings.node = element
        raise ValueError(
            "Odoo has no attributes attrs and states since 17.0: use invisible, "
            "readonly and required with an expression."
        )
    unflag(arch)
    for part in arch if arch.tag == "data" else [arch]:
        _check_schema(part, findings)
        if not valid_view(part, env=candidate.env, model=candidate.model):
            raise ValueError("Odoo's validator of this view type refuses it.")


def _check_schema(arch, findings: Findings) -> None:
    """Check what Odoo has a RELAX NG schema for, and say what is wrong where; Odoo's
    own check says so in the log alone."""
    try:
        schema = relaxng(arch.tag)
    except FileNotFoundError:
        return
    if schema and not schema.validate(arch):
        faults = list(schema.error_log)
        places = [arch.xpath(fault.path) for fault in faults if fault.path]
        findings.node = next((found[0] for found in places if found), None)
        raise ValueError("; ".join(dict.fromkeys(f.message for f in faults[:3])))


def _told_broken(broken: Broken, candidate) -> dict:
    """Tell of a spec that cannot be applied."""
    told = {"error": str(broken), "element": start_tag(broken.element)}
    if broken.view == candidate:
        told["line"] = broken.element.sourceline
    else:
        told["breaks"] = label(broken.view)
    if found := elements_like(broken.element, broken.arch):
        told["remedy"] = found
    return told


def _told(fault: Exception, verdict: Verdict, findings: Findings) -> dict:
    """Tell of an element that Odoo refuses."""
    message = TAGS.sub(" ", str(fault)).strip()[:LONGEST_ERROR]
    told = {"error": message}
    if verdict.chain:
        origins = verdict.chain.origins
        element = findings.twins.get(findings.node, findings.node)
        if element not in origins:
            own = (e for e in origins if line_in(origins[e], verdict.candidate))
            element = named_in(message, own)
        if element is not None:
            told |= place(element, origins[element], verdict.candidate)
    if found := remedy(message, verdict.candidate.env):
        told["remedy"] = found
    return told


def place(element, origin, candidate) -> dict:
    """Say where an element is: its line in the candidate, or whose it is."""
    told = {"path": path_of(element), "element": start_tag(element)}
    if line := line_in(origin, candidate):
        return {"line": line, **told}
    return {**told, "set_by": label(origin.setter.view)}


def line_in(origin, candidate) -> int | None:
    """Return the line of a candidate that has set an element or an attribute of it."""
    setters = [origin.setter, *origin.attributes.values()]
    return next((who.line for who in setters if who.view == candidate), None)


def _own_warnings(verdict: Verdict, findings: Findings) -> list[str]:
    """Return what Odoo warns of in what the candidate has set."""
    told = []
    origins = verdict.chain.origins if verdict.chain else {}
    for message, node in findings.warnings:
        element = findings.twins.get(node, node)
        line = element in origins and line_in(origins[element], verdict.candidate)
        if line:
            plain = " ".join(TAGS.sub(" ", message).split())
            told.append(f"line {line}: {plain[:LONGEST_WARNING]}")
    return list(dict.fromkeys(told))[:MOST_WARNINGS]
