"""Services of this machine, by systemd where it runs, else by what processes tell."""

import datetime
import os
import shutil
import time
from pathlib import Path

import psutil

from . import command, odoo_process
from .exceptions import ToolError

SYSTEMD = "/run/systemd/system"
"""There is such a folder where systemd is the init process. sd_booted(3)."""

PROGRAMS = {"postgresql": ("postgres", "postmaster"), "nginx": ("nginx",)}
SECONDS = 60


def systemctl() -> str | None:
    """Return the path of systemctl where systemd runs this machine."""
    return shutil.which("systemctl") if os.path.isdir(SYSTEMD) else None


def unit_properties(unit: str) -> dict[str, str] | None:
    """Return what systemd tells of a unit; None: it does not know it.

    https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
    """
    program = systemctl()
    if not program:
        return None
    wanted = "LoadState,ActiveState,SubState,MainPID,Description"
    ended = command.run(
        [program, "show", unit, f"--property={wanted}"], timeout=SECONDS, keep=10_000
    )
    found = dict(
        line.split("=", 1) for line in ended.stdout.splitlines() if "=" in line
    )
    return None if found.get("LoadState") in (None, "not-found") else found


def status(service: str, unit: str) -> dict:
    """Return manager, active, status, and the figures of its processes."""
    properties = unit_properties(unit)
    if properties:
        pid = int(properties.get("MainPID") or 0)
        active = properties.get("ActiveState") == "active"
        row = {
            "manager": "systemd",
            "active": active,
            "status": f"{properties.get('ActiveState')} ({properties.get('SubState')})",
            "description": properties.get("Description", ""),
        }
    else:
        pid = find_pid(service)
        row = {
            "manager": surroundings(),
            "active": bool(pid),
            "status": "running" if pid else "not running",
            "description": "",
        }
    row |= {"pid": pid or None, **_figures(pid)}
    if service == "odoo":
        row |= _uptime(time.time() - odoo_process.python_since())
        row["workers"] = odoo_process.workers()
    return row


def _figures(pid: int | None) -> dict:
    try:
        row = odoo_process.describe(pid) if pid else {}
    except psutil.Error:
        row = {}
    return {
        "memory_mb": row.get("memory_mb"),
        "cpu_percent": row.get("cpu_percent"),
        **_uptime(row.get("uptime_seconds")),
    }


def _uptime(seconds: float | None) -> dict:
    if seconds is None:
        return {"uptime": None, "uptime_seconds": None}
    whole = datetime.timedelta(seconds=int(seconds))
    return {"uptime": str(whole), "uptime_seconds": int(seconds)}


def surroundings() -> str:
    """Say who looks after processes here, where systemd does not."""
    if os.environ.get("ODOO_STAGE"):
        return "Odoo.sh"
    if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
        return "container"
    return "process"


def find_pid(service: str) -> int | None:
    """Return the main process of a service: this Odoo's own, or the one of its name.

    That is the oldest process of the program's name that is not below another one.
    """
    if service == "odoo":
        return odoo_process.main_pid()
    names = PROGRAMS.get(service, (service,))
    found = []
    for process in psutil.process_iter(["name", "ppid", "create_time", "status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        if process.info["name"] in names:
            found.append(process)
    pids = {process.pid for process in found}
    mains = [process for process in found if process.info["ppid"] not in pids]
    mains.sort(key=lambda process: process.info["create_time"])
    return mains[0].pid if mains else None


def agent(service: str, unit: str, action: str) -> tuple[str, list[str]]:
    """Return who can start, stop or restart a service, and by which command.

    :raise ToolError: nobody here can
    """
    program = systemctl()
    if program and unit_properties(unit):
        return "systemd", [program, action, unit]
    if Path("/etc/init.d", unit).exists() and shutil.which("service"):
        return "init script", [shutil.which("service"), unit, action]
    raise ToolError(
        f"Nothing here can {action} {service!r}: there is no systemd unit {unit!r} "
        f"and no init script (this is a {surroundings()}). Ask whoever runs it, or "
        "use execute_command."
    )


def act(service: str, unit: str, action: str) -> tuple[str, str]:
    """Start, stop or restart a service; who did it, and what it said.

    :raise ToolError: nobody here can, or it failed
    """
    who, argv = agent(service, unit, action)
    ended = command.run(argv, timeout=SECONDS, keep=10_000)
    said = (ended.stdout + ended.stderr).strip()
    if ended.code:
        raise ToolError(f"{who}: {action} {unit} failed ({ended.code}): {said}")
    return who, said


def log_source(service: str, unit: str) -> str | None:
    """Return the file that the output of a service goes to; None: none is found."""
    pid = find_pid(service)
    for stream in (2, 1):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{stream}")
        except OSError:
            continue
        if os.path.isabs(target) and os.path.isfile(target):
            return target
    folders = {
        "postgresql": ("/var/log/postgresql", "*.log"),
        "nginx": ("/var/log/nginx", "error.log"),
    }
    folder, pattern = folders.get(service, ("/var/log", f"{unit}*.log"))
    found = sorted(Path(folder).glob(pattern), key=lambda path: path.stat().st_mtime)
    return str(found[-1]) if found else None


def journal(unit: str, lines: int) -> list[str] | None:
    """Return the last lines of a unit in systemd's journal; None: it has none."""
    program = shutil.which("journalctl")
    if not program or not unit_properties(unit):
        return None
    ended = command.run(
        [program, f"--unit={unit}", f"--lines={lines}", "--no-pager", "--output=cat"],
        timeout=SECONDS,
        keep=10_000_000,
    )
    return ended.stdout.splitlines() if not ended.code else None
