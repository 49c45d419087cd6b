"""Things that take their time, and things that happen together."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Found = TypeVar("Found")

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.2
"""Seconds between two looks: a look may cost as much as what is waited for."""

PATIENCE = 30
SLOW = 3
"""So many times longer a machine may take that does other work, too."""


def eventually(
    look: Callable[[], Found], wanted: str, *, seconds: float = PATIENCE
) -> Found:
    """First true value that ``look`` finds.

    :param seconds: the test fails after :data:`SLOW` times as many
    """
    deadline = time.monotonic() + SLOW * seconds
    pause = FIRST_PAUSE
    while not (found := look()):
        assert time.monotonic() < deadline, f"not in {SLOW * seconds} s: {wanted}"
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.3)
    return found


def within(seconds: float, began: float) -> bool:
    """Whether no more time has passed since ``began``, monotonic; SLOW allowed for."""
    return time.monotonic() - began < SLOW * seconds


def at_once(jobs: Sequence[Callable[[], Found]]) -> list[Found]:
    """Results of jobs that start together, each in a thread of its own."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], Found]) -> Found:
        start.wait(SLOW * PATIENCE)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


class Background:
    """A job that runs while the test goes on; its failure is raised by ``result``."""

    def __init__(self, job: Callable[[], object]) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(job)
        self._pool.shutdown(wait=False)

    def done(self) -> bool:
        """Whether it has ended, well or badly."""
        return self._future.done()

    def result(self, seconds: float = SLOW * PATIENCE) -> object:
        """What the job returned."""
        return self._future.result(seconds)

    def failure(self, seconds: float = SLOW * PATIENCE) -> BaseException | None:
        """What the job raised, if it did."""
        return self._future.exception(seconds)
