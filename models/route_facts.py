"""The routes of this database, as Odoo's own routing map has them."""

import threading
from collections.abc import Iterator

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect

from .source_places import Places, definition_of, file_of, module_name

FACTS = ("type", "auth", "methods", "csrf", "website", "readonly", "cors")


def routing_map(env) -> Map:
    """Return the map of the installed modules, which the registry keeps.

    ``ir.http`` finds its registry by the name of the thread's database.
    """
    thread = threading.current_thread()
    if not getattr(thread, "dbname", None):
        thread.dbname = env.cr.dbname
    return env["ir.http"].routing_map()


def rules_of(env, path: str) -> list:
    """Return the rules that are ``path``, or else those that a request for it meets."""
    known = routing_map(env)
    exact = [rule for rule in known.iter_rules() if rule.rule == path]
    if exact:
        return exact
    found = []
    for method in ("GET", "POST"):
        try:
            adapter = known.bind("localhost")
            rule, _arguments = adapter.match(path, method=method, return_rule=True)
        except (HTTPException, RequestRedirect):
            continue
        if rule not in found:
            found.append(rule)
    return found


def paths(env) -> Iterator[str]:
    """Give the paths of all routes."""
    return (rule.rule for rule in routing_map(env).iter_rules())


def describe(rule, places: Places) -> dict:
    """Return a route with the methods that make its endpoint, first called first."""
    # functools.partial of a method of the class that odoo.http builds of all that
    # extend a controller
    bound = rule.endpoint.func
    name = bound.__name__
    chain = [
        owner
        for owner in type(bound.__self__).__mro__
        if name in vars(owner) and owner.__module__ != "odoo.http"
    ]
    routing = rule.endpoint.routing
    rows = [_link(owner, name, places) for owner in chain]
    facts = {fact: routing[fact] for fact in FACTS if routing.get(fact) is not None}
    return {"route": rule.rule, **facts, "chain": rows, **_excerpt(chain, name, places)}


def _link(owner: type, name: str, places: Places) -> dict:
    path = file_of(owner)
    found = definition_of(owner, name)
    row = {
        "module": module_name(path) if path else "",
        "method": f"{owner.__name__}.{name}",
        "at": places.of_name(owner, name),
    }
    return {**row, "calls_super": found.calls_super} if found else row


def _excerpt(chain: list[type], name: str, places: Places) -> dict:
    owner = chain[0]
    found, path = definition_of(owner, name), file_of(owner)
    text = places.excerpt(path, found.first, found.last) if found and path else ""
    return {"code": text} if text else {}
