"""From Odoo's words about a view that is wrong to what its author may have meant."""

import re
from collections.abc import Callable, Iterable

from lxml import etree

from .nearest import nearest
from .view_xml import path_of, start_tag

MOST_PLACES = 5

STEP = re.compile(r"/{0,2}[^/\[]+(?:\[[^\]]*\])*")
"""A step of an XPath expression, with its predicates."""

BY_NAME = re.compile(r"""@(?:name|id)\s*=\s*['"]([^'"]+)['"]""")


def _fields(env, found: re.Match) -> str:
    model = env.get(found["model"])
    return "" if model is None else nearest(found["name"], model._fields)


def _methods(env, found: re.Match) -> str:
    model = env.get(found["model"])
    if model is None:
        return ""
    public = [name for name in dir(type(model)) if not name.startswith("_")]
    missing = f"Define the method on {found['model']}, or name another."
    return f" {missing}{nearest(found['name'], public)}"


def _xml_ids(*models: str) -> Callable:
    def known(env, found: re.Match) -> str:
        domain = [("model", "in", models)] if models else [("model", "like", "ir.act")]
        rows = env["ir.model.data"].sudo().search_fetch(domain, ["module", "name"])
        return nearest(found["name"], [f"{row.module}.{row.name}" for row in rows])

    return known


def _said(text: str) -> Callable:
    return lambda _env, _found: f" {text}"


REMEDIES = (
    (r'Field "(?P<name>[^"]+)" does not exist in model "(?P<model>[^"]+)"', _fields),
    (r"field “(?P<name>[^”]+)” does not exist in model “(?P<model>[^”]+)”", _fields),
    (r'Unknown field "(?P<model>[\w.]+)\.(?P<name>\w+)" in', _fields),
    (r"(?P<name>\w+) is not a valid action on (?P<model>[\w.]+)", _methods),
    (
        r"(?P<name>\w+) on (?P<model>[\w.]+) is private",
        _said("A button calls a method whose name has no underscore before it."),
    ),
    (r"The group “(?P<name>[^”]+)” defined in view", _xml_ids("res.groups")),
    (r"Invalid xmlid (?P<name>\S+) for button of type action", _xml_ids()),
    (
        r"must be present in view but is missing",
        _said('Add it, if need be as <field name="…" invisible="1"/>.'),
    ),
    (
        r"may not use attribute '\w+' as a selector",
        _said("Use @name: what is translated differs from language to language."),
    ),
    (
        r"Invalid (domain|expression)?.*“",
        _said("It is to be a Python expression or domain that Odoo's safe_eval takes."),
    ),
)
"""What Odoo says, in English, and what is told beside it."""


def remedy(message: str, env) -> str:
    """Return what may be meant, or done; empty: nothing is known."""
    for pattern, told in REMEDIES:
        if found := re.search(pattern, message):
            return told(env, found).strip()
    return ""


def named_in(message: str, elements: Iterable):
    """Return the first element that has a name which a message quotes, or uses it in
    an attribute; None: there is none."""
    names = set(re.findall(r"[“\"'`]([\w.]+)[”\"'`]", message))
    elements = list(elements)
    for element in elements:
        if element.get("name") in names:
            return element
    for element in elements:
        if names.intersection(re.findall(r"[\w.]+", " ".join(element.values()))):
            return element
    return None


def elements_like(spec, arch) -> str:
    """Say what is in an arch like the element that a spec does not find there."""
    if spec.tag != "xpath":
        return _like(arch, spec.tag, spec.get("name"))
    steps = [step.group() for step in STEP.finditer(spec.get("expr", ""))]
    for length in range(len(steps) - 1, 0, -1):
        begin = "".join(steps[:length])
        if found := _matches(arch, begin):
            named = _last_name(spec)
            if named and (told := _like(arch, "*", named)):
                return told
            inside = ", ".join(dict.fromkeys(start_tag(e) for e in found[0].iter("*")))
            return f"{begin} is there, {steps[length]} not in it. It has {inside[:400]}"
    tag = re.match(r"/*([\w*]+)", steps[-1]) if steps else None
    return _like(arch, tag[1] if tag else "*", _last_name(spec))


def _last_name(spec) -> str | None:
    found = BY_NAME.findall(spec.get("expr", ""))
    return found[-1] if found else None


def _matches(arch, expression: str) -> list:
    try:
        found = etree.ETXPath(expression)(arch)
    except etree.LxmlError:
        return []
    return [element for element in found if hasattr(element, "tag")]


def _like(arch, tag: str, name: str | None) -> str:
    """Return where elements of a name are, or else the nearest names of a tag."""
    if not name:
        return _there_are(arch.iter(tag), f"<{tag}>")
    same = [element for element in arch.iter("*") if element.get("name") == name]
    if same:
        return _there_are(same, f"the name {name}")
    for kind in (tag, "*"):
        known = dict.fromkeys(element.get("name") for element in arch.iter(kind))
        if near := nearest(name, filter(None, known)):
            return near.strip()
    return ""


def _there_are(elements: Iterable, what: str) -> str:
    paths = [f"{path_of(element)} {start_tag(element)}" for element in elements]
    if not paths:
        return ""
    more = f" and {len(paths) - MOST_PLACES} more" if len(paths) > MOST_PLACES else ""
    return f"Of {what} there is: {', '.join(paths[:MOST_PLACES])}{more}."
