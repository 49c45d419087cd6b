from . import cli, controllers, models, report, wizards
from .models import read_only_role
from .models.parameters import parameter
from .models.stored_functions import NAMES, drop


def uninstall_hook(env):
    """Have the registry forget this server, and PostgreSQL its read-only role."""
    env["mcp.phone.home"]._farewell()
    if role := parameter(env, "reader_role"):
        read_only_role.forget(env.cr, role)
    drop(env.cr, *NAMES)
