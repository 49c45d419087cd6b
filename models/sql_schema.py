"""PostgreSQL's catalog, read for get_db_schema.

https://www.postgresql.org/docs/current/catalogs.html
"""

from odoo.tools import SQL

from .exceptions import ToolError
from .nearest import nearest

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
CONSTRAINTS = {
    "c": "CHECK",
    "f": "FOREIGN KEY",
    "n": "NOT NULL",
    "p": "PRIMARY KEY",
    "u": "UNIQUE",
    "t": "TRIGGER",
    "x": "EXCLUDE",
}

NAMES = """ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY k(num, pos)
                   JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.num
                  ORDER BY k.pos)"""
"""The names of the columns with the numbers ``keys``, in their order."""


def models_by_table(registry) -> dict[str, str]:
    """Return the models whose tables the ORM makes, by these; the first by name."""
    return {
        model._table: name
        for name, model in sorted(registry.items(), reverse=True)
        if model._auto and not model._abstract
    }


def list_tables(cr, schema: str, search: str | None) -> list[dict]:
    """Return tables and views of ``schema`` by name, with estimates that cost nothing.

    :param search: part of the name
    """
    cr.execute(
        SQL(
            """
            SELECT c.relname AS table_name, c.relkind::text AS kind,
                   c.reltuples::bigint AS row_estimate,
                   pg_total_relation_size(c.oid) AS size_bytes
              FROM pg_class c
             WHERE c.relnamespace = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
               AND strpos(c.relname, %s) > 0
             ORDER BY c.relname
            """,
            _schema_oid(cr, schema),
            search or "",
        )
    )
    return [{**row, "kind": KINDS[row["kind"]]} for row in cr.dictfetchall()]


def find_table(cr, schema: str, table: str) -> tuple[str, int]:
    """Return name and oid of a table or view, by its name or that of its model.

    :raise ToolError: there is none, with the names that come nearest
    """
    cr.execute(
        "SELECT oid, relname FROM pg_class WHERE relnamespace = %s "
        "AND relkind IN ('r', 'p', 'v', 'm', 'f')",
        [_schema_oid(cr, schema)],
    )
    oids = {name: oid for oid, name in cr.fetchall()}
    for name in (table, table.replace(".", "_")):
        if name in oids:
            return name, oids[name]
    raise ToolError(
        f"There is no table {table!r} in schema {schema!r}."
        + nearest(name, oids, "See list_tables.")
    )


def _schema_oid(cr, schema: str) -> int:
    cr.execute("SELECT nspname, oid FROM pg_namespace")
    oids = dict(cr.fetchall())
    if schema not in oids:
        known = ", ".join(sorted(name for name in oids if not name.startswith("pg_")))
        raise ToolError(f"There is no schema {schema!r}. There are: {known}.")
    return oids[schema]


def list_columns(cr, table: int) -> list[dict]:
    """Return the columns of a table in their order, with foreign keys and labels."""
    cr.execute(
        SQL(
            """
            SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
                   NOT a.attnotnull AS nullable,
                   pg_get_expr(d.adbin, d.adrelid) AS default,
                   EXISTS (SELECT FROM pg_constraint p
                            WHERE p.conrelid = a.attrelid AND p.contype = 'p'
                              AND a.attnum = ANY(p.conkey)) AS is_primary_key,
                   (SELECT f.confrelid::regclass::text FROM pg_constraint f
                     WHERE f.conrelid = a.attrelid AND f.contype = 'f'
                       AND f.conkey = ARRAY[a.attnum] LIMIT 1) AS references,
                   col_description(a.attrelid, a.attnum) AS label
              FROM pg_attribute a
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum
            """,
            table,
        )
    )
    return cr.dictfetchall()


def list_indexes(cr, table: int) -> list[dict]:
    """Return the indexes of a table; an expression stands as its definition."""
    cr.execute(
        """
        SELECT c.relname AS name, i.indisunique AS unique, m.amname AS type,
               ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true)
                       FROM generate_series(1, i.indnkeyatts) n) AS columns,
               pg_get_indexdef(i.indexrelid) AS definition
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_am m ON m.oid = c.relam
         WHERE i.indrelid = %s ORDER BY c.relname
        """,
        [table],
    )
    return cr.dictfetchall()


def list_constraints(cr, table: int) -> list[dict]:
    """Return the constraints of a table, foreign keys with their targets."""
    own = NAMES.format(keys="c.conkey", table="c.conrelid")
    foreign = NAMES.format(keys="c.confkey", table="c.confrelid")
    cr.execute(
        f"""
        SELECT c.conname AS name, c.contype::text AS type, {own} AS columns,
               nullif(c.confrelid, 0::oid)::regclass::text AS target,
               {foreign} AS target_columns,
               pg_get_constraintdef(c.oid) AS definition
          FROM pg_constraint c
         WHERE c.conrelid = %s ORDER BY c.conname
        """,
        [table],
    )
    return [_constraint(row) for row in cr.dictfetchall()]


def _constraint(row: dict) -> dict:
    target, columns = row.pop("target"), row.pop("target_columns")
    if target:
        row["references"] = {"table": target, "columns": columns}
    return {**row, "type": CONSTRAINTS[row["type"]]}
