"""PostgreSQL's plan of a query, from the JSON of EXPLAIN.

https://www.postgresql.org/docs/current/sql-explain.html
"""

from collections.abc import Iterator

CONDITIONS = (
    *("Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter"),
    *("Sort Key", "Group Key"),
)
LONGEST_CONDITION = 160
LONGEST_TEXT = 8000


class Node:
    """A step of a plan, with those that it takes its rows from.

    :param row: as EXPLAIN tells it
    """

    def __init__(self, row: dict, depth: int = 0, parent: "Node | None" = None) -> None:
        self.row = row
        self.depth = depth
        self.parent = parent
        self.children = [Node(below, depth + 1, self) for below in row.get("Plans", ())]

    def __iter__(self) -> Iterator["Node"]:
        """Go through this step and all below it, as EXPLAIN prints them."""
        yield self
        for child in self.children:
            yield from child

    @property
    def type(self) -> str:
        """E.g. ``Seq Scan``."""
        return self.row["Node Type"]

    @property
    def table(self) -> str:
        """The table that it reads, with its schema if that is another than public."""
        schema, name = self.row.get("Schema"), self.row.get("Relation Name", "")
        return f"{schema}.{name}" if schema not in (None, "public") else name

    @property
    def name(self) -> str:
        """What it does, with the table and index that it does it to."""
        parts = [self.type]
        if index := self.row.get("Index Name"):
            parts.append(f"using {index}")
        if target := self.table or self.row.get("CTE Name"):
            alias = self.row.get("Alias")
            parts.append(f"on {target}")
            parts += [alias] if alias and alias != self.row.get("Relation Name") else []
        return " ".join(parts)

    @property
    def ran(self) -> bool:
        """Whether it was executed, and not only planned."""
        return self.row.get("Actual Loops", 0) > 0

    @property
    def loops(self) -> int:
        """How often it was executed."""
        return self.row.get("Actual Loops", 0)

    @property
    def rows(self) -> float:
        """Rows of one execution; estimated where it was not executed."""
        return self.row["Actual Rows"] if self.ran else self.row["Plan Rows"]

    @property
    def removed(self) -> float:
        """Rows of one execution that its filter took away."""
        names = ("Rows Removed by Filter", "Rows Removed by Join Filter")
        return sum(self.row.get(name, 0) for name in names)

    @property
    def total(self) -> float:
        """Milliseconds of all executions, with what is below it; else its cost."""
        if "Actual Total Time" in self.row:
            return self.row["Actual Total Time"] * self.loops / self._processes
        return self.row["Total Cost"]

    @property
    def _processes(self) -> int:
        """How many processes execute it at the same time, each of them a loop."""
        node = self.parent
        while node:
            if node.type in ("Gather", "Gather Merge"):
                return 1 + node.row.get("Workers Launched", 0)
            node = node.parent
        return 1

    @property
    def own(self) -> float:
        """Milliseconds, or cost, of itself alone."""
        return max(0.0, self.total - sum(child.total for child in self.children))

    def conditions(self) -> list[str]:
        """Return its conditions, each with its name."""
        found = []
        for name in CONDITIONS:
            if value := self.row.get(name):
                text = ", ".join(value) if isinstance(value, list) else value
                found.append(f"{name}: {_short(text)}")
        return found


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_CONDITION else f"{text[:LONGEST_CONDITION]}…"


def as_text(root: Node) -> str:
    """Return a plan as few lines as tell it, cut where it is long."""
    lines = []
    for node in root:
        told = [node.name, _figures(node), *node.conditions()]
        if node.removed:
            told.append(f"removed {_number(node.removed)}")
        lines.append("  " * node.depth + " | ".join(told))
    text = "\n".join(lines)
    if len(text) <= LONGEST_TEXT:
        return text
    kept = text[:LONGEST_TEXT].rpartition("\n")[0]
    left = len(lines) - kept.count("\n") - 1
    return f"{kept}\n… [{left} more steps: EXPLAIN in query_database tells all]"


def _figures(node: Node) -> str:
    planned = (
        f"cost {node.row['Total Cost']:.0f}, rows {_number(node.row['Plan Rows'])}"
    )
    if not node.ran:
        never = ", never executed" if "Actual Loops" in node.row else ""
        return planned + never
    times = f" x{node.loops}" if node.loops > 1 else ""
    timing = f", {node.total:.1f} ms" if "Actual Total Time" in node.row else ""
    return f"{planned}, got {_number(node.rows)}{times}{timing}"


def _number(value: float) -> str:
    return f"{value:.0f}"
