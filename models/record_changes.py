"""What a trial has changed in records, as the user who made it may see it.

PostgreSQL tells which rows: a row version has the id of the transaction that wrote it.
Values are read twice, within the trial and when it is undone, so that what Odoo has
computed, and what went with a record that was deleted, is told as well.
https://www.postgresql.org/docs/current/ddl-system-columns.html
"""

from dataclasses import dataclass, field

from odoo.models import LOG_ACCESS_COLUMNS, BaseModel
from odoo.tools import SQL

from .. import compat
from .record_reader import Reader
from .sql_changes import has_id, is_small
from .sql_schema import models_by_table

MOST_READ = 100
MOST_TOLD = 20
BESIDE = ("bus.", "discuss.", "ir.", "mail.")
"""Models that go with others: of a new record of theirs the name is enough."""

SKIPPED = frozenset({"id", "parent_path", *LOG_ACCESS_COLUMNS})


@dataclass
class Rows:
    """The rows of one table that a trial may have written.

    :param versions: by id where each is, within the trial
    :param kept: ids that are left, where some were deleted
    :param count: of rows that were written, as PostgreSQL counts
    """

    count: int
    versions: dict[int, str] = field(default_factory=dict)
    kept: set[int] | None = None
    small: bool = True
    values: dict[int, dict] = field(default_factory=dict)


class RecordChanges:
    """One trial; made before it begins.

    :param records: what it is done with
    """

    def __init__(self, records) -> None:
        self.records = records
        self.env = records.env
        self.cr = self.env.cr
        self.counted = self._counts()
        self.models = models_by_table(self.env.registry)
        self.tables: dict[str, Rows] = {}

    def _counts(self) -> dict[str, tuple[int, int]]:
        """Return how many rows of each table were written and deleted so far.

        https://www.postgresql.org/docs/current/monitoring-stats.html
        """
        self.cr.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del, n_tup_del "
            "FROM pg_stat_xact_user_tables WHERE schemaname = current_schema "
            "AND n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relname"
        )
        return {name: (every, deleted) for name, every, deleted in self.cr.fetchall()}

    def look(self) -> None:
        """Look at what there is within the trial, all of it flushed."""
        for table, (every, deleted) in self._counts().items():
            before, deleted_before = self.counted.get(table, (0, 0))
            if every > before:
                rows = self.tables[table] = Rows(every - before)
                self._look_at(table, rows, deletes=deleted > deleted_before)

    def _look_at(self, table: str, rows: Rows, *, deletes: bool) -> None:
        if table not in self.models or not has_id(self.cr, table):
            return
        rows.small = is_small(self.cr, table)
        own = list(self.records._ids) if table == self.records._table else []
        name = SQL.identifier(table)
        written = SQL("age(xmin) <= 0") if rows.small else SQL("id = ANY(%s)", own)
        self.cr.execute(
            SQL(
                "SELECT id, ctid::text FROM %s WHERE %s ORDER BY id <> ALL(%s), "
                "age(xmin), id",
                *(name, written, own),
            )
        )
        rows.versions = dict(self.cr.fetchall())
        if deletes:
            rows.kept = self._ids(table, rows, own)
        rows.values = self._values(table, list(rows.versions)[:MOST_READ])

    def _ids(self, table: str, rows: Rows, own: list[int]) -> set[int]:
        which = SQL("TRUE") if rows.small else SQL("id = ANY(%s)", own)
        self.cr.execute(SQL("SELECT id FROM %s WHERE %s", SQL.identifier(table), which))
        return {number for (number,) in self.cr.fetchall()}

    def told(self) -> dict:
        """Tell all that has changed, now that it is undone."""
        changes, others = [], {}
        for table, rows in self.tables.items():
            if rows.versions or rows.kept is not None:
                if found := self._compared(table, rows):
                    changes.append(found)
            else:
                others[table] = rows.count
        own = self.records._name
        changes.sort(key=lambda change: (change["model"] != own, change["model"]))
        found = {"changes": changes}
        return found | ({"rows_of_other_tables": others} if others else {})

    def _compared(self, table: str, rows: Rows) -> dict | None:
        """Return what became of the rows of a model; None: all is as it was."""
        self.cr.execute(
            SQL(
                "SELECT id, ctid::text FROM %s WHERE id = ANY(%s)",
                *(SQL.identifier(table), list(rows.versions)),
            )
        )
        before = dict(self.cr.fetchall())
        created = [number for number in rows.versions if number not in before]
        updated = [
            n for n, place in rows.versions.items() if before.get(n, place) != place
        ]
        deleted = []
        if rows.kept is not None:
            own = list(self.records._ids) if table == self.records._table else []
            deleted = sorted(self._ids(table, rows, own) - rows.kept)
        if not (created or updated or deleted):
            return None
        old = self._values(table, [*updated[:MOST_READ], *deleted[:MOST_READ]])
        found = {"model": self.models[table]}
        hidden = {}
        beside = found["model"].startswith(BESIDE) and table != self.records._table
        new = _named if beside else _filled
        parts = {
            "created": (created, lambda n: new(rows.values.get(n))),
            "updated": (updated, lambda n: _differing(old.get(n), rows.values.get(n))),
            "deleted": (deleted, lambda n: _named(old.get(n))),
        }
        for how, (ids, tell) in parts.items():
            readable = [n for n in ids[:MOST_READ] if tell(n) is not None]
            told = [{"id": n} | tell(n) for n in readable[:MOST_TOLD]]
            if told := [row for row in told if how != "updated" or len(row) > 1]:
                found[how] = told
            if rest := len(ids) - len(readable[:MOST_TOLD]):
                hidden[how] = rest
        if hidden:
            found["not_told"] = hidden
        return found if len(found) > 1 else None

    def _values(self, table: str, ids: list[int]) -> dict[int, dict]:
        """Return the stored values of records, as far as the user may read them now.

        :return: by id and field: what tells values apart, and what is told of it
        """
        records = self.env[self.models[table]].browse(ids)
        records = records.exists()._filtered_access("read")
        fields = [
            field
            for field in records._fields.values()
            if field.name == "display_name" or _is_compared(field, records)
        ]
        reader = Reader(self.env)
        return {
            record.id: {field.name: _pair(reader, record, field) for field in fields}
            for record in records
        }


