"""What somebody may have meant who named what is not there."""

import difflib
from collections.abc import Iterable

MOST = 5


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a sentence with the known names that are most like ``name``.

    :param otherwise: what is said when none is like it
    :return: begins with a space, so that it follows a sentence as it is; may be empty
    """
    found = difflib.get_close_matches(name, list(known), n=MOST)
    said = f"Nearest: {', '.join(found)}." if found else otherwise
    return f" {said}" if said else ""


def no_model(
    registry, name: str, otherwise: str = "", *, abstract: bool = False
) -> str:
    """Say that there is no such model, with the nearest that there are.

    :param abstract: one without records would do
    """
    known = [known for known in registry if abstract or not registry[known]._abstract]
    return f"There is no model {name!r}." + nearest(name, known, otherwise)
