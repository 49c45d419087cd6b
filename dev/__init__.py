"""Development harness: provisions an Odoo, runs the addon in it, tests and lints it.

Runs under the machine's own ``python3`` with the standard library alone; what needs
packages is started in the virtual environments that :mod:`dev.python_env` builds.
"""
