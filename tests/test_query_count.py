"""What a call costs in statements, so that none creeps in."""

from odoo.tests import tagged

from ..models.caller import Credentials
from ..models.registrar import Registrar
from .common import McpCase


@tagged("post_install", "-at_install")
class TestQueryCount(McpCase):
    """Everything that can be remembered is, from a first call: what is left is what
    must be asked and written each time."""

    def counted(self, most, name, **arguments):
        self.ok(name, **arguments)
        with self.assertQueryCount(most):
            self.ok(name, **arguments)

    def test_a_call_of_a_record_opens_its_entry_reads_its_action_and_closes_it(self):
        tool = self.make_tool("nothing", "action = {}", read_only_hint=True)
        self.assertFalse(tool.rate_limit_id)
        self.counted(4, "nothing")

    def test_code_that_may_write_costs_the_look_at_what_governs_it(self):
        self.make_tool("nothing", "action = {}")
        self.counted(4 + 3, "nothing")

    def test_a_limit_costs_no_statement_of_its_own(self):
        rule = {"name": "Often", "calls": 1000, "period": 60}
        limit = self.env["mcp.rate.limit"].create(rule)
        self.make_tool(
            "nothing", "action = {}", read_only_hint=True, rate_limit_id=limit.id
        )
        self.counted(4, "nothing")

    def test_a_query_costs_the_statement_that_makes_its_transaction_read_only(self):
        self.counted(3, "query_database", query="SELECT 1")

    def test_a_list_costs_the_look_at_the_key(self):
        self.registrar_offers()
        with self.assertQueryCount(1):
            self.registrar_offers()

    def registrar_offers(self):
        registrar = Registrar(self.registry)
        registrar.offered(Credentials(self.secret, "127.0.0.1"), "mcp.tool")
