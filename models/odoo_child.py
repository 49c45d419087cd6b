"""Another Odoo process with this one's configuration, for one job on its database."""

import configparser
import os
import re
import sys
import tempfile

from odoo.tools import config

from . import command
from .live_call import LiveCall
from .log_records import records
from .module_worker import (
    LOADED,
    LOADING,
    LOADING_MODULE,
    LONGEST_LINE,
    MOST_LINES,
    PYTHON_WARNINGS,
)

# What a process needs to find its modules, files and database.
OPTIONS = (
    *("addons_path", "data_dir", "server_wide_modules", "upgrade_path"),
    *("db_host", "db_port", "db_user", "db_password", "db_sslmode", "db_maxconn"),
    *("pre_upgrade_scripts", "pg_path", "with_demo", "without_demo", "unaccent"),
)
LOADED_LINE = re.compile(re.escape(f"{LOADING}: {LOADED}").replace("%s", r"(\w+)"))
LOADING_LINE = re.compile(
    re.escape(LOADING_MODULE).replace("%s", r"(\w+)").replace("%d", r"(\d+)")
)
KEEP = 1_000_000


def run(
    *arguments: str, database: str, timeout: float, call: LiveCall
) -> tuple[command.Ended, dict]:
    """Run ``odoo-bin ARGUMENTS --stop-after-init`` on a database.

    :param call: it hears which module is loaded, and may stop it
    :return: how it ended; ``log``: its warnings and errors, ``loaded``: the modules
        that it installed or upgraded, in order
    """
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/odoo.conf"
        write_config(path, *OPTIONS)
        argv = [
            *program(),
            *("--config", path, "--database", database, *arguments),
            *("--stop-after-init", "--no-http", "--workers=0", "--max-cron-threads=0"),
            f"--log-handler={LOADING}:INFO",
        ]
        # it is Odoo: it gets the environment that Odoo has
        ended = command.run(
            argv,
            timeout=timeout,
            keep=KEEP,
            env=os.environ,
            call=call,
            hear=_reader(call),
        )
    found = records((ended.stdout + ended.stderr).splitlines())
    return ended, {
        "log": [
            # the end of a traceback says what it is about
            "\n".join(record.lines)[-LONGEST_LINE:]
            for record in found
            if record.level >= 2 and f" {PYTHON_WARNINGS}: " not in record.lines[0]
        ][-MOST_LINES:],
        "loaded": [
            match[1]
            for record in found
            if (match := LOADED_LINE.search(record.lines[0]))
        ],
    }


def _reader(call: LiveCall):
    """Return what tells a call the progress that Odoo's log lines tell."""
    rest = b""

    def hear(data: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if match := LOADING_LINE.search(line.decode(errors="replace")):
                name, number, total = match.groups()
                call.progress(int(number), int(total), f"Loading {name}")

    return hear


def program() -> list[str]:
    """Return the command that started this process, as far as it names Odoo."""
    script = os.path.abspath(sys.argv[0])
    if os.path.basename(script) == "__main__.py":
        return [sys.executable, "-m", "odoo"]
    return [sys.executable, script]


def option_text(value) -> str:
    """Return an option as the file and the command line take it: 19.0 has lists."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def write_config(path: str, *names: str, **sections: dict[str, str]) -> None:
    """Write options in force into a file of this account alone: a password in a
    command line is for everybody to see.

    :param sections: beside them
    """
    parser = configparser.RawConfigParser()
    parser["options"] = {
        name: option_text(value)
        for name in names
        if (value := config.options.get(name)) not in (None, False, "")
    }
    parser.read_dict(sections)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        parser.write(handle)
