"""Open files by a path that nobody can swap between the check and the use.

The path is resolved first, links and all, and checked as it then reads. It is opened
part by part below the descriptor of the part before, following no link: what became a
link in the meantime is refused.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from .exceptions import ToolError

NEVER = ("/proc", "/dev", "/sys")
"""Not files but the kernel's interfaces: reading may block, act, or tell secrets."""

MOST_BYTES = 4096
"""Of a path: PATH_MAX of Linux, with the NUL at its end. A longer one can be made part
by part, and then be removed by nobody."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)
"""What file systems say that know no file without a name."""


def resolved(path: str, roots: tuple[str, ...]) -> str:
    """Return the real path that ``path`` leads to, if it may be reached.

    :param path: absolute, without ``..``
    :param roots: folders that it must be in; empty: any
    :raise ToolError: it is not of that form, or leads elsewhere
    """
    if "\0" in path:
        raise ToolError("A path cannot hold NUL.")
    if len(os.fsencode(path)) >= MOST_BYTES:
        raise refusal(OSError(errno.ENAMETOOLONG, ""), f"{path[:100]}…")
    if not os.path.isabs(path):
        raise ToolError(f"{path!r} is relative: give the absolute path.")
    if ".." in PurePosixPath(path).parts:
        raise ToolError(f"{path!r} has '..' in it: give the path that is meant.")
    try:
        real = os.path.realpath(path)
    except OSError as error:
        raise refusal(error, path) from error
    if any(within(real, folder) for folder in NEVER):
        raise ToolError(f"{path!r} is the kernel's: /proc, /dev and /sys are no files.")
    if roots and not any(within(real, os.path.realpath(root)) for root in roots):
        leads = f" leads to {real!r}, which" if real != os.path.normpath(path) else ""
        raise ToolError(
            f"{path!r}{leads} is outside the folders that may be reached: "
            f"{', '.join(roots)}."
        )
    return real


def within(path: str, folder: str) -> bool:
    """Tell whether ``path`` is ``folder`` or below it.

    >>> within("/srv/a/b", "/srv/a"), within("/srv/ab", "/srv/a"), within("/x", "/")
    (True, False, True)
    """
    return PurePosixPath(path).is_relative_to(folder)


@contextlib.contextmanager
def folder_of(real: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
    """Give a descriptor of the folder of ``real``, and the name in it.

    :param real: as :func:`resolved` returned it
    :param create: make the folders that are missing
    :raise ToolError: a part of the path is missing, no folder, or became a link
    """
    parts = PurePosixPath(real).parts[1:]
    if not parts:
        raise ToolError("'/' is a folder.")
    descriptor = os.open("/", FOLDER)
    try:
        for part in parts[:-1]:
            below = _descend(descriptor, part, create)
            os.close(descriptor)
            descriptor = below
        yield descriptor, parts[-1]
    except OSError as error:
        raise refusal(error, real) from error
    finally:
        os.close(descriptor)


def _descend(folder: int, name: str, create: bool) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o777, dir_fd=folder)
    return os.open(name, FOLDER, dir_fd=folder)


def open_file(folder: int, name: str, flags: int, mode: int = 0o666) -> int:
    """Open a regular file below a descriptor; it follows no link and never blocks.

    :raise OSError: it cannot be opened
    :raise ToolError: it is no regular file
    """
    descriptor = os.open(name, flags | FILE, mode, dir_fd=folder)
    try:
        _require_regular(os.fstat(descriptor).st_mode, name)
    except ToolError:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(mode: int, name: str) -> None:
    if not stat.S_ISREG(mode):
        raise ToolError(
            f"{name!r} is a folder: list_files lists it."
            if stat.S_ISDIR(mode)
            else f"{name!r} is no regular file, but a pipe, socket or device."
        )


def size_of(folder: int, name: str) -> int | None:
    """Return the size in bytes of the regular file that is there; None: nothing is.

    :raise ToolError: it is something else
    """
    found = _stat(folder, name)
    if found is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    _require_regular(found.st_mode, name)
    return found.st_size


@contextlib.contextmanager
def replacing(
    folder: int, name: str, require_same: Callable[[], None] | None = None
) -> Iterator[int]:
    """Give a descriptor of a new file that takes the place of ``name`` in the end.

    Mode, owner and group are those of the file that is there; a failure leaves that
    file as it is.

    :param require_same: raises when the file that is there is another than the new one
        was made from; asked last
    """
    before = _stat(folder, name)
    temporary = f".{name[:200]}.{secrets.token_hex(4)}"
    descriptor, named = _new_file(folder, temporary, 0o600 if before else 0o666)
    try:
        if before:
            _take_after(descriptor, before, name)
        yield descriptor
        os.fsync(descriptor)
        if not named:
            # open(2), O_TMPFILE: it needs no privilege so
            os.link(f"/proc/self/fd/{descriptor}", temporary, dst_dir_fd=folder)
        if require_same:
            require_same()
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def _new_file(folder: int, name: str, mode: int) -> tuple[int, bool]:
    """Open a new file; tell whether it has its name already.

    One without a name is gone with a process that is killed while it writes. Not all
    file systems have that.
    """
    flags = os.O_WRONLY | os.O_CLOEXEC
    try:
        return os.open(".", flags | os.O_TMPFILE, mode, dir_fd=folder), False
    except OSError as error:
        if error.errno not in NO_TMPFILE:
            raise
    return open_file(folder, name, flags | os.O_CREAT | os.O_EXCL, mode), True


def _stat(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _take_after(descriptor: int, before: os.stat_result, name: str) -> None:
    """Give a new file mode, owner and group of the one whose place it takes."""
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        except PermissionError as error:
            raise ToolError(
                f"{name!r} belongs to another account (uid {before.st_uid}, gid "
                f"{before.st_gid}), which the new content would take from it. Append "
                "to it, or write beside it."
            ) from error
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def refusal(error: OSError, path: str) -> ToolError:
    """Return what the caller is told when the system says no."""
    remedies = {
        errno.ENOENT: "There is no such file or folder",
        errno.EACCES: "The server's account may not reach it",
        errno.EPERM: "The server's account may not change it",
        errno.ELOOP: "A part of the path is a link that goes nowhere, or came just now",
        errno.ENOTDIR: "A part of the path is no folder, or has become a link",
        errno.EISDIR: "It is a folder",
        errno.EEXIST: "It exists already",
        errno.ENAMETOOLONG: "The path is too long",
        errno.ENOSPC: "The disk is full; nothing was written",
        errno.EDQUOT: "The disk quota is used up; nothing was written",
        errno.EROFS: "The file system is read-only",
        errno.ENXIO: "It is a pipe or device that nobody is at",
        errno.ETXTBSY: "It is a program that runs",
    }
    return ToolError(f"{path!r}: {remedies.get(error.errno, error.strerror)}.")
