"""Run a program so that it ends in time, with all that it forked, and within bounds."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import descriptors, left_behind
from .live_call import LiveCall
from .process_output import Output

SUPERVISOR = str(Path(__file__).with_name("command_supervisor.py"))

GRACE = 5
"""Seconds past the deadline that the supervisor has to clean up."""

PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|HOSTNAME"
    r"|VIRTUAL_ENV|PYTHONPATH|PYTHONPYCACHEPREFIX|PYTHONDONTWRITEBYTECODE|XDG_\w+"
    r"|PG(HOST|HOSTADDR|PORT|USER|DATABASE|SSLMODE|CLIENTENCODING)"
    r"|ODOO_(STAGE|VERSION)|(https?|no|all)_proxy",
    re.I,
)
"""Variables of the server that a command finds: a list of the harmless, for nobody
knows all names that secrets go by."""

MOST_SAID = 1024
"""Bytes kept of the begin and of the end of what a supervisor says: its command
can write there, too."""

SAID = re.compile(r"pid [1-9][0-9]{1,9}|exit -?[0-9]{1,3}|error .*")

URL_WITH_PASSWORD = re.compile(r"://[^/\s]*:[^/\s]*@")


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    :param code: exit status; 128 + N: killed by signal N, as shells say; -1: at the
        deadline; -2: not started
    :param error: why it was not started
    """

    stdout: str
    stderr: str
    code: int
    error: str = ""

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped at the deadline."""
        return self.code == -1


def harmless_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment without what may be a secret, and additions."""
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if PASSED_ON.fullmatch(name) and not URL_WITH_PASSWORD.search(value)
    }
    return {**passed_on, **additions}


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    keep: int,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    call: LiveCall | None = None,
    hear: Callable[[bytes], object] | None = None,
) -> Ended:
    """Run a program; nothing of it lives past ``timeout`` seconds.

    It ends when the program has ended and nobody holds its output any more, as over
    ssh: a daemon that closes its output lives on.

    :param argv: absolute path of the program, and its arguments
    :param keep: bytes of each output stream that are kept
    :param call: it hears what the program prints, and may stop it
    :param hear: hears what the program prints, in place of the call
    :raise Cancelled: the call was stopped, and the program with it
    """
    call = call or LiveCall()
    if env is None:
        env = harmless_environment({})
    try:
        started = _start(argv, timeout, cwd, env)
    except (OSError, ValueError) as error:
        return Ended("", "", -2, str(error))
    try:
        with call.interrupt() as interrupt:
            hear = hear or call.output
            ended = _follow(started, interrupt, timeout, keep, hear)
        call.check()
        return ended
    finally:
        # the end of the leash kills whatever is left
        started.let_go()
        for stream in (started.process.stdout, started.process.stderr):
            stream.close()
        _reap(started.process)
        if started.process.returncode:
            # it has not ended by itself
            left_behind.kill_marked(started.mark)


class Started(NamedTuple):
    """A program under way.

    :param process: its supervisor
    :param status: descriptor of what the supervisor says
    :param held: our end of its leash
    :param mark: of all that it starts, see :mod:`.left_behind`
    """

    process: subprocess.Popen
    status: int
    held: int
    mark: str

    def let_go(self) -> None:
        """Close what is ours; whatever still runs is killed."""
        _close(self.status, self.held)


def _start(argv, timeout: float, cwd, env) -> Started:
    """Start the supervisor with its program.

    :raise OSError, ValueError: it cannot be started with these
    """
    mark = left_behind.new_mark()
    with descriptors.lock:
        status, told = os.pipe()
        leash, held = os.pipe()
        descriptors.held.add(held)
        try:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", SUPERVISOR),
                    *(str(told), str(leash), str(timeout), *argv),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env={**env, left_behind.VARIABLE: mark},
                pass_fds=(told, leash),
                start_new_session=True,
            )
        except (OSError, ValueError):
            _close(status, held)
            raise
        finally:
            os.close(told)
            os.close(leash)
    return Started(process, status, held, mark)


def _close(status: int, held: int) -> None:
    descriptors.held.discard(held)
    os.close(held)
    os.close(status)


def _reap(process: subprocess.Popen) -> None:
    """Wait for the supervisor; one that the command has stopped is killed."""
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _follow(started: Started, interrupt: int, timeout: float, keep: int, hear) -> Ended:
    """Read until the output has ended and the command, or the supervisor, too; or
    until nobody wants it any more."""
    process, status, held, _mark = started
    outputs = {process.stdout: Output(keep), process.stderr: Output(keep)}
    said = bytearray()
    end = time.monotonic() + timeout + GRACE
    with selectors.DefaultSelector() as selector:
        for stream in (*outputs, status, interrupt):
            selector.register(stream, selectors.EVENT_READ)
        wanted = True
        while wanted and not _all_said(selector, status, interrupt, said):
            left = end - time.monotonic()
            if left < 0:
                # the supervisor itself does not answer: its command may have stopped it
                process.kill()
                said += b"\ntimeout\n"
                break
            for key, _events in selector.select(left):
                if key.fileobj == interrupt:
                    wanted = False
                    break
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj == status:
                    said += data
                    del said[MOST_SAID:-MOST_SAID]
                else:
                    outputs[key.fileobj].add(data)
                    hear(data)
    code, error = _verdict(said.decode(errors="replace").split("\n"))
    if code >= 0 and wanted:
        with contextlib.suppress(BrokenPipeError):
            os.write(held, b".")
    stdout, stderr = (output.text() for output in outputs.values())
    return Ended(stdout, stderr, code, error)


def _all_said(selector, status: int, interrupt: int, said: bytes) -> bool:
    """Tell whether nothing more is to come: no output and no news of the command.

    When the supervisor has gone it has killed the command: whoever still holds the
    output has escaped it, as a process of another account may.
    """
    streams = {key.fileobj for key in selector.get_map().values()} - {interrupt}
    return status not in streams or (streams == {status} and b"exit " in said)


def _verdict(lines: Sequence[str]) -> tuple[int, str]:
    """Return exit code and error from what the supervisor said.

    The first line of a kind counts: what the command has forged comes later.

    >>> _verdict(["pid 70", "exit -15", ""]), _verdict(["pid 70", "exit 0", "timeout"])
    ((143, ''), (-1, ''))
    """
    known = [line.split(" ", 1) for line in lines if SAID.fullmatch(line)]
    said = dict(reversed(known))
    if "error" in said:
        return -2, said["error"]
    if "timeout" not in lines and "exit" in said:
        code = int(said["exit"])
        return (128 - code if code < 0 else code), ""
    if "exit" not in said and "pid" in said:
        # what a supervisor that was killed or stopped has left
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(said["pid"]), signal.SIGKILL)
    if "timeout" in lines:
        return -1, ""
    return 128 + signal.SIGKILL, ""
