"""What makes a query slow, as its plan tells it."""

from .plan_tree import Node

LARGE = 10_000
"""Rows of a table from which on to read all of it is worth a word."""

FEW = 0.1
"""The part of a table's rows below which an index would be the better way to them."""

FACTOR = 10
"""Between estimate and reality, from which on PostgreSQL plans for another table."""

MATTERS = 100
"""Rows below which an estimate that is off harms nobody."""

MANY_LOOPS = 1000
MOST = 8
SLOWEST = 5


def slowest(root: Node) -> list[dict]:
    """Return the steps that take most by themselves: milliseconds, else cost."""
    ran = "Actual Total Time" in root.row
    whole = root.total or 1
    steps = sorted(root, key=lambda node: -node.own)[:SLOWEST]
    return [
        {
            "step": node.name,
            "ms" if ran else "cost": round(node.own, 2 if ran else 0),
            "percent": round(100 * node.own / whole),
        }
        for node in steps
        if node.own >= whole / 20
    ]


def findings(root: Node, sizes: dict[str, float]) -> list[str]:
    """Return what is worth a look, a sentence each.

    :param sizes: estimated rows of each table
    """
    found: list[str] = []
    for look in (_scans, _sorts, _estimates, _loops):
        found += look(root, sizes)
    if len(found) > MOST:
        found[MOST:] = [f"{len(found) - MOST} more of these."]
    return found


def _is_scan(node: Node) -> bool:
    return node.type == "Seq Scan"


def large_scans(root: Node, sizes: dict[str, float]) -> list[Node]:
    """Return the steps that read all of a large table."""
    return [
        node
        for node in root
        if _is_scan(node) and _size(node, sizes) * max(1, node.loops) >= LARGE
    ]


def _size(node: Node, sizes: dict[str, float]) -> float:
    seen = node.rows + node.removed if node.ran else 0
    return max(seen, sizes.get(node.table, 0))


def is_selective(node: Node, sizes: dict[str, float]) -> bool:
    """Tell whether a step keeps so few rows of its table that an index would help."""
    return node.rows <= FEW * _size(node, sizes)


def _scans(root: Node, sizes: dict[str, float]) -> list[str]:
    found = []
    for node in large_scans(root, sizes):
        text = f"Reads all of {node.table} (about {_size(node, sizes):.0f} rows"
        text += f", {node.loops} times)" if node.loops > 1 else ")"
        if "Filter" in node.row:
            text += f" to keep {node.rows:.0f}"
            text += f" and remove {node.removed:.0f}" if node.removed else ""
            text += f": {node.row['Filter'][:200]}"
        found.append(f"{text}.")
    return found


def _sorts(root: Node, sizes: dict[str, float]) -> list[str]:
    """Tell what did not fit into memory.

    https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM
    """
    found = []
    for node in root:
        disk = node.row.get("Sort Space Type") == "Disk"
        if disk:
            used = node.row.get("Sort Space Used", 0)
            keys = ", ".join(node.row.get("Sort Key", ()))[:100]
            found.append(
                f"Sorts on disk ({used} kB) by {keys}: an index in that order, fewer "
                "columns or rows, or a larger work_mem."
            )
        if node.row.get("Hash Batches", 1) > 1:
            batches = node.row["Hash Batches"]
            found.append(
                f"The hash of {node.children[0].name if node.children else node.name} "
                f"did not fit into memory ({batches} batches): a larger work_mem."
            )
    return found


def _estimates(root: Node, sizes: dict[str, float]) -> list[str]:
    """Tell the lowest steps whose rows were guessed wrong: others follow from them.

    https://www.postgresql.org/docs/current/planner-stats.html
    """
    return [
        f"Expected {node.row['Plan Rows']:.0f} rows of {node.name}, got {node.rows:.0f}"
        + (f": ANALYZE {node.table} may mend it." if node.table else ".")
        for node in root
        if _is_off(node) and not any(map(_is_off, node.children))
    ]


def _is_off(node: Node) -> bool:
    if not node.ran:
        return False
    less, more = sorted((max(node.rows, 1), max(node.row["Plan Rows"], 1)))
    # a LIMIT or EXISTS above may not have wanted all of them
    ended = node.rows < node.row["Plan Rows"] and _is_cut(node)
    return more >= MATTERS and more >= FACTOR * less and not ended


def _is_cut(node: Node) -> bool:
    while node := node.parent:
        if node.type == "Limit" or node.row.get("Join Type") in ("Semi", "Anti"):
            return True
    return False


def _loops(root: Node, sizes: dict[str, float]) -> list[str]:
    found = []
    for node in root:
        if node.type != "Nested Loop" or len(node.children) < 2:
            continue
        inner = node.children[1]
        if inner.loops >= MANY_LOOPS and inner.total >= root.total / 4:
            found.append(
                f"A nested loop runs {inner.name} {inner.loops} times "
                f"({inner.total:.0f} ms together): look whether its outer side "
                "returns more rows than expected, or the inner one lacks an index."
            )
    return found
