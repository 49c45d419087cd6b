"""Pipes to the processes that this one starts, kept from those that others start.

A fork by another thread inherits every descriptor that is open at that moment: whoever
reads a pipe would wait for its end until that fork has ended, too. So a pipe is made,
handed over and closed here under one lock, and what stays open is closed in each fork.
"""

import contextlib
import os
import threading

lock = threading.Lock()
"""Held from the making of the pipes until the parent has closed the other ends."""

held: set[int] = set()
"""Write ends that the parent keeps open."""


def forget_in_fork() -> None:
    """Close what the parent holds; the fork has a lock of its own."""
    global lock
    lock = threading.Lock()
    for descriptor in held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    held.clear()
