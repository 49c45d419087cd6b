# make run    a real Odoo with the addon, on loopback   ODOO=18.0|19.0 PORT= MCP_PORT= DB= WORKERS=
#             make run CHECK=1: let the official MCP client connect, then stop
# make test   every test on every Odoo series present   ODOO= TAGS= JOBS=
# make lint   ruff and pylint-odoo
# make conformance   the official suite against both doors, and the size of tools/list   ODOO=
# make bench    how fast it is, beside what else there is, and whether the budgets are met
#               ODOO= ROUNDS=; README=1: put the tables into the README
# make soak     many clients for minutes: no error, flat memory, exact limits, a whole audit
#               ODOO= CLIENTS= SECONDS=; README=1: put the tables into the README
# make screenshots   the pictures of README and description page   ODOO= ONLY= FOLDER=
# make translations   the terms of the addon for each language, and what is missing
#
# All that these need is provisioned into $XDG_CACHE_HOME/odoo_dev_mcp (~/.cache).

PYTHON ?= python3
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/odoo_dev_mcp

export PYTHONPYCACHEPREFIX = $(CACHE)/pycache

.PHONY: run test lint conformance bench soak screenshots translations
run test lint conformance bench soak screenshots translations:
	@$(PYTHON) -m dev $@
