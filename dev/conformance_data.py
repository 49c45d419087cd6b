"""Code for ``odoo shell``: what the suite calls for, as records; no limits."""

from odoo.tools import convert_file

FILES = ("tools", "questions", "stream_questions", "resources", "prompts")

for name in FILES:
    convert_file(
        env,  # noqa: F821
        "odoo_dev_mcp",
        f"tests/conformance/{name}.xml",
        {},
        "init",
    )
limits = env["mcp.rate.limit"].with_context(active_test=False)  # noqa: F821
limits.search([]).write({"calls": 1_000_000})
env.cr.commit()  # noqa: F821
# A shell tells nobody what it has changed.
env.registry.signal_changes()  # noqa: F821
