"""The processes of this machine that a test has caused."""

import psutil


def processes(mark: str) -> list[psutil.Process]:
    """Those whose command line has the mark in it."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if mark in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found
