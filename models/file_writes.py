"""Bytes into files, all of them or none."""

import fcntl
import os
import time

from .exceptions import ToolError
from .file_access import open_file

LOCK_SECONDS = 5


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, however many times it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def lock(descriptor: int) -> None:
    """Wait a while for other writers.

    :raise ToolError: somebody holds the file for longer
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise ToolError("Another process has locked this file.") from error
            time.sleep(0.05)


def append(folder: int, name: str, data: bytes) -> None:
    """Add to a file; when the disk is full, it is as long as before."""
    descriptor = open_file(folder, name, os.O_WRONLY | os.O_APPEND)
    try:
        lock(descriptor)
        before = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, data)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)
