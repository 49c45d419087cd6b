"""Days as the user counts them, in the UTC that the database keeps."""

from datetime import date, datetime, time

import pytz


def zone(env) -> str:
    """Return the name of the user's time zone; UTC where none is set."""
    return env.user.tz or "UTC"


def day_begins(env, day: date) -> datetime:
    """Return when ``day`` begins for the user: naive, UTC, as Odoo's fields are."""
    local = pytz.timezone(zone(env)).localize(datetime.combine(day, time.min))
    return local.astimezone(pytz.utc).replace(tzinfo=None)


def today(env) -> date:
    """Return the user's today."""
    return datetime.now(pytz.timezone(zone(env))).date()
