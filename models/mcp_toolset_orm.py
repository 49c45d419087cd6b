from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from odoo import models

from . import record_query
from .access_answer import AccessAnswer
from .domain_check import blame, checked, field_at
from .exceptions import ArgumentError, ToolError
from .guardrails import guardrails
from .nearest import no_model
from .own_grants import GOVERNORS, kept_grants
from .record_action import RecordAction
from .record_changes import RecordChanges
from .record_errors import explained
from .record_reader import LONG, MOST_CHARACTERS, SHORT, Reader, fitting, told
from .tool_signature import tool
from .undivided import undivided, undone
from .user_named import user_named

if TYPE_CHECKING:
    from .schemas.orm import (
        Access,
        AccessOperation,
        Aggregates,
        Args,
        Domain,
        DryRun,
        FieldNames,
        Fields,
        Found,
        GroupBy,
        Ids,
        Kwargs,
        Limit,
        Method,
        Model,
        ModelName,
        Offset,
        Operation,
        Order,
        User,
        Values,
        Written,
    )


class McpToolsetOrm(models.AbstractModel):
    """Records as Odoo has them for who calls: access rights, rules and field groups."""

    _name = "mcp.toolset.orm"
    _description = "MCP Toolset Records"

    @tool(types=".schemas.orm", foreign=True)
    def search_records(
        self,
        model: Model,
        domain: Domain = [],  # noqa: B006
        fields: Fields = None,
        order: Order = None,
        limit: Limit = 80,
        offset: Offset = 0,
        groupby: GroupBy = None,
        aggregates: Aggregates = None,
    ) -> Found:
        """Return records, or groups of them, and how many there are.

        :raise ToolError: what there is not, with the nearest that there is; or the
            access that is missing
        """
        records = self._model(model)
        with self._careful(records.env, lambda: blame(records, domain)):
            records.check_access("read")
            domain = checked(records, domain)
            if groupby or aggregates:
                asked = (groupby or [], aggregates or [record_query.COUNT])
                return self._groups(records, domain, *asked, order, limit, offset)
            return self._records(records, domain, fields, order, limit, offset)

    def _records(self, model, domain, paths, order, limit, offset) -> dict:
        if paths is None:
            paths = record_query.chosen(model)
            beside = {"fields": paths}
        else:
            paths, beside = [path for path in paths if path != "id"], {}
        record_query.require_paths(model, paths)
        if order:
            record_query.require_order(model, order)
        found = model.search(domain, offset=offset, limit=limit, order=order)
        total = offset + len(found)
        if len(found) == limit or (offset and not found):
            total = model.search_count(domain)
        reader = Reader(model.env, LONG if len(found) == 1 else SHORT)
        rows = fitting([reader.row(record, paths) for record in found], MOST_CHARACTERS)
        return {"total": total, **beside, "records": rows} | self._more(
            total, offset + len(rows)
        )

    def _groups(self, model, domain, groupby, aggregates, order, limit, offset):
        specs = record_query.group_specs(model, groupby)
        record_query.require_aggregates(model, aggregates)
        if order:
            record_query.require_group_order(order, specs, aggregates)
        found = model._read_group(
            domain, specs, aggregates, offset=offset, limit=limit + 1, order=order
        )
        reader = Reader(model.env)
        names = [*specs, *aggregates]
        rows = [
            {n: self._grouped(reader, n, v) for n, v in zip(names, row, strict=True)}
            for row in found[:limit]
        ]
        rows = fitting(rows, MOST_CHARACTERS)
        more = len(found) > len(rows)
        return {"groups": rows} | ({"next_offset": offset + len(rows)} if more else {})

    @staticmethod
    def _grouped(reader: Reader, name: str, value):
        """Return a value of ``_read_group``: a single record as itself, a month by its
        first day."""
        if isinstance(value, models.BaseModel):
            return (reader.related(value) or [None])[0]
        if name.endswith((":day", ":week", ":month", ":quarter", ":year")):
            return value and str(value)[:10]
        return reader.plain(value)

    @staticmethod
    def _more(total: int, reached: int) -> dict:
        return {"next_offset": reached} if reached < total else {}

    def _model(self, name: str, *, abstract: bool = False):
        """Return an empty recordset of a model, as who calls.

        :param abstract: it may be one without records
        :raise ArgumentError: there is none; the nearest names
        """
        registry = self.env.registry
        if name not in registry or (registry[name]._abstract and not abstract):
            raise ArgumentError(no_model(registry, name))
        # what a toolset finds of its call is no affair of the model's own code
        context = {k: v for k, v in self.env.context.items() if k != "mcp_call"}
        return self.env(context=context)[name]

    @tool(types=".schemas.orm", writes=True, foreign=True)
    def write_records(
        self,
        model: Model,
        operation: Operation,
        ids: Ids = None,
        values: Values = None,
        method: Method = None,
        args: Args = None,
        kwargs: Kwargs = None,
        dry_run: DryRun = False,
    ) -> Written:
        """Create, write or delete records, or call one of their methods.

        :raise ToolError: what there is not, with the nearest that there is; the access
            that is missing; or what Odoo says; nothing is kept then
        """
        records = self._model(model, abstract=operation == "call")
        env = records.env
        with self._careful(env):
            action = RecordAction(records, operation, ids, values, method, args, kwargs)
            return self._tried(action) if dry_run else self._done(action)

    def _done(self, action: RecordAction) -> dict:
        env = action.records.env
        with env.cr.savepoint(flush=False), kept_grants(env):
            return action.done(self._whole(action))

    def _tried(self, action: RecordAction) -> dict:
        env = action.records.env
        changes = RecordChanges(action.records)
        with undone(env), kept_grants(env):
            result = self._whole(action)()
            changes.look()
            found = {"dry_run": True}
            if action.operation == "call":
                found["result"] = told(action.records, result)
        return found | changes.told()

    @staticmethod
    def _whole(action: RecordAction):
        """Return the work of an action with all that Odoo puts off until a commit:
        what is computed and stored, tracked, posted."""

        def work():
            with undivided(action.records.env.cr):
                result = action.run()
                action.records.env.cr.flush()
            return result

        return work

    @contextmanager
    def _careful(self, env, place=None):
        """Let the call be stopped, and say what went wrong in words for the client."""
        database = self.env["mcp.toolset.database"]
        with explained(env, place), database._stoppable(env.cr):
            yield

    @tool(types=".schemas.orm", foreign=True)
    def tell_access(
        self,
        model: ModelName,
        operation: AccessOperation,
        ids: Ids = None,
        user: User = None,
        fields: FieldNames = None,
    ) -> Access:
        """Tell what decides whether a user may do something: the tool check_access,
        whose name is the ORM's own for a method.

        :raise ToolError: there is no such model, record, field or user; or who calls
            may not ask about others
        """
        guardrails().require("check_access", writes=False)
        empty = self._model(model)
        asked = self._asked(user)
        for number, name in enumerate(fields or ()):
            field_at(empty, name, f"fields[{number}]")
        answer = AccessAnswer(
            self.env, asked, model, operation, ids or (), whole=self._knows_all()
        )
        with self._careful(self.env, answer.blame):
            return answer.answer(fields or [])

    def _asked(self, user: str | None):
        """Return the user who is asked about: login or id."""
        own = self.env.user
        if user is None or user in (own.login, str(own.id)):
            return own
        if not self._knows_all():
            raise ToolError(
                "Only MCP developers and administrators may ask about other users: "
                "leave user out."
            )
        return user_named(self.env, user)

    def _knows_all(self) -> bool:
        """Tell whether who calls may see the access of all users."""
        return any(map(self.env.user.has_group, GOVERNORS))
