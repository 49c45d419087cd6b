"""What the kernel tells of processes. proc(5)."""

import contextlib
import re
from pathlib import Path

PROC = Path("/proc")
KIB = 1024


def proportional(*pids: int) -> int:
    """Bytes of memory of these processes, what they share counted once (PSS)."""
    return sum(_amount(pid, "smaps_rollup", "Pss") for pid in pids)


def resident(pid: int) -> int:
    """Bytes of a process that are in memory now."""
    return _amount(pid, "status", "VmRSS")


def forget_peak(pid: int) -> None:
    """Have :func:`peak` begin anew."""
    (PROC / str(pid) / "clear_refs").write_text("5")


def peak(pid: int) -> int:
    """Most bytes of a process that were in memory at once."""
    return _amount(pid, "status", "VmHWM")


def _amount(pid: int, file: str, name: str) -> int:
    told = (PROC / str(pid) / file).read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", told, re.M)
    return int(found[1]) * KIB if found else 0


def children(pid: int) -> list[int]:
    """The processes that a single-threaded one has forked."""
    told = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
    return [*map(int, told.split())]


def listener(server: int) -> int:
    """The process of the dedicated listener of a server.

    :raise LookupError: it has none
    """
    for folder in PROC.iterdir():
        with contextlib.suppress(OSError):
            told = (folder / "cmdline").read_bytes().split(b"\0")
            if b"--server-pid" in told:
                owner = told[told.index(b"--server-pid") + 1]
                if owner == str(server).encode():
                    return int(folder.name)
    raise LookupError("the server has no listener")


def has_mapped(pid: int, name: str) -> bool:
    """Whether a process has loaded a library whose path contains ``name``."""
    return name in (PROC / str(pid) / "maps").read_text()
