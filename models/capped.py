"""Lists that end where an answer has no more room."""


def capped(rows: list[str], most: int, remedy: str) -> list[str]:
    """Return at most so many rows, and a word on those that are left out.

    >>> capped(["a", "b", "c"], 2, "ask")
    ['a', 'b', '… 1 more: ask']
    """
    more = len(rows) - most
    return [*rows[:most], f"… {more} more: {remedy}"] if more > 0 else rows
