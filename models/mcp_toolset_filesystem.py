from __future__ import annotations

import base64
import binascii
import codecs
import mimetypes
import os
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from odoo import models

from . import server_config
from .audit_file import writable
from .content import ResourceContent, resource_link
from .exceptions import ArgumentError, ToolError
from .file_access import (
    folder_of,
    open_file,
    replacing,
    resolved,
    size_of,
    within,
)
from .file_lines import Lines, count_lines, read_lines
from .file_writes import append, write_all
from .guardrails import guardrails
from .live_call import live
from .parameters import parameter, parts, time_left
from .redaction import MASK
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.filesystem import (
        Content,
        CreateDirectories,
        Encoding,
        FileContent,
        FileWritten,
        LineLimit,
        Offset,
        Path,
        WriteMode,
    )

MEGABYTE = 1024 * 1024


class McpToolsetFilesystem(models.AbstractModel):
    """Files of the server, as far as its account and the roots reach."""

    _name = "mcp.toolset.filesystem"
    _description = "MCP Toolset Filesystem"

    @tool(types=".schemas.filesystem", foreign=True)
    def read_file(
        self,
        path: Path,
        encoding: Encoding = "utf-8",
        offset: Offset = None,
        limit: LineLimit = None,
    ) -> FileContent:
        """Return a file, or a range of its lines, of which no more is read.

        :raise ToolError: it cannot be read, or is too large to be read whole
        """
        from .schemas.filesystem import FileContent

        check_encoding(encoding)
        real = self._reachable(path)
        most = parameter(self.env, "read_megabytes") * MEGABYTE
        with folder_of(real) as (folder, name):
            descriptor = open_file(folder, name, os.O_RDONLY)
            try:
                size = os.fstat(descriptor).st_size
                if size > most and offset is None and limit is None:
                    raise ToolError(
                        f"{path!r} has {size} bytes, {most} are read at once: ask "
                        "for a range with offset and limit."
                    )
                found = self._range(descriptor, encoding, offset or 1, limit, most)
                if found.total is None and size <= most:
                    found = found._replace(total=count_lines(descriptor))
            finally:
                os.close(descriptor)
        if found.more:
            self._link(real, size)
        return FileContent(
            path=path,
            content=decoded(found.content, encoding, path, whole=not found.more),
            size_bytes=size,
            lines_returned=found.count,
            total_lines=found.total,
            truncated=found.more,
            encoding=encoding,
        )

    def _range(self, descriptor, encoding, first, limit, most) -> Lines:
        """Return lines of a text, or bytes of what has no lines that bytes end."""
        if has_plain_lines(encoding):
            seconds = time_left(self.env, parameter(self.env, "command_maximum"))
            end = time.monotonic() + seconds
            return read_lines(descriptor, first, limit, most, end)
        wanted = min(limit or most, most)
        content = os.pread(descriptor, wanted, first - 1)
        more = bool(os.pread(descriptor, 1, first - 1 + len(content)))
        return Lines(content, 0, 0, more)

    @tool(types=".schemas.filesystem", writes=True)
    def write_file(
        self,
        path: Path,
        content: Content,
        encoding: Encoding = "utf-8",
        mode: WriteMode = "overwrite",
        create_directories: CreateDirectories = True,
    ) -> FileWritten:
        """Write a file: all of it is there in the end, or what was there before.

        :raise ToolError: it cannot be written, or holds what guards this server
        """
        from .schemas.filesystem import FileWritten

        check_encoding(encoding)
        data = encoded(content, encoding)
        real = self._reachable(path)
        most = parameter(self.env, "write_megabytes") * MEGABYTE
        with folder_of(real, create=create_directories) as (folder, name):
            before = size_of(folder, name)
            if before is not None and mode == "create":
                raise ToolError(f"{path!r} exists already: overwrite or append to it.")
            if before is not None:
                check_unmasked(folder, name, path, data)
            size = len(data) + (before or 0 if mode == "append" else 0)
            if size > most:
                raise ToolError(
                    f"{path!r} would have {size} bytes; the settings allow {most}."
                )
            if mode == "append" and before is not None:
                append(folder, name, data)
            else:
                with replacing(folder, name) as descriptor:
                    write_all(descriptor, data)
        self._link(real, size)
        return FileWritten(
            path=real, bytes_written=len(data), created=before is None, size_bytes=size
        )

    @tool(types=".schemas.filesystem", foreign=True)
    def read_whole_file(self, path: Path):
        """Return all of a file, and what kind of content it looks like.

        :raise ToolError: it cannot be read, or is too large
        """
        guardrails().require("read_file", writes=False)
        real = self._reachable(path)
        most = parameter(self.env, "read_megabytes") * MEGABYTE
        with folder_of(real) as (folder, name):
            descriptor = open_file(folder, name, os.O_RDONLY)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(most + 1)
        if len(data) > most:
            raise ToolError(
                f"{path!r} has more than {most} bytes, which are read at once: "
                "read_file gives a range of its lines."
            )
        kind = mimetypes.guess_type(real)[0]
        try:
            return ResourceContent(data.decode(), kind or "text/plain")
        except UnicodeDecodeError:
            return ResourceContent(data, kind or "application/octet-stream")

    def _link(self, real: str, size: int) -> None:
        """Give the address of a file with the answer."""
        uri = f"odoo://files/{quote(real, safe='')}"
        kind = mimetypes.guess_type(real)[0]
        name = PurePosixPath(real).name
        live(self.env).attached.append(
            resource_link(uri, name, mime_type=kind, size=size)
        )

    def _reachable(self, path: str) -> str:
        """Return the real path, inside the roots and none of the server's own.

        The roots of the configuration file and those of the settings both hold.
        """
        rails = guardrails().path_roots
        if rails == ():
            raise ToolError("The server's configuration file allows no path.")
        real = resolved(path, rails or ())
        real = resolved(real, tuple(parts(parameter(self.env, "path_roots"))))
        if within(real, server_config.sessions()):
            raise ToolError(
                f"{path!r} is of Odoo's sessions: they are as good as keys."
            )
        if same_file(real, server_config.path()):
            raise ToolError(
                f"{path!r} is the server's configuration file: read_config tells what "
                "is in it, with secrets masked. No tool changes it."
            )
        if same_file(real, writable(parameter(self.env, "audit_file"))):
            raise ToolError(f"{path!r} is the audit file: see MCP Server > Audit Log.")
        return real


