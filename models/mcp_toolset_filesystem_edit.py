from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from odoo import models

from . import text_diffs, text_edits
from .exceptions import ToolError
from .file_access import folder_of, open_file, replacing
from .file_writes import lock, write_all
from .guardrails import guardrails
from .mcp_toolset_filesystem import MEGABYTE, check_unmasked
from .parameters import parameter
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.filesystem import (
        Count,
        EditDryRun,
        File,
        FileEdited,
        NewText,
        OldText,
    )

CHANGED = (
    "{path!r} was changed by somebody else meanwhile; nothing is written. Read it "
    "again."
)


class McpToolsetFilesystem(models.AbstractModel):
    _inherit = "mcp.toolset.filesystem"

    @tool(types=".schemas.filesystem", writes=True, foreign=True)
    def edit_file(
        self,
        path: File,
        old_text: OldText,
        new_text: NewText,
        count: Count = 1,
        dry_run: EditDryRun = False,
    ) -> FileEdited:
        """Replace a piece of a text file: as often as expected, or not at all.

        :raise ToolError: it is not there so often, or the file cannot be edited
        """
        # whoever may not write or read files does not by this, either
        guardrails().require("write_file", writes=True)
        guardrails().require("read_file", writes=False)
        real = self._reachable(path)
        most = parameter(self.env, "write_megabytes") * MEGABYTE
        with folder_of(real) as (folder, name), held(folder, name, path) as descriptor:
            before, text = read_text(descriptor, path, most)
            edit = text_edits.replace(text, old_text, new_text, count, path)
            data = edit.text.encode()
            check_unmasked(folder, name, path, data)
            if len(data) > most:
                raise ToolError(
                    f"{path!r} would have {len(data)} bytes; the settings allow {most}."
                )

            def require_same() -> None:
                if not is_same(folder, name, descriptor, before):
                    raise ToolError(CHANGED.format(path=path))

            if not dry_run:
                with replacing(folder, name, require_same) as new:
                    write_all(new, data)
        return _told(real, text, edit) | ({"dry_run": True} if dry_run else {})


def _told(path: str, before: str, edit: text_edits.Edit) -> dict:
    found = {
        "path": path,
        "replaced": len(edit.places),
        "lines": edit.lines(before)[: text_diffs.MOST_REPLACEMENTS],
        "diff": text_diffs.unified(before, edit),
    }
    if "\r\n" in edit.old + edit.new:
        found["line_ends"] = "CR LF, as in the file"
    if fault := text_diffs.fault(path, edit.text):
        broken = ", as before" if text_diffs.fault(path, before) else ""
        found["warning"] = f"It does not parse{broken}: {fault}"
    return found


@contextlib.contextmanager
def held(folder: int, name: str, path: str) -> Iterator[int]:
    """Give a descriptor of a file that is locked against others who edit or append.

    One who waited finds the file replaced: then it is the new one.

    :raise ToolError: somebody holds or changes it all the time
    """
    for _turn in range(5):
        descriptor = open_file(folder, name, os.O_RDONLY)
        try:
            # a file system without locks: what was changed is found out in the end
            with contextlib.suppress(OSError):
                lock(descriptor)
            if is_at(folder, name, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)
    raise ToolError(CHANGED.format(path=path))


def read_text(descriptor: int, path: str, most: int) -> tuple[bytes, str]:
    """Return the content of a text file, as bytes and decoded.

    :raise ToolError: it is too large, or no UTF-8 text
    """
    size = os.fstat(descriptor).st_size
    if size > most:
        raise ToolError(
            f"{path!r} has {size} bytes; the settings allow {most} to be written: "
            "use sed in execute_command."
        )
    data = content_of(descriptor)
    try:
        if b"\0" in data:
            raise ValueError("it holds NUL")
        return data, data.decode()
    except ValueError as error:
        raise ToolError(
            f"{path!r} is no UTF-8 text ({error}): read_file and write_file with the "
            "same 'encoding' (latin-1, utf-16, binary) change it."
        ) from error


def content_of(descriptor: int) -> bytes:
    """Return all bytes of a file, wherever its descriptor stands."""
    found, position = [], 0
    while block := os.pread(descriptor, MEGABYTE, position):
        found.append(block)
        position += len(block)
    return b"".join(found)


def is_at(folder: int, name: str, descriptor: int) -> bool:
    """Tell whether the name is still that of the open file."""
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def is_same(folder: int, name: str, descriptor: int, before: bytes) -> bool:
    """Tell whether the file is the same, and has what was read of it.

    Its times do not tell: the kernel's clock for them goes in steps of milliseconds.
    """
    return is_at(folder, name, descriptor) and content_of(descriptor) == before
