"""Two stories of an agent that has nothing but these tools: a bug, and a view.

The addons are real ones: ``club`` tells what its members pay, ``club_discount`` gives
those of many years something back, and has broken it for all others.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.odoo_server import OdooServer
from dev.stack import Stack
from dev.tests.backend import Backend
from dev.tests.client import McpClient, unmarked

ADDONS = {
    "club/__manifest__.py": """{
    "name": "Club",
    "author": "Test",
    "license": "LGPL-3",
    "depends": ["contacts"],
    "data": ["security/ir.model.access.csv", "views/club_member_views.xml"],
}
""",
    "club/__init__.py": "from . import models\n",
    "club/models/__init__.py": "from . import club_member\n",
    "club/models/club_member.py": '''\
from odoo import api, fields, models


class ClubMember(models.Model):
    _name = "club.member"
    _description = "Club Member"

    partner_id = fields.Many2one("res.partner", required=True)
    years = fields.Integer()
    nickname = fields.Char()
    fee = fields.Float(compute="_compute_fee", store=True)

    @api.depends("years")
    def _compute_fee(self):
        """What a member pays a year."""
        for member in self:
            member.fee = 100.0
''',
    "club/security/ir.model.access.csv": (
        "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\n"
        "access_club_member,club.member,model_club_member,base.group_user,1,1,1,1\n"
    ),
    "club/views/club_member_views.xml": """\
<?xml version="1.0" encoding="utf-8"?>
<odoo>
    <record id="club_member_view_form" model="ir.ui.view">
        <field name="name">club.member.form</field>
        <field name="model">club.member</field>
        <field name="arch" type="xml">
            <form>
                <sheet>
                    <group>
                        <field name="partner_id"/>
                        <field name="years"/>
                    </group>
                </sheet>
            </form>
        </field>
    </record>
</odoo>
""",
    "club/tests/__init__.py": "from . import test_fee\n",
    "club/tests/test_fee.py": """\
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestFee(TransactionCase):
    def member(self, years):
        partner = self.env["res.partner"].create({"name": "Ada"})
        values = {"partner_id": partner.id, "years": years}
        return self.env["club.member"].create(values)

    def test_new_members_pay_all(self):
        self.assertEqual(self.member(0).fee, 100.0)

    def test_partner_is_kept(self):
        self.assertEqual(self.member(3).partner_id.name, "Ada")
""",
    "club_discount/__manifest__.py": """{
    "name": "Club Discount",
    "author": "Test",
    "license": "LGPL-3",
    "depends": ["club"],
    "data": ["views/club_member_views.xml"],
}
""",
    "club_discount/__init__.py": "from . import models\n",
    "club_discount/models/__init__.py": "from . import club_member\n",
    "club_discount/models/club_member.py": """\
from odoo import api, models


class ClubMember(models.Model):
    _inherit = "club.member"

    @api.depends("years")
    def _compute_fee(self):
        res = super()._compute_fee()
        for member in self:
            member.fee *= 0.9 if member.years >= 0 else 1.0
        return res
""",
    "club_discount/views/club_member_views.xml": """\
<?xml version="1.0" encoding="utf-8"?>
<odoo>
    <record id="club_member_view_form" model="ir.ui.view">
        <field name="name">club.member.form.discount</field>
        <field name="model">club.member</field>
        <field name="inherit_id" ref="club.club_member_view_form"/>
        <field name="arch" type="xml">
            <field name="years" position="after">
                <field name="fee"/>
            </field>
        </field>
    </record>
