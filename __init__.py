from . import cli, controllers, models, wizards


def uninstall_hook(env):
    """Have the registry forget this server."""
    env["mcp.phone.home"]._farewell()