def _is_compared(field, records) -> bool:
    return (
        field.store
        and field.name not in SKIPPED
        and (bool(field.column_type) or field.type == "many2many")
        and compat.reaches_field(records, field, "read")
    )


def _pair(reader: Reader, record, field) -> tuple:
    told = reader.value(record, field)
    if field.type == "binary":
        return told, told
    raw = record[field.name]
    return raw._ids if isinstance(raw, BaseModel) else raw, told


def _filled(values: dict | None) -> dict | None:
    """Return what a new record has, without what is empty."""
    if values is None:
        return None
    return {"values": _without_echo({n: t for n, (raw, t) in values.items() if raw})}


def _differing(old: dict | None, new: dict | None) -> dict | None:
    """Return old and new of what is different; None: one of them is not to be seen."""
    if old is None or new is None:
        return None
    found = {
        name: [old[name][1], new[name][1]]
        for name in old
        if name in new and old[name][0] != new[name][0]
    }
    return {"values": _without_echo(found)} if found else {}


def _without_echo(values: dict) -> dict:
    """Return values without a ``display_name`` that only says what another says.

    >>> _without_echo({"display_name": "a", "name": "a", "ref": "b"})
    {'name': 'a', 'ref': 'b'}
    """
    shown = values.get("display_name")
    echoed = any(v == shown for n, v in values.items() if n != "display_name")
    return {n: v for n, v in values.items() if n != "display_name" or not echoed}


def _named(values: dict | None) -> dict | None:
    return None if values is None else {"name": values["display_name"][1]}