</odoo>
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An addons path with both addons."""
    found = tmp_path_factory.mktemp("loop")
    for name, text in ADDONS.items():
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text(text)
    return found


@pytest.fixture(scope="module")
def client(
    start_server: Callable[..., OdooServer],
    make_database: Callable[[str], str],
    folder: Path,
    stack: Stack,
) -> Iterator[McpClient]:
    """A developer of a server that has both installed."""
    paths = ",".join(map(str, [*stack.addons_paths, folder]))
    own = start_server(database=make_database("loop"), options={"addons_path": paths})
    with McpClient(own.url, Backend(own).key("admin")) as found:
        asked(found, "install_module", module_name="club_discount")
        yield found
    own.end()


def asked(client: McpClient, tool: str, **arguments: object) -> dict:
    """The structured answer to a call that must succeed."""
    result = client.tool(tool, **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return unmarked(result["structuredContent"])


def test_a_failing_test_is_found_located_mended_and_proved(
    client: McpClient, folder: Path
) -> None:
    # found
    ran = asked(client, "run_tests", tags="/club")
    assert (ran["run"], ran["failed"]) == (2, 1)
    [failure] = ran["failures"]
    assert failure["test"] == "club.TestFee.test_new_members_pay_all"
    assert "90.0 != 100.0" in failure["message"]
    assert failure["at"].startswith(f"{folder}/club/tests/test_fee.py:")

    # located: what the registry has, not what the failing module's files say
    fee = asked(client, "inspect_model", model="club.member", name="fee")
    assert fee["compute"].startswith("_compute_fee [")
    method = asked(client, "inspect_model", model="club.member", name="_compute_fee")
    last, first = method["chain"]
    assert (last["module"], first["module"]) == ("club_discount", "club")
    assert last["calls_super"] is True
    found = asked(client, "search_code", pattern="member.fee", module="club_discount")
    [match] = found["found"]
    [line] = [text for text in match["lines"].splitlines() if "member.fee" in text]
    number, wrong = line.split(":", 1)
    path = f"{folder}/{match['file']}"
    assert (folder / match["file"]).read_text().splitlines()[int(number) - 1] == wrong

    # mended
    tried = asked(client, "lint_module", module="club_discount")
    assert not [row for row in tried.get("findings", []) if row["severity"] == "error"]
    right = wrong.replace(">= 0", ">= 5")
    edited = asked(client, "edit_file", path=path, old_text=wrong, new_text=right)
    assert f"-{wrong}" in edited["diff"]
    assert f"+{right}" in edited["diff"]

    # proved: on a copy, while what runs is still as before
    again = asked(client, "run_tests", tags=ran["rerun_tags"])
    assert (again["success"], again["run"]) == (True, 1)
    upgraded = asked(client, "upgrade_module", module_name="club_discount")
    assert upgraded["restart_needed"] is True


def test_a_view_is_changed_safely(client: McpClient, folder: Path) -> None:
    view = "club.club_member_view_form"
    before = asked(client, "inspect_view", view=view)
    assert [row["view"] for row in before["chain"]] == [
        view,
        "club_discount.club_member_view_form",
    ]

    # a candidate is judged before it is written
    wrong = '<field name="years" position="before"><field name="nickmane"/></field>'
    told = asked(client, "inspect_view", view=view, candidate=wrong)
    assert told["valid"] is False
    assert "nickname" in told["problem"]["remedy"]
    right = wrong.replace("nickmane", "nickname")
    told = asked(client, "inspect_view", view=view, candidate=right)
    assert told["valid"] is True
    assert '+      <field name="nickname"/>' in told["diff"]
    assert asked(client, "inspect_view", view=view)["arch"] == before["arch"]

    # written, and in force
    place = asked(client, "find_definition", name="club_discount.club_member_view_form")
    assert place["found"][0]["at"].startswith("club_discount/views/")
    asked(
        client,
        "edit_file",
        path=f"{folder}/club_discount/views/club_member_views.xml",
        old_text='<field name="years" position="after">',
        new_text=f'{right}\n            <field name="years" position="after">',
    )
    asked(client, "upgrade_module", module_name="club_discount")
    after = asked(client, "inspect_view", view=view, node="nickname")
    assert 'name="nickname"' in str(after["found"])
    assert "club_discount.club_member_view_form" in str(after["found"])
    shown = client.tool("render", target=view, format="html")
    assert not shown.get("isError"), shown["content"][0]["text"]
