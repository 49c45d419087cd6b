"""Runs one command and leaves nothing of it behind; a process of its own.

Started by :mod:`.command` with Python alone (``-I -S``): it imports nothing of Odoo.
Whatever the command forks, detached or not, becomes a descendant of this process, the
"subreaper" of prctl(2), and is killed with it: at the deadline, when Odoo says so, or
when Odoo is gone.

Arguments: descriptor to write the status to, descriptor of Odoo's leash, seconds until
the deadline, program, its arguments. The status is lines: ``pid N``, ``exit N``
(negative: a signal), ``error TEXT`` (the program could not be started), ``timeout``. On
the leash, ``.`` lets processes that outlive the command live; its end kills them all.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
MOST_ROUNDS = 1000


def main(status: int, leash: int, seconds: float, *argv: str) -> None:
    """Run the command to its end, or to the deadline."""
    deadline = time.monotonic() + seconds
    # whoever started this may have blocked them, SIGCHLD among them
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU):
        # Odoo's own limits are for its workers
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (hard, hard))
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_signal: None)
    command = start(status, leash, argv)
    while True:
        milliseconds = max(0, (deadline - time.monotonic()) * 1000)
        ready = poll(milliseconds, leash, wake)
        if leash in ready:
            if os.read(leash, 1) != b".":
                kill(command)
            return
        if wake in ready:
            os.read(wake, 64)
            reap(status, command)
        elif time.monotonic() >= deadline:
            say(status, "timeout")
            kill(command)
            return


def start(status: int, leash: int, argv) -> int:
    """Start the program in a session of its own; its process id."""
    for descriptor in (status, leash):
        os.set_inheritable(descriptor, False)
    # the command writes nothing to the status, as it could, before its id is there
    waits, go = os.pipe()
    pid = os.fork()
    if pid:
        for stream in (1, 2):
            # whoever reads must see the end when the command's own are closed
            os.dup2(0, stream)
        say(status, f"pid {pid}")
        os.close(waits)
        os.close(go)
        return pid
    try:
        os.close(go)
        os.read(waits, 1)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        offer_to_oom_killer()
        os.execv(argv[0], argv)
    except OSError as error:
        say(status, f"error {error.strerror}: {argv[0]}")
    finally:
        os._exit(127)


def offer_to_oom_killer() -> None:
    """Have the kernel end this process and its children first when memory runs out, and
    not Odoo or PostgreSQL. proc(5)."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def say(status: int, line: str) -> None:
    """Tell Odoo something; whoever does not listen any more has let go of the leash."""
    with contextlib.suppress(BrokenPipeError):
        os.write(status, f"{line}\n".encode())


def poll(milliseconds: float, *descriptors: int) -> set[int]:
    """Return the descriptors that have something to read, or have ended."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _event in poller.poll(milliseconds)}


def reap(status: int, command: int) -> None:
    """Collect the processes that have ended, and tell the command's end."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, wait_status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid == command:
                code = os.waitstatus_to_exitcode(wait_status)
                say(status, f"exit {code}")


def kill(command: int) -> None:
    """Kill all descendants: the group at a stroke, then whoever has left it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(command, signal.SIGKILL)
    for _round in range(MOST_ROUNDS):
        pids = descendants()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not pids:
            return
        os.sched_yield()


def descendants() -> list[int]:
    """Return the process ids below this process, nearest first. proc(5)."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat", "rb") as stat:
                # the name of the program, in parentheses, may hold anything
                fields = stat.read().rpartition(b")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(name))
    found = [*children.get(os.getpid(), [])]
    for pid in found:
        found += children.get(pid, [])
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
