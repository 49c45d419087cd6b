"""The requests for a stream that stays open, and what each is agreed to."""

from ..models.caller import Credentials
from . import tasks
from .hub import Subscription, Topic
from .notices import notification
from .rpc import RpcError

MOST_TOPICS = 50
"""Resources and tasks that one stream may be about."""

LIST_CHANGED = {
    "toolsListChanged": "tools",
    "resourcesListChanged": "resources",
    "promptsListChanged": "prompts",
}
"""Filters of ``subscriptions/listen``, and the lists that they are about."""


def listen(context, params: dict) -> Subscription:
    """Open the stream that ``subscriptions/listen`` asks for.

    What it agrees to is told first. What the caller cannot read is not agreed to.

    :raise RpcError: -32602, it asks for too much; -32021, for tasks, unknown to it
    """
    from mcp_types.jsonrpc import INVALID_PARAMS

    wanted = params["notifications"]
    uris = wanted.get("resourceSubscriptions") or []
    ids = wanted.get("taskIds") or []
    if len(uris) + len(ids) > MOST_TOPICS:
        raise RpcError(INVALID_PARAMS, f"Invalid params: at most {MOST_TOPICS} URIs")
    if ids:
        tasks.require(context)
    registrar, credentials = context.registrar, context.credentials
    agreed: dict[str, object] = {
        name: True for name in LIST_CHANGED if wanted.get(name)
    }
    topics = {Topic(credentials, LIST_CHANGED[name]) for name in agreed}
    readable = [uri for uri in uris if registrar.may_read(credentials, uri)]
    known = [task for task in ids if registrar.find_job(credentials, task)]
    if uris:
        agreed["resourceSubscriptions"] = readable
    if ids:
        agreed["taskIds"] = known
    topics |= {Topic(credentials, "resource", uri) for uri in readable}
    topics |= {Topic(credentials, "task", task) for task in known}
    registrar.authenticate(credentials)
    subscription = Subscription(lambda: topics, context.request_id)
    acknowledged = "notifications/subscriptions/acknowledged"
    subscription.tell(notification(acknowledged, {"notifications": agreed}))
    return subscription


def stay(registrar, credentials: Credentials) -> Subscription:
    """Open the stream that a GET asks for, before 2026-07-28: list changes, and the
    resources that clients with this key have subscribed to."""
    registrar.authenticate(credentials)

    def topics() -> set[Topic]:
        lists = {Topic(credentials, kind) for kind in LIST_CHANGED.values()}
        uris = registrar.subscribed(credentials)
        return lists | {Topic(credentials, "resource", uri) for uri in uris}

    return Subscription(topics)


def subscribe(context, params: dict) -> dict:
    """Have the streams of this key tell when a resource changes."""
    _check_readable(context, params["uri"])
    context.registrar.subscribe(context.credentials, params["uri"], MOST_TOPICS)
    return {}


def unsubscribe(context, params: dict) -> dict:
    """Tell no more of a resource."""
    context.registrar.unsubscribe(context.credentials, params["uri"])
    return {}


def _check_readable(context, uri: str) -> None:
    from mcp_types.jsonrpc import INVALID_PARAMS

    if not context.registrar.may_read(context.credentials, uri):
        raise RpcError(INVALID_PARAMS, f"Unknown resource: {uri[:300]!r}", {"uri": uri})


METHODS = {"resources/subscribe": subscribe, "resources/unsubscribe": unsubscribe}
LISTEN = "subscriptions/listen"
CAPABILITIES = {
    "tools": {"listChanged": True},
    "resources": {"listChanged": True, "subscribe": True},
    "prompts": {"listChanged": True},
}
"""What a door with a hub can do beside all else."""
