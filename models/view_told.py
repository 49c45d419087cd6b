"""What is told of a view: short, and where it is cut with a word on how to get more."""

import copy
import difflib

from lxml import etree

from . import view_check, view_names
from .exceptions import ArgumentError, ToolError
from .nearest import nearest
from .view_chain import FAULTS, Setter, ViewChain, label
from .view_xml import parsed, path_of, unflag

ARCH_MOST = 16_000
NODE_MOST = 3_000
DIFF_MOST = 8_000
MOST_HITS = 120
MOST_NODES = 5


def about(view) -> dict:
    """Return what identifies a view."""
    told = {
        "view": label(view),
        "id": view.id,
        "name": view.name,
        "model": view.model,
        "type": view.type,
        "file": view_names.source(view),
    }
    told = {name: value for name, value in told.items() if value}
    return told if view.active else {**told, "active": False}


def told_view(view, chain: ViewChain) -> dict:
    """Tell a whole view: what it is combined from, and what comes of it."""
    arch = pretty(chain.arch)
    told = {**about(view), "arch": arch[:ARCH_MOST]}
    if view != chain.root:
        told["extends"] = label(chain.root)
    more = []
    if len(arch) > ARCH_MOST:
        more.append(
            f"the arch has {len(arch)} characters, {ARCH_MOST} are shown: ask for "
            "one element with node"
        )
    if len(chain.steps) > MOST_HITS:
        more.append(
            f"there are {len(chain.steps)} hits, {MOST_HITS} are shown: ask for one "
            "inheriting view's with its arch as candidate"
        )
    told["chain"] = [
        told_link(inheriting, chain.steps[:MOST_HITS]) for inheriting in chain.views
    ]
    inactive = view.search(
        [
            ("inherit_id", "in", [link.id for link in chain.views]),
            ("active", "=", False),
        ]
    )
    if inactive:
        told["inactive"] = [label(other) for other in inactive]
    return {**told, "more": "; ".join(more)} if more else told


def told_link(view, steps) -> dict:
    """Tell one view of a chain, and what its specs hit."""
    told = {"view": label(view), "id": view.id, "priority": view.priority}
    if file := view_names.source(view):
        told["file"] = file
    if view.mode == "primary":
        told["mode"] = "primary"
    hits = [told_step(step) for step in steps if step.view == view]
    return {**told, "hits": hits} if hits else told


def told_step(step) -> str:
    """Return what a spec does in one line."""
    said = f"{step.spec} {step.position} → "
    if step.path:
        said += f"{step.path} {step.tag}"
    if step.error:
        said += f"{'; ' if step.path else ''}ERROR {step.error}"
    return said


def told_nodes(view, chain: ViewChain, node: str) -> dict:
    """Tell elements, and who has set them and each of their attributes.

    :raise ToolError: there is none; the nearest names
    """
    elements = matching(chain.arch, node)
    told = {"view": label(view), "found": []}
    for element in elements[:MOST_NODES]:
        origin = chain.origins[element]
        row = {"path": path_of(element), "set_by": told_setter(origin.setter)}
        row["attributes"] = {
            name: told_setter(setter) for name, setter in origin.attributes.items()
        }
        inside = {
            label(chain.origins[child].setter.view): None
            for child in element.iterdescendants(etree.Element)
        }
        inside.pop(label(origin.setter.view), None)
        if inside:
            row["inside_also_by"] = list(inside)
        row["arch"] = pretty(element)[:NODE_MOST]
        told["found"].append(row)
    if len(elements) > MOST_NODES:
        told["more"] = f"{len(elements) - MOST_NODES} more: ask with a narrower XPath"
    return told


def told_setter(setter: Setter) -> str:
    """Return who has set something: the view, and the line in its arch."""
    line = f" (arch line {setter.line})" if setter.line else ""
    return f"{label(setter.view)}{line}"


def matching(arch, node: str) -> list:
    """Return the elements that an XPath finds, or the fields of a name.

    :raise ToolError: there is none, or it is no XPath
    """
    if node.replace("_", "a").isalnum():
        names = [e.get("name") for e in arch.iter("*") if e.get("name")]
        found = [e for e in arch.iter("*") if e.get("name") == node]
        otherwise = f"No element has the name {node!r}.{nearest(node, set(names))}"
    else:
        otherwise = f"No element matches {node!r} in the combined arch."
        try:
            found = etree.ETXPath(node)(arch)
        except FAULTS as fault:
            raise ArgumentError(
                f"Argument 'node': {node!r} is no XPath: {fault}."
            ) from fault
        if not isinstance(found, list):
            raise ArgumentError(f"Argument 'node': {node!r} finds no element: {found}.")
        # comments and the like have a function for a tag, strings have none
        found = [e for e in found if isinstance(getattr(e, "tag", None), str)]
    if not found:
        raise ToolError(otherwise)
    return found


def validated(view, text: str, mode: str | None) -> dict:
    """Tell what Odoo says to a candidate, and what it would change."""
    told = {"view": label(view)}
    try:
        root = parsed(text)
    except etree.XMLSyntaxError as error:
        return {**told, "valid": False, "problem": told_syntax(error, text)}
    except UnicodeError as error:
        raise ArgumentError(f"Argument 'candidate' is no text: {error}.") from error
    extend = view_check.extends(view, root) if mode is None else mode == "extend"
    told["mode"] = "extend" if extend else "replace"
    verdict = view_check.check(view, text, extend=extend)
    if verdict.problem:
        told |= {"valid": False, "problem": verdict.problem}
    else:
        before = pretty(ViewChain(view).arch).splitlines()
        after = pretty(verdict.chain.arch).splitlines()
        lines = difflib.unified_diff(before, after, "before", "after", "", "", 2, "")
        diff = "\n".join(lines)
        told |= {"valid": True, "diff": diff[:DIFF_MOST] or "no change"}
        if len(diff) > DIFF_MOST:
            told["more"] = f"the diff has {len(diff)} characters"
        own = [s for s in verdict.chain.steps if s.view == verdict.candidate]
        if own:
            told["hits"] = [told_step(step) for step in own[:MOST_HITS]]
    if verdict.warnings:
        told["warnings"] = verdict.warnings
    return told


def told_syntax(error: etree.XMLSyntaxError, text: str) -> dict:
    """Tell where a text is not well-formed."""
    line, column = error.position
    problem = {"error": error.msg, "line": line, "column": column}
    lines = text.splitlines()
    if 0 < line <= len(lines):
        problem["text"] = lines[line - 1].strip()[:200]
    return problem


def pretty(element) -> str:
    """Return an element as text, each element on a line of its own."""
    shown = copy.deepcopy(element)
    shown.tail = None
    unflag(shown)
    etree.indent(shown)
    return etree.tostring(shown, encoding="unicode")