def same_file(path: str, other: str) -> bool:
    """Tell whether two paths are one file, by another name or hard link too."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return PurePosixPath(path) == PurePosixPath(os.path.realpath(other))


def check_unmasked(folder: int, name: str, path: str, data: bytes) -> None:
    """Refuse to write a mask where a secret is: it was read, hidden, and comes back.

    :raise ToolError: the file that is there has no such mask
    """
    mask = MASK.encode()
    if mask not in data:
        return
    with os.fdopen(open_file(folder, name, os.O_RDONLY), "rb") as file:
        if not any(mask in line for line in file):
            raise ToolError(
                f"{MASK} stands for a secret in {path!r}, which would be lost. Change "
                "the other lines with execute_command, e.g. with sed."
            )


def check_encoding(encoding: str) -> None:
    """Refuse what is no text encoding and not ``binary``."""
    try:
        known = encoding == "binary" or codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ArgumentError(
            "Argument 'encoding': expected utf-8, latin-1 or another text encoding, or "
            f"binary, got {encoding[:60]!r}."
        )


def has_plain_lines(encoding: str) -> bool:
    """Tell whether a line ends with one byte, as not in UTF-16, nor in a binary."""
    return encoding != "binary" and "\n".encode(encoding) == b"\n"


def encoded(content: str, encoding: str) -> bytes:
    """Return the bytes to write.

    :raise ArgumentError: there is no such text in the encoding, or it is no base64
    """
    try:
        if encoding == "binary":
            return base64.b64decode(content, validate=True)
        return content.encode(encoding)
    except (binascii.Error, ValueError) as error:
        raise ArgumentError(f"Argument 'content' is no {encoding}: {error}.") from error


def decoded(content: bytes, encoding: str, path: str, *, whole: bool) -> str:
    """Return bytes as text, or as base64.

    :param whole: nothing follows, so that a character that is cut is an error
    :raise ToolError: they are no text in this encoding
    """
    if encoding == "binary":
        return base64.b64encode(content).decode()
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content, final=whole)
    except UnicodeError as error:
        raise ToolError(
            f"{path!r} is no {encoding} ({error}): read it as latin-1, or as binary."
        ) from error
