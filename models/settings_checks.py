"""What a setting may be. Each refusal says what is allowed."""

import ipaddress
import os
import re
from pathlib import Path

from . import phone_home_address
from .parameters import DEFAULTS, parts
from .phone_home_plan import LEAST_SECONDS

LEAST = {
    "audit_retention": 0,
    "job_retention": 0,
    "phone_home_seconds": LEAST_SECONDS,
}
"""Of the numbers that may not be just anything from 1."""

SWITCHES = ("suspended", "listener_enabled", "audit_file_enabled", "anonymous_user_id")
"""Settings that are whole numbers, and no amounts."""

# systemd.unit(5), and names of programs
SERVICE = re.compile(r"[\w.@:-]+(\s*=\s*[\w.@:\\-]+)?", re.ASCII)


def find_problem(env, name: str, values: dict) -> str | None:
    """Return what is wrong with a setting, and what is allowed; None: nothing.

    :param env: translates
    :param values: all settings by name, as they are about to be stored
    """
    value = values[name]
    if isinstance(DEFAULTS[name], int) and name not in SWITCHES:
        least = LEAST.get(name, 1)
        if value < least:
            return env._("at least %(least)s.", least=least)
    check = CHECKS.get(name)
    return check(env, value, values) if check else None


def _host(env, host: str, _values: dict) -> str | None:
    try:
        ipaddress.ip_address(host.strip())
    except ValueError:
        return env._("%s is no IP address to listen at, e.g. 127.0.0.1.", host)
    return None


def _port(env, port: int, _values: dict) -> str | None:
    return env._("a port is 1 to 65535.") if port > 65535 else None


def _timeout(env, _seconds: int, values: dict) -> str | None:
    if values["command_timeout"] <= values["command_maximum"]:
        return None
    return env._(
        "the command timeout, %(timeout)s s, is at most the maximum, %(maximum)s s.",
        timeout=values["command_timeout"],
        maximum=values["command_maximum"],
    )


def _registry(env, url: str, _values: dict) -> str | None:
    try:
        if url.strip():
            phone_home_address.parse(url.strip())
    except phone_home_address.AddressError as error:
        return str(error)
    return None


def _roots(env, roots: str, _values: dict) -> str | None:
    for root in parts(roots):
        if not os.path.isabs(root):
            return env._("%s is relative: give the absolute path.", root)
        if not os.path.isdir(root):
            return env._("there is no folder %s on this server.", root)
    return None


def _audit_file(env, path: str, values: dict) -> str | None:
    if not values["audit_file_enabled"] and not path:
        return None
    if not os.path.isabs(path):
        return env._("%s is relative: give the absolute path.", path or "''")
    folder = Path(path).parent
    if os.path.isdir(path):
        return env._("%s is a folder: give the path of a file.", path)
    if not folder.is_dir():
        return env._("there is no folder %s: make it, or name another.", folder)
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        return env._(
            "the server's account may not write %s: let it, or name another.", path
        )
    return None


def _services(env, services: str, _values: dict) -> str | None:
    for service in parts(services):
        if not SERVICE.fullmatch(service):
            return env._(
                "%s is no service: give a name, or name=systemd unit, e.g. "
                "odoo=odoo-server.service.",
                service,
            )
    return None


CHECKS = {
    "listener_host": _host,
    "listener_port": _port,
    "phone_home_url": _registry,
    "command_timeout": _timeout,
    "command_maximum": _timeout,
    "path_roots": _roots,
    "audit_file": _audit_file,
    "services": _services,
}
