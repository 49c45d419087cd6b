"""A reader of Prometheus' text format that forgives nothing.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import itertools
import re

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HELP = re.compile(rf"# HELP ({NAME}) (?:[^\\\n]|\\\\|\\n)+")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",)}
ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Labels = frozenset[tuple[str, str]]


class Exposition:
    """What a text says; a text that breaks the format fails the test.

    :param text: as it came
    """

    def __init__(self, text: str) -> None:
        assert text.endswith("\n")
        self.kinds: dict[str, str] = {}
        self.values: dict[tuple[str, Labels], float] = {}
        family = helped = ""
        for line in text[:-1].split("\n"):
            if found := HELP.fullmatch(line):
                helped = found[1]
                assert helped not in self.kinds, f"told twice: {line}"
            elif found := TYPE.fullmatch(line):
                family, kind = found.groups()
                assert family == helped, f"no help: {line}"
                assert family not in self.kinds, f"told twice: {line}"
                assert (kind == "counter") == family.endswith("_total")
                self.kinds[family] = kind
            else:
                self._take(line, family)
        self._check_histograms()

    def _take(self, line: str, family: str) -> None:
        found = SAMPLE.fullmatch(line)
        assert found, f"no sample: {line!r}"
        name, labels, value = found.groups()
        suffixes = SUFFIXES.get(self.kinds[family], ("",))
        assert name in [family + suffix for suffix in suffixes], f"not here: {line}"
        own = [label.split("=", 1) for label in re.findall(LABEL, labels or "")]
        pairs = frozenset((key, _unescape(text[1:-1])) for key, text in own)
        assert len({key for key, _text in pairs}) == len(own), f"label twice: {line}"
        assert (name, pairs) not in self.values, f"sample twice: {line}"
        self.values[name, pairs] = float(value)
        assert self.values[name, pairs] >= 0

    def _check_histograms(self) -> None:
        """Buckets never fall, and the last one holds all."""
        for family in [name for name, kind in self.kinds.items() if kind != "gauge"]:
            rows = [
                (dict(labels), value)
                for (name, labels), value in self.values.items()
                if name == f"{family}_bucket"
            ]
            for tool, own in itertools.groupby(rows, lambda row: row[0]["tool"]):
                buckets = [(float(labels["le"]), value) for labels, value in own]
                assert buckets == sorted(buckets)
                counts = [value for _le, value in buckets]
                assert counts == sorted(counts)
                assert buckets[-1][0] == float("inf")
                assert counts[-1] == self.value(f"{family}_count", tool=tool)

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one sample; None: there is none."""
        return self.values.get((name, frozenset(labels.items())))

    def calls(self, tool: str, status: str = "success") -> int:
        """How many calls of a tool ended so; told even when there were none."""
        value = self.value("odoo_mcp_calls_total", tool=tool, status=status)
        assert value is not None, f"{tool} {status} is not told"
        return int(value)

    def label(self, name: str, label: str) -> set[str]:
        """All values of a label."""
        return {dict(own)[label] for key, own in self.values if key == name}


def _unescape(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: ESCAPED[found[0]], text)
