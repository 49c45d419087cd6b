"""The tasks extension of MCP: jobs, as clients that know it follow them.

https://github.com/modelcontextprotocol/ext-tasks, specification/draft/tasks
"""

from datetime import datetime

from ..models.redaction import redact_text
from ..models.visible import visible
from .rpc import RpcError, missing_capability

EXTENSION = "io.modelcontextprotocol/tasks"

POLL_MILLISECONDS = 1000

STATUSES = {
    "pending": "working",
    "running": "working",
    "done": "completed",
    "failed": "completed",
    "cancelled": "cancelled",
    "lost": "failed",
}
"""By the state of a job. A tool's own error completes its task; what MCP calls a failed
one never came to a result."""


def are_known(capabilities: dict) -> bool:
    """Tell whether the client said that it knows tasks."""
    return EXTENSION in (capabilities.get("extensions") or {})


def check(revision: str, params: dict | None) -> None:
    """Check the parameters of a method of this extension.

    :raise RpcError: -32601, before 2026-07-28; -32602, no task is named
    """
    from mcp_types.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS

    if revision not in MODERN_PROTOCOL_VERSIONS:
        raise RpcError(METHOD_NOT_FOUND, f"Method not found in {revision}")
    if not isinstance((params or {}).get("taskId"), str):
        raise RpcError(INVALID_PARAMS, "Invalid params: taskId: a string is needed")


def describe(job: dict, keep_days: int) -> dict:
    """Return a job as a task.

    :param job: its row
    :param keep_days: that it is kept after its end; 0: for ever
    """
    status = STATUSES[job["state"]]
    updated = job["ended_at"] or job["started_at"] or job["create_date"]
    task = {
        "taskId": job["task"],
        "status": status,
        "createdAt": _time(job["create_date"]),
        "lastUpdatedAt": _time(updated),
        "ttlMs": keep_days * 86_400_000 or None,
        "pollIntervalMs": POLL_MILLISECONDS,
    }
    if job["message"]:
        task["statusMessage"] = visible(redact_text(job["message"]))
    return task


def _time(value: datetime) -> str:
    return f"{value.isoformat(timespec='seconds')}Z"


def get(context, params: dict) -> dict:
    """Tell how a task is, and its result when there is one."""
    return detail(context.registrar, *_find(context, params))


def detail(registrar, job: dict, outcome) -> dict:
    """Return a job as a task, with its result when there is one."""
    from mcp_types.jsonrpc import INTERNAL_ERROR
    from mcp_types.version import LATEST_MODERN_VERSION

    from .calls import tool_result

    task = describe(job, registrar.setting("job_retention"))
    if task["status"] == "completed":
        task["result"] = tool_result(outcome, LATEST_MODERN_VERSION)
    elif task["status"] == "failed":
        task["error"] = {"code": INTERNAL_ERROR, "message": outcome.text}
        task["statusMessage"] = outcome.text
    return task


def update(context, params: dict) -> dict:
    """Take the client's answers to a task's questions: none is ever asked."""
    _find(context, params)
    return {}


def cancel(context, params: dict) -> dict:
    """Ask for the end of a task; whether it comes is told by ``tasks/get``."""
    job, _outcome = _find(context, params)
    context.registrar.cancel_job(context.credentials, job["task"])
    return {}


def require(context) -> None:
    """Refuse a client that has not said that it knows tasks.

    :raise RpcError: -32021
    """
    if not are_known(context.envelope.capabilities):
        raise missing_capability({"extensions": {EXTENSION: {}}})


def _find(context, params: dict):
    """Return the job of the task that is named.

    :raise RpcError: -32021, the client does not know tasks; -32602, there is no such
        task of this caller
    """
    from mcp_types.jsonrpc import INVALID_PARAMS

    require(context)
    found = context.registrar.find_job(context.credentials, params["taskId"])
    if found is None:
        raise RpcError(INVALID_PARAMS, "Task not found")
    return found


METHODS = {"tasks/get": get, "tasks/update": update, "tasks/cancel": cancel}
