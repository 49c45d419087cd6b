from __future__ import annotations

import configparser
import os
import platform
import socket
from typing import TYPE_CHECKING

import psutil

from odoo import models, release
from odoo.service.db import list_dbs
from odoo.tools import config

import odoo.addons

from . import server_config
from .exceptions import ToolError
from .nearest import nearest
from .redaction import masked
from .service_manager import surroundings
from .tool_signature import tool

if TYPE_CHECKING:
    from .schemas.config import ConfigResult, Key, SystemInfo

MEBIBYTE = 1024 * 1024


class McpToolsetConfig(models.AbstractModel):
    """What this server is set to and what it runs on."""

    _name = "mcp.toolset.config"
    _description = "MCP Toolset Config"

    @tool(types=".schemas.config")
    def read_config(self, key: Key = None) -> ConfigResult:
        """Tell the options in force, where each comes from, and what the file says.

        :raise ToolError: there is no such option; the nearest names
        """
        from .schemas.config import ConfigResult

        values = server_config.options()
        path = server_config.path()
        path = path if os.path.isfile(path) else None
        layers = server_config.layers()
        if key is None:
            sources = {name: _source(name, layers) for name in sorted(values)}
            return ConfigResult(
                config_path=path,
                values={name: _told(name, values[name]) for name in sorted(values)},
                sources={name: s for name, s in sources.items() if s != "default"},
                file=_file_says(path),
            )
        if key not in values:
            raise ToolError(
                f"There is no option {key!r}."
                + nearest(key, values, "Leave key out for all.")
            )
        return ConfigResult(
            config_path=path,
            key=key,
            value=_told(key, values[key]),
            source=_source(key, layers),
        )

    @tool(types=".schemas.config")
    def read_all_config(self) -> ConfigResult:
        """Tell all options, for ``odoo://config``."""
        return self.read_config()

    @tool(types=".schemas.config")
    def read_system(self) -> SystemInfo:
        """Tell what this Odoo runs on, for ``odoo://system``."""
        from .schemas.config import SystemInfo

        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(config["data_dir"])
        workers = server_config.options()["workers"] or 0
        self.env.cr.execute("SHOW server_version")
        return SystemInfo(
            hostname=socket.gethostname(),
            os=platform.platform(),
            python_version=platform.python_version(),
            odoo_version=release.version,
            postgresql_version=self.env.cr.fetchone()[0],
            cpu_count=psutil.cpu_count(),
            load_average=[round(load, 2) for load in os.getloadavg()],
            memory_mb=_megabytes(total=memory.total, available=memory.available),
            disk_mb=_megabytes(total=disk.total, free=disk.free),
            database=self.env.cr.dbname,
            databases=list_dbs(force=True),
            addons_paths=list(odoo.addons.__path__),
            data_dir=config["data_dir"],
            workers=workers,
            server_mode=f"{'prefork' if workers else 'threaded'}, {surroundings()}",
        )


def _source(name: str, layers: dict[str, dict]) -> str:
    return next((layer for layer in layers if name in layers[layer]), "default")


def _told(name: str, value):
    """Return the value of an option as JSON may show it."""
    if isinstance(value, list | tuple | set | frozenset):
        return [_told(name, item) for item in value]
    if isinstance(value, dict):
        return {str(key): _told(str(key), item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return masked(name, str(value))


def _file_says(path: str | None) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    if path:
        parser.read(path)
    return {
        section: {name: masked(name, value) for name, value in parser.items(section)}
        for section in parser.sections()
    }


def _megabytes(**sizes: int) -> dict[str, float]:
    return {name: round(size / MEBIBYTE, 1) for name, size in sizes.items()}
