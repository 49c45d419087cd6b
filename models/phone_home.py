"""Tells a registry where this server is: what each process that serves HTTP turns."""

import logging
import time

from . import phone_home_call, phone_home_state
from .phone_home_plan import this_server
from .server_turns import TURN_SECONDS, connection

_logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 5
"""An uninstallation does not wait longer for a registry."""


def turn(database: str) -> float:
    """Make the calls that are due, if no other process makes them."""
    server = this_server()
    with connection(database) as cr:
        calls, seconds = phone_home_state.claim(cr, server)
        claimed = not seconds
    if not claimed:
        return min(seconds, TURN_SECONDS)
    outcomes = [make(call) for call in calls]
    last = (calls[-1], outcomes[-1]) if calls else (None, {})
    with connection(database) as cr:
        news = phone_home_state.settle(cr, server, last[0], **last[1])
    for outcome in outcomes if news else outcomes[:-1]:
        _tell(database, outcome)
    return 0


def make(call: phone_home_state.Call, **limits) -> dict:
    """Make one call and return how it ended, as ``settle`` takes it."""
    try:
        answer = phone_home_call.send(
            call.url, call.action, call.payload, call.secret, **limits
        )
    except phone_home_call.CallError as error:
        return {"error": f"{call.action}: {error}", "status": error.status}
    return {"answer": f"{call.action}: {answer}"}


def say_farewell(database: str) -> None:
    """Forget all settings of the addon, and have the registry forget its servers.

    What was uninstalled stays so: a registry that does not answer changes nothing.
    """
    try:
        with connection(database) as cr:
            calls = phone_home_state.forget(cr)
        deadline = time.monotonic() + FAREWELL_SECONDS
        for call in calls:
            if (left := deadline - time.monotonic()) > 0:
                _tell(database, make(call, seconds=left))
    except Exception:
        _logger.warning("phone-home of %s: not deregistered", database, exc_info=True)


def _tell(database: str, outcome: dict) -> None:
    if error := outcome.get("error"):
        _logger.warning("phone-home of %s: %s", database, error)
    else:
        said = outcome.get("answer", "").partition(": ")[0]
        _logger.info("phone-home of %s: %s done", database, said)
