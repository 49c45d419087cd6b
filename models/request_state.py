"""What a client keeps for us between the rounds of a call, sealed.

Revision 2026-07-28, basic/patterns/mrtr, "Server Requirements": bound to who calls and
what, and for a short time only. The seal is Odoo's own, with the database's secret.
"""

import hashlib
import json
from datetime import timedelta

from odoo.tools import hash_sign, verify_hash_signed

from .caller import Call, Caller
from .exceptions import InputRequired, InvalidState

SCOPE = "odoo_dev_mcp.request_state"

LIFETIME = timedelta(minutes=15)
"""So long a person may take to answer."""

INVALID = (
    "Invalid requestState: it is not what this server gave for this call, or it is too "
    "old. Make the call again without it."
)


def seal(env, caller: Caller, call: Call, need: InputRequired) -> str:
    """Return what the client sends back with its answers.

    :param env: as superuser
    """
    values = {
        "who": _who(caller),
        "what": _digest(call),
        "answers": need.answers,
        "asked": sorted(need.questions),
    }
    return hash_sign(env, SCOPE, values, expiration=LIFETIME)


def unseal(env, caller: Caller, call: Call) -> tuple[dict, list[str] | None]:
    """Return the answers of earlier rounds, and the keys that were asked for.

    :return: no answers and None, when the call brings no state
    :raise InvalidState: it is none of ours, somebody else's, another call's, or too old
    """
    if call.state is None:
        return {}, None
    try:
        values = verify_hash_signed(env, SCOPE, call.state)
    except (ValueError, IndexError):
        values = None
    if not values or [values["who"], values["what"]] != [_who(caller), _digest(call)]:
        raise InvalidState(INVALID)
    return values["answers"], values["asked"]


def _who(caller: Caller) -> list:
    return [caller.uid, caller.key_id]


def _digest(call: Call) -> str:
    text = json.dumps([call.name, call.arguments], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
