"""Things that take their time, and things that happen together."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Found = TypeVar("Found")

POLL_SECONDS = 0.02
PATIENCE = 60


def eventually(
    look: Callable[[], Found], wanted: str, *, seconds: float = PATIENCE
) -> Found:
    """First true value that ``look`` finds; fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {wanted}"
        time.sleep(POLL_SECONDS)
    return found


def at_once(jobs: Sequence[Callable[[], Found]]) -> list[Found]:
    """Results of jobs that start together, each in a thread of its own."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], Found]) -> Found:
        start.wait(PATIENCE)
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

    def result(self, seconds: float = PATIENCE) -> object:
        """What the job returned."""
        return self._future.result(seconds)

    def failure(self, seconds: float = PATIENCE) -> BaseException | None:
        """What the job raised, if it did."""
        return self._future.exception(seconds)
