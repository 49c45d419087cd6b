"""Prometheus' text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable
from typing import NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """A value, and what it is the value of.

    :param suffix: after the family's name, e.g. ``_bucket`` of a histogram
    """

    value: float
    labels: dict[str, str] = {}
    suffix: str = ""


class Family(NamedTuple):
    """The samples of one name.

    :param kind: counter, gauge or histogram
    """

    name: str
    kind: str
    help: str
    samples: list[Sample]


def render(families: Iterable[Family]) -> str:
    r"""Return the families as text; one that has no samples is left out.

    >>> calls = Family("calls_total", "counter", "Calls.", [Sample(3, {"tool": 'a"b'})])
    >>> print(render([calls, Family("jobs", "gauge", "Jobs.", [])]), end="")
    # HELP calls_total Calls.
    # TYPE calls_total counter
    calls_total{tool="a\"b"} 3
    """
    lines = []
    for family in filter(lambda one: one.samples, families):
        told = family.help.replace("\\", r"\\").replace("\n", r"\n")
        lines.append(f"# HELP {family.name} {told}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += [
            f"{family.name}{one.suffix}{_labels(one.labels)} {one.value!r}"
            for one in family.samples
        ]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
