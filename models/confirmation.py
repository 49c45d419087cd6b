"""A person at the client says yes before a tool runs that needs it."""

import json

from . import questions
from .caller import Admitted
from .exceptions import ToolError
from .live_call import LiveCall

KEY = "confirmation"

MOST_SHOWN = 3000
"""Characters of the arguments that the person is shown."""

NOTHING = {"type": "object", "properties": {}}
"""A form without fields: to accept it is the answer."""


def confirm(admitted: Admitted, live: LiveCall, database: str) -> None:
    """Ask the person at the client whether the tool may run.

    :raise ToolError: they say no, or cannot be asked
    """
    message = (
        f"Run {admitted.feature.name} on the Odoo database {database}, as "
        f"{admitted.caller.login}?\n{_shown(admitted.arguments)}"
    )
    answer = live.ask({KEY: questions.elicitation(message, NOTHING)})[KEY]
    if answer["action"] != "accept":
        raise ToolError(
            f"{admitted.feature.name} has not run: the person at the client did not "
            "confirm it."
        )


def _shown(arguments: dict) -> str:
    """Return arguments as JSON: no character in them can disguise another."""
    text = json.dumps(arguments, indent=2)
    if len(text) <= MOST_SHOWN:
        return text
    half = MOST_SHOWN // 2
    return f"{text[:half]}\n… {len(text) - MOST_SHOWN} characters …\n{text[-half:]}"
