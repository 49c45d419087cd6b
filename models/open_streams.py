"""The event streams that this process holds open.

A connection is the process's own, so unlike all else its number is, too: a worker of
Odoo's knows its own alone, the listener those of its host.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_open: Counter[str] = Counter()


@contextmanager
def counted(door: str) -> Iterator[None]:
    """Count a stream for as long as the block lasts.

    :param door: ``odoo`` or ``listener``
    """
    with _lock:
        _open[door] += 1
    try:
        yield
    finally:
        with _lock:
            _open[door] -= 1


def by_door() -> dict[str, int]:
    """Return how many are open, of each door that has had any."""
    with _lock:
        return dict(_open)
