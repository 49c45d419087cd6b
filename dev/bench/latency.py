"""How long an answer takes, and how many there are in a second.

All targets take turns in random order, so that what else the machine does falls on all
alike: only ratios within one run mean anything.
"""

import random
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from dev.bench import wire
from dev.bench.targets import Target

WARM_UP = 3
SLICE_SECONDS = 1.5


@dataclass
class Sample:
    """What was measured of a target.

    :param seconds: of each answer
    :param size: bytes of the last body
    """

    seconds: list[float] = field(default_factory=list)
    size: int = 0

    def percentile(self, percent: int) -> float:
        """Seconds that so many of a hundred answers do not exceed."""
        if len(self.seconds) == 1:
            return self.seconds[0]
        points = statistics.quantiles(self.seconds, n=100, method="inclusive")
        return points[percent - 1]

    @property
    def p50(self) -> float:
        """Seconds that half of the answers do not exceed."""
        return self.percentile(50)


def interleaved(targets: Sequence[Target], rounds: int) -> dict[str, Sample]:
    """A sample of each target, by its name, measured by one client."""
    samples = {target.name: Sample() for target in targets}
    connections = {target.name: target.connection() for target in targets}
    turns = [
        target
        for number in range(rounds)
        for target in random.sample(targets, len(targets))
        if number % target.every == 0
    ]
    try:
        for target in [*targets] * WARM_UP:
            answer = connections[target.name].ask(target.request)
            wire.check(answer, target.expected, target.name)
        for target in turns:
            began = time.perf_counter()
            answer = connections[target.name].ask(target.request)
            took = time.perf_counter() - began
            wire.check(answer, target.expected, target.name)
            samples[target.name].seconds.append(took)
            samples[target.name].size = len(answer.body)
    finally:
        for connection in connections.values():
            connection.close()
    return samples


def rates(
    targets: Sequence[Target], clients: Sequence[int], turns: int
) -> dict[str, dict[int, float]]:
    """Answers a second of each target, by its name and by the number of clients."""
    counts: dict[tuple[str, int], list[float]] = {}
    wanted = [(target, number) for target in targets for number in clients] * turns
    for target, number in random.sample(wanted, len(wanted)):
        rate = _rate(target, number)
        counts.setdefault((target.name, number), []).append(rate)
    return {
        target.name: {
            number: statistics.median(counts[target.name, number]) for number in clients
        }
        for target in targets
    }


def _rate(target: Target, clients: int) -> float:
    done = [0] * clients
    failures: list[Exception] = []
    end = time.perf_counter() + SLICE_SECONDS

    def work(number: int) -> None:
        try:
            request = target.request_of(number)
            with target.connection() as connection:
                while time.perf_counter() < end:
                    answer = connection.ask(request)
                    wire.check(answer, target.expected, target.name)
                    done[number] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(done) / (time.perf_counter() - began)
