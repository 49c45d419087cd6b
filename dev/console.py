"""What the developer sees: progress lines, one-line errors, and the commands run."""

import contextlib
import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dev import paths

# A log line of a level that matters, or the closing line of a traceback.
FAILURE_LINE = re.compile(r" (ERROR|CRITICAL) |^[\w.]+(Error|Exception|Violation)\b")


class HarnessError(Exception):
    """Something is missing or failed; the message is one line with the remedy."""


def progress(message: str) -> None:
    """Announce a step before it starts, so that a long one is never a silent one."""
    print(f"[harness] {message}", flush=True)


def run(
    command: Sequence[object],
    *,
    failure: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
    text_input: str | None = None,
) -> str:
    """Standard output of a command; when it fails, ``failure`` with its last words.

    Standard input is never the terminal's: nothing here may wait for an answer.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            input=text_input or "",
            capture_output=True,
            text=True,
            env=None if env is None else dict(env),
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise HarnessError(f"{failure}: {error.filename} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"{failure}: no end after {timeout:.0f} s") from error
    if done.returncode:
        raise HarnessError(f"{failure}: {last_words(done.stderr or done.stdout)}")
    return done.stdout


def last_words(output: str) -> str:
    """Last line that says something: where a failing program names its reason."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def log_reason(log: str) -> str:
    """Why Odoo failed: the last error or exception in its log, else its last words."""
    errors = [line for line in log.splitlines() if FAILURE_LINE.search(line)]
    return errors[-1].strip() if errors else last_words(log)


def setting(name: str, default: str = "") -> str:
    """A variable of ``make``; an empty one counts as not given."""
    return os.environ.get(name, "").strip() or default


@contextlib.contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Let one harness process at a time provision ``name``; others wait and find it."""
    lock = paths.made(paths.cache() / "locks") / f"{name}.lock"
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"waiting for another harness process ({name})…")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fail(error: HarnessError) -> int:
    """Exit status of a failed command, its reason told without a traceback."""
    print(f"[harness] error: {error}", file=sys.stderr, flush=True)
    return 1
