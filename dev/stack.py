"""What a series of Odoo runs on: its source, a Python environment, PostgreSQL."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from dev import console, odoo_source, paths, postgres, python_env
from dev.odoo_source import OdooSource
from dev.postgres import Postgres
from dev.python_env import PythonEnv

# libpq reads these, and Odoo 19 lets them win over its configuration file.
LIBPQ_ADDRESS = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")


@dataclass(frozen=True)
class Stack:
    """Everything provisioned for one series."""

    source: OdooSource
    env: PythonEnv
    postgres: Postgres

    @property
    def series(self) -> str:
        """``18.0`` or ``19.0``."""
        return self.source.series

    @property
    def data(self) -> Path:
        """Odoo's data_dir: file store and sessions."""
        return paths.made(paths.cache() / f"data-{self.series}")

    @property
    def addons_paths(self) -> tuple[Path, ...]:
        """Odoo's own addons, and the folder that holds this one."""
        return (*self.source.addons_paths, paths.addons_link())

    def variables(self) -> dict[str, str]:
        """Environment of an Odoo process."""
        path = os.pathsep.join(str(part) for part in self.source.pythonpath)
        own = self.env.variables({"PYTHONPATH": path} if path else {})
        return {name: own[name] for name in own if name not in LIBPQ_ADDRESS}

    def sql(self, database: str, *statements: str) -> list[list[object]]:
        """Rows of the last statement that returned any; each commits by itself."""
        conninfo = f"{self.postgres.conninfo} dbname='{database}'"
        request = {"conninfo": conninfo, "statements": statements}
        answer = console.run(
            [self.env.python, Path(__file__).with_name("pg_exec.py")],
            env=self.env.variables(),
            text_input=json.dumps(request),
            failure=f"SQL on {database} failed",
        )
        rows: list[list[object]] = json.loads(answer)
        return rows


def of(series: str) -> Stack:
    """The stack of a series, provisioned when it is not there yet."""
    return on(odoo_source.find(series))


def on(source: OdooSource) -> Stack:
    """The stack of a source that was found already."""
    return Stack(source, python_env.environment("odoo"), postgres.server())
