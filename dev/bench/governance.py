"""In ``odoo shell``: what a call costs beyond the work of its tool."""

import json
import statistics
import time
from typing import Any

from odoo.addons.odoo_dev_mcp.models.caller import Call, Credentials
from odoo.addons.odoo_dev_mcp.models.live_call import LiveCall
from odoo.addons.odoo_dev_mcp.models.registrar import Registrar

TURNS = 500
WARM_UP = 50

env: Any = globals()["env"]
registrar = Registrar(env.registry)
credentials = Credentials("{key}", "127.0.0.1")
call = Call("query_database", {"query": "SELECT 1 AS one"}, request_id="1")
caller = registrar.authenticate(credentials)
with registrar.transaction() as own:
    features = own["mcp.tool"].with_user(caller.uid)
    feature, _arguments = features._find(call, caller)


def governed() -> None:
    """The whole life of a call."""
    assert not registrar.call_tool(credentials, call).is_error


def bare() -> None:
    """Its tool alone, in a transaction of its own."""
    assert registrar._run(caller, feature, call.arguments, LiveCall()).row_count == 1


def took(work: Any) -> float:
    """Milliseconds of it."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


differences = [took(governed) - took(bare) for _turn in range(TURNS + WARM_UP)]
print("governance:", json.dumps(statistics.median(differences[WARM_UP:])))
