"""The user who is meant by a login or an id."""

from .exceptions import ToolError
from .nearest import nearest

MOST_LOGINS = 5000


def user_named(env, text: str, *, active: bool = False):
    """Return the user with a login, in whatever case it is written, or with an id.

    :param active: archived ones are none
    :return: in sudo
    :raise ToolError: there is none, or more than one; the nearest logins
    """
    users = env["res.users"].sudo()
    if not active:
        users = users.with_context(active_test=False)
    # "_" and "%" stand for anything in =ilike: a_b would be axb, too
    escaped = text.replace("\\", "\\\\").replace("_", r"\_").replace("%", r"\%")
    terms = [("login", "=", text), ("login", "=ilike", escaped)]
    if text.isdecimal():
        terms.append(("id", "=", int(text)))
    for term in terms:
        found = users.search([term], limit=5)
        if len(found) > 1:
            raise ToolError(
                f"Several users are {text!r}, in another case: "
                f"{', '.join(found.mapped('login'))}. Say which."
            )
        if found:
            return found
    logins = users.search([], limit=MOST_LOGINS).mapped("login")
    kind = "active user" if active else "user"
    raise ToolError(f"There is no {kind} {text!r}." + nearest(text, logins))
