"""``odoo-bin --addons-path=… mcp``: the dedicated listener, started by Odoo itself."""

import argparse
import configparser
import os

from odoo.cli import Command
from odoo.tools import config


class Mcp(Command):
    """Serve MCP on a port of its own, for as long as an Odoo server lives"""

    def run(self, args):
        """Parse the arguments, load the configuration, and serve.

        19.0 loads this file by its path, outside the addon: what it needs of it is
        imported when Odoo is set up.
        """
        parser = argparse.ArgumentParser(prog="odoo-bin --addons-path=PATH mcp")
        parser.add_argument("--config", required=True)
        parser.add_argument("--database", required=True)
        parser.add_argument("--server-pid", type=int, required=True)
        parser.add_argument("--server-program", required=True)
        parser.add_argument("--python-since", type=float, required=True)
        given = parser.parse_args(args)
        config.parse_config(["--config", given.config, "--no-http"])
        parser = configparser.RawConfigParser()
        parser.read(given.config)
        # it was written for this start alone, with a password in it
        os.unlink(given.config)
        served = parser.get("served", "config")
        from odoo.addons.odoo_dev_mcp.controllers.listener_process import run

        run(
            given.database,
            given.server_pid,
            given.server_program,
            given.python_since,
            served,
        )
