from . import cli, controllers, models, report, wizards
from .models.stored_functions import NAMES, drop


def uninstall_hook(env):
    """Have the registry forget this server."""
    env["mcp.phone.home"]._farewell()
    drop(env.cr, *NAMES)
