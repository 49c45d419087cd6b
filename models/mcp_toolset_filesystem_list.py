from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from odoo import models

from . import server_config
from .exceptions import ToolError
from .file_access import FOLDER, folder_of, refusal
from .folder_walk import ANY_DEPTH, Pattern, Walk
from .live_call import live
from .nearest import nearest
from .parameters import time_left
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.filesystem import (
        Depth,
        EntryLimit,
        EntryOffset,
        Folder,
        Glob,
        Listing,
    )

SECONDS = 20
"""That a listing may take."""

MOST_ENTRIES = 1000


class McpToolsetFilesystem(models.AbstractModel):
    _inherit = "mcp.toolset.filesystem"

    @tool(types=".schemas.filesystem", foreign=True)
    def list_files(
        self,
        path: Folder,
        pattern: Glob = "*",
        depth: Depth = None,
        limit: EntryLimit = 200,
        offset: EntryOffset = 0,
    ) -> Listing:
        """Tell what is in a folder, or below it, by name.

        :raise ToolError: there is no such folder; the nearest names
        """
        real = self._reachable(path)
        end = time.monotonic() + time_left(self.env, SECONDS)
        if depth and pattern == "*":
            pattern = ANY_DEPTH
        first = max(0, offset)
        page = (first, first + max(1, min(limit, MOST_ENTRIES)))
        walk = Walk(
            Pattern(pattern),
            page,
            depth,
            end,
            server_config.sessions(),
            live(self.env).check,
        )
        with self._folder(real, path) as descriptor:
            walk.run(descriptor, PurePosixPath(real))
        found = {"path": real, "entries": walk.entries, "total": walk.total}
        if walk.hidden:
            found["hidden"] = walk.hidden
        if walk.unreadable:
            found["unreadable"] = walk.unreadable[:10]
        if more := self._more(walk, page[1]):
            found["more"] = more
        return found

    @staticmethod
    def _more(walk: Walk, shown: int) -> str:
        if walk.ended:
            return (
                f"Given up after {walk.seen} entries: name a folder further down, or "
                "a narrower pattern."
            )
        if walk.total > shown:
            return f"{walk.total - shown} more: offset={shown}."
        if not walk.total and not walk.hidden:
            return "Nothing matches: ** is any number of folders, * none."
        return ""

    @contextmanager
    def _folder(self, real: str, path: str) -> Iterator[int]:
        """Give a descriptor of a folder.

        :raise ToolError: it is none, or cannot be read
        """
        try:
            descriptor = self._open_folder(real)
        except (OSError, ToolError) as error:
            if os.path.isfile(real):
                raise ToolError(
                    f"{path!r} is a file, no folder: read_file reads it."
                ) from error
            said = refusal(error, path) if isinstance(error, OSError) else error
            raise ToolError(f"{said}{self._near(real)}") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @staticmethod
    def _open_folder(real: str) -> int:
        if real == "/":
            return os.open(real, FOLDER)
        with folder_of(real) as (folder, name):
            return os.open(name, FOLDER, dir_fd=folder)

    def _near(self, real: str) -> str:
        """Return the names beside the first part of a path that is missing, as far as
        they may be told."""
        path = PurePosixPath(real)
        while not os.path.lexists(path.parent):
            path = path.parent
        try:
            self._reachable(str(path.parent))
            with self._folder(str(path.parent), str(path.parent)) as descriptor:
                return nearest(path.name, os.listdir(descriptor))
        except (ToolError, OSError):
            return ""
