from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from odoo import models

from . import forked, server_config
from .audit_file import writable
from .exceptions import ArgumentError, ToolError
from .guardrails import guardrails
from .guidelines import guidelines
from .live_call import live
from .mcp_toolset_filesystem import same_file
from .nearest import nearest
from .parameters import let_go, parameter, parts, time_left
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.code import (
        ContextLines,
        Definitions,
        Glob,
        Inspection,
        Kind,
        Matches,
        MatchLimit,
        MatchOffset,
        Member,
        Model,
        ModuleName,
        Name,
        Pattern,
        Regex,
    )

OUTPUT_KEPT = 2000
CONTEXT, MOST_CONTEXT = 1, 10
LIMIT, MOST_MATCHES = 30, 500


class McpToolsetCode(models.AbstractModel):
    """The code of this Odoo, as the registry and the addons paths have it."""

    _name = "mcp.toolset.code"
    _description = "MCP Toolset Code"

    @tool(types=".schemas.code", foreign=True)
    def inspect_model(self, model: Model, name: Member = None) -> Inspection:
        """Tell all of a model, or of one field or method of it, from the registry.

        :raise ToolError: there is no such model, field or method; the nearest names
        """
        from .member_facts import member
        from .model_facts import ModelFacts
        from .source_places import Places

        places = Places(self._readable())
        if name:
            facts = member(self.env, model, name, places)
        else:
            facts = ModelFacts(self.env, model, places).told()
        return {**facts, **self._stale(places)}

    @tool(types=".schemas.code", foreign=True)
    def find_definition(self, name: Name, kind: Kind = None) -> Definitions:
        """Tell where a name is defined, with the lines that begin there.

        :raise ToolError: there is no such name; the nearest names
        """
        from .definitions import KINDS, Finder
        from .source_places import Places

        if kind and kind not in KINDS:
            known = ", ".join(KINDS)
            raise ArgumentError(
                f"Argument 'kind': expected one of {known}, got {kind[:60]!r}."
            )
        places = Places(self._readable())
        found = Finder(self.env, places).find(kind, name.strip())
        return {"found": found, "folders": places.folders(), **self._stale(places)}

    def _stale(self, places) -> dict[str, str]:
        """Say what the registry does not know yet: its lines are those of the file."""
        from .stale_source import changed

        python = (path for path in places.files if path.endswith(".py"))
        names = ", ".join(places.at(path) for path in changed(self.env, python))
        if not names:
            return {}
        return {
            "stale": f"Changed since the server loaded it: {names}. Lines are the "
            "file's, the rest is what was loaded: service_status restarts Odoo."
        }

    @tool(types=".schemas.code", timed=True, foreign=True)
    def search_code(
        self,
        pattern: Pattern,
        regex: Regex = None,
        glob: Glob = None,
        module: ModuleName = None,
        context: ContextLines = CONTEXT,
        limit: MatchLimit = LIMIT,
        offset: MatchOffset = 0,
    ) -> Matches:
        """Return the lines of the addons' source that match.

        :param context: lines before and after each; at most 10
        :param limit: of matching lines; at most 500
        :param offset: of them that are left out
        :raise ToolError: the pattern is wrong or takes too long, or there is no such
            module
        """
        from . import code_search

        guardrails().require("read_file", writes=False)
        wanted = code_search.compiled(pattern, regex=bool(regex))
        modules = self._modules(module)
        files = self._wanted(glob).files(modules)
        found = code_search.Found(
            max(0, offset or 0), min(limit or LIMIT, MOST_MATCHES)
        )
        text = None if regex else pattern
        context = CONTEXT if context is None else max(0, min(context, MOST_CONTEXT))
        seconds = self._seconds()
        guards = (server_config.path(), writable(parameter(self.env, "audit_file")))

        def work(_tell):
            return code_search.search(
                wanted,
                files,
                found,
                context=context,
                seconds=seconds,
                text=text,
                own=lambda path: any(same_file(path, guard) for guard in guards),
            )

        return told(self._run(work, seconds), found.offset, modules)

    @staticmethod
    def _modules(name: str | None) -> dict[str, str]:
        """Return the folders of the modules to search, by name.

        :raise ToolError: there is no such module
        """
        from .code_files import all_modules

        known = all_modules()
        if name and name not in known:
            raise ToolError(
                f"There is no module {name!r} in the addons paths."
                + nearest(name, known, "See list_modules.")
            )
        return {name: known[name]} if name else known

    def _wanted(self, glob: str | None):
        """Return which files are searched, as far as the roots reach."""
        from .code_files import Wanted

        rails = guardrails().path_roots
        if rails == ():
            raise ToolError("The server's configuration file allows no path.")
        roots = [rails or (), tuple(parts(parameter(self.env, "path_roots")))]
        return Wanted(parts(glob or ""), roots)

    def _seconds(self) -> float:
        seconds = time_left(self.env, parameter(self.env, "command_timeout"))
        return min(seconds, live(self.env).time_left() or seconds)

    def _run(self, work, seconds: float) -> dict:
        """Run a search in a fork.

        :raise ToolError: it did not end in time
        """
        database = self.env.cr.dbname
        let_go(self.env)
        try:
            ended = forked.run(
                work,
                database,
                timeout=seconds,
                keep=OUTPUT_KEPT,
                call=live(self.env),
            )
        except forked.ForkError as error:
            raise ToolError(f"{error}. Try again.") from error
        if ended.result is None and ended.timed_out:
            raise ToolError(
                f"The pattern did not end within {seconds:g} s. Repetitions within a "
                "repetition, as in (a+)+, may take for ever: write it without, search "
                "for plain text, or name a module."
            )
        if ended.result is None:
            last = ended.output.strip().rpartition("\n")[2]
            raise ToolError(f"The search ended without a result: {last}")
        return ended.result

    @tool(types=".schemas.code")
    def read_guidelines(self) -> str:
        """Tell how to write for this series, for ``odoo://guidelines``."""
        return guidelines()

    def _readable(self):
        """Return what tells of a path whether read_file would read it."""
        try:
            guardrails().require("read_file", writes=False)
        except ToolError:
            return lambda _path: False
        files = self.env["mcp.toolset.filesystem"]

        @functools.cache
        def readable(path: str) -> bool:
            try:
                files._reachable(path)
            except ToolError:
                return False
            return True

        return readable


def told(result: dict, offset: int, modules: dict[str, str]) -> Matches:
    """Return what a search has found as it is told.

    :param modules: folders by name, of all that were searched
    """
    found: Matches = {"matches": result["lines"], "files": result["files"]}
    found["found"] = result["rows"]
    following = offset + result["told"]
    more = []
    if result["left"]:
        more.append(
            "The time was up before all files were read: name a module or glob."
        )
    if result["lines"] > following:
        more.append(f"{result['lines'] - following} more: offset={following}.")
    folders: dict[str, set[str]] = {}
    for row in result["rows"]:
        name = row["file"].partition("/")[0]
        folders.setdefault(os.path.dirname(modules[name]), set()).add(name)
    found["folders"] = {name: sorted(some) for name, some in folders.items()}
    if more:
        found["more"] = " ".join(more)
    return found
