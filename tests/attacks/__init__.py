"""What is sent by somebody who means harm, by class: data without code.

Read by Odoo's runner from ``tests/``, and by pytest from ``dev/tests/``: so nothing
here imports anything of the addon.
"""
