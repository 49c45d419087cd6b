"""Which index a plan is in want of, and how it is made in Odoo."""

import re
from collections.abc import Iterable

from .plan_findings import is_selective, large_scans
from .plan_tree import Node

MOST = 5
LONGEST = 10_000
"""Characters of a condition that are looked at."""

SIZES = """
SELECT n.nspname, c.relname, c.reltuples
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (n.nspname, c.relname) IN %s"""

COLUMNS = """
SELECT a.attname, t.typname,
       EXISTS (SELECT FROM pg_index i
                WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
                  AND i.indisvalid AND i.indpred IS NULL),
       EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                 JOIN pg_am m ON m.oid = c.relam
                WHERE i.indrelid = a.attrelid AND m.amname IN ('gin', 'gist'))
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped"""

OPERATOR = (
    r"\)*(?:::[a-z_ \[\]\"]+)?\)*\s+(?P<operator>~~\*?|>=|<=|=|<|>|IS NULL)(?=\s|\)|$)"
)
PLAIN = frozenset({"=", "<", ">", "<=", ">=", "IS NULL"})


def sizes(cursor, root: Node) -> dict[str, float]:
    """Return the estimated rows of each table of a plan."""
    tables = {
        (node.row.get("Schema", "public"), node.row["Relation Name"]): node.table
        for node in root
        if "Relation Name" in node.row
    }
    if not tables:
        return {}
    cursor.execute(SIZES, [tuple(tables)])
    return {tables[schema, name]: size for schema, name, size in cursor.fetchall()}


def missing(cursor, root: Node, known: dict[str, float], registry) -> list[dict]:
    """Return the indexes that would save reading all of a large table.

    :param known: see :func:`sizes`
    :param registry: Odoo's, whose fields are named
    """
    found: dict[tuple, dict] = {}
    for node in large_scans(root, known):
        wanted = dict(_wanted(node, known))
        if not wanted:
            continue
        schema = node.row.get("Schema", "public")
        cursor.execute(COLUMNS, [f'"{schema}"."{node.row["Relation Name"]}"'])
        for name, kind, indexed, searched in cursor.fetchall():
            operator = wanted.get(name)
            if not operator or kind == "bool":
                continue
            trigram = operator not in PLAIN
            if not (searched if trigram else indexed):
                row = _proposal(node.table, name, trigram, registry)
                found[node.table, name] = row
    return [*found.values()][:MOST]


def _wanted(node: Node, known: dict[str, float]) -> Iterable[tuple[str, str]]:
    """Yield the columns that rows are chosen by, and how they are compared."""
    if "Filter" in node.row and is_selective(node, known):
        yield from columns(node.row["Filter"], _alias(node))
    above = node.parent
    while above and above.type in ("Hash", "Sort", "Materialize", "Gather"):
        above = above.parent
    if above and "Join" in above.type + above.row.get("Join Type", ""):
        join = above if above.rows <= known.get(node.table, 0) / 10 else None
        if join:
            for name in ("Hash Cond", "Merge Cond", "Join Filter"):
                yield from columns(join.row.get(name, ""), _alias(node))


def _alias(node: Node) -> str:
    return node.row.get("Alias") or node.row["Relation Name"]


def columns(condition: str, alias: str) -> list[tuple[str, str]]:
    """Return the columns of a table that a condition compares, each with how.

    As PostgreSQL writes conditions: every column has the table's alias before it.

    >>> columns("((p.email)::text = 'x'::text) AND (p.age > 3)", "p")
    [('email', '='), ('age', '>')]
    >>> columns("(o.partner_id = p.id)", "p")
    [('id', '=')]
    >>> columns("((p.name)::text ~~* '%x%'::text)", "p")
    [('name', '~~*')]
    """
    condition = condition[:LONGEST]
    column = rf'(?<![\w.]){re.escape(alias)}\.(?P<name>\w+|"[^"]+")'
    found = [
        (match["name"].strip('"'), match["operator"])
        for match in re.finditer(column + OPERATOR, condition)
    ]
    found += [
        (match["name"].strip('"'), "=")
        for match in re.finditer(rf"=\s+{column}\)", condition)
    ]
    return list(dict(reversed(found)).items())[::-1]


def _proposal(table: str, column: str, trigram: bool, registry) -> dict:
    method = f" USING gin ({column} gin_trgm_ops)" if trigram else f" ({column})"
    row = {"create": f"CREATE INDEX ON {table}{method}"}
    if field := field_of(registry, table, column):
        value = "'trigram'" if trigram else "True"
        row["odoo"] = f"index={value} on the field {field}, then upgrade_module"
    if trigram:
        row["needs"] = "the extension pg_trgm, and a text sought within, not at its end"
    return row


def field_of(registry, table: str, column: str) -> str | None:
    """Return ``model.field`` of a column and the module that defines it; None: Odoo
    has no such."""
    for name, model in sorted(registry.items()):
        if model._table != table or model._abstract or not model._auto:
            continue
        field = model._fields.get(column)
        if field and field.store:
            module = field._module
            return f"{name}.{column}" + (f" (module {module})" if module else "")
    return None
