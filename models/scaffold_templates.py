"""The text of the files of a new module, in today's conventions.

https://www.odoo.com/documentation/18.0/contributing/development/coding_guidelines.html
"""

MANIFEST = """\
{{
    "name": {title!r},
    "version": "{series}.1.0.0",
    "category": "Uncategorized",
    "summary": {summary!r},
    "author": {author!r},
    "license": "LGPL-3",
    "depends": ["base"],
    "data": [
        "security/{module}_groups.xml",
        "security/ir.model.access.csv",
        "views/{module}_menus.xml",
        "views/{file}_views.xml",
    ],
}}
"""
README = """\
# {title}

{summary}

## Configuration

Who is to change records gets the group *{title} Manager* in Settings > Users.

## Usage

The records are in the app menu *{title}*.
"""
GROUPS = """\
<?xml version="1.0" encoding="utf-8" ?>
<odoo>
    <record id="{module}_group_manager" model="res.groups">
        <field name="name">{title_xml} Manager</field>
        <field name="implied_ids" eval="[Command.link(ref('base.group_user'))]" />
    </record>
    <record id="base.group_system" model="res.groups">
        <field
            name="implied_ids"
            eval="[Command.link(ref('{module}_group_manager'))]"
        />
    </record>
</odoo>
"""
ACCESS_HEADER = (
    "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\n"
)
ACCESS = """\
access_{table}_user,{model} user,model_{table},base.group_user,1,0,0,0
access_{table}_manager,{model} manager,model_{table},{manager},1,1,1,1
"""
MODEL = """\
from odoo import fields, models


class {cls}(models.Model):
    _name = "{model}"
    _description = "{label}"
    _order = "sequence, name, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    date = fields.Date(default=fields.Date.context_today)
    user_id = fields.Many2one(
        "res.users", "Responsible", default=lambda self: self.env.user, index=True
    )
    description = fields.Html()
"""
MENUS = """\
<?xml version="1.0" encoding="utf-8" ?>
<odoo>
    <menuitem id="{module}_menu_root" name="{title_xml}" sequence="100" />
</odoo>
"""
VIEWS = """\
<?xml version="1.0" encoding="utf-8" ?>
<odoo>
    <record id="{table}_view_list" model="ir.ui.view">
        <field name="name">{model}.list</field>
        <field name="model">{model}</field>
        <field name="arch" type="xml">
            <list>
                <field name="sequence" widget="handle" />
                <field name="name" />
                <field name="date" optional="show" />
                <field name="user_id" widget="many2one_avatar_user" optional="show" />
            </list>
        </field>
    </record>

    <record id="{table}_view_form" model="ir.ui.view">
        <field name="name">{model}.form</field>
        <field name="model">{model}</field>
        <field name="arch" type="xml">
            <form>
                <sheet>
                    <widget
                        name="web_ribbon"
                        title="Archived"
                        bg_color="text-bg-danger"
                        invisible="active"
                    />
                    <field name="active" invisible="1" />
                    <div class="oe_title">
                        <label for="name" />
                        <h1><field name="name" /></h1>
                    </div>
                    <group>
                        <field name="date" />
                        <field name="user_id" />
                    </group>
                    <notebook>
                        <page string="Description" name="description">
                            <field name="description" />
                        </page>
                    </notebook>
                </sheet>
            </form>
        </field>
    </record>

    <record id="{table}_view_search" model="ir.ui.view">
        <field name="name">{model}.search</field>
        <field name="model">{model}</field>
        <field name="arch" type="xml">
            <search>
                <field name="name" />
                <field name="user_id" />
                <filter
                    name="mine"
                    string="Mine"
                    domain="[('user_id', '=', uid)]"
                />
                <filter
                    name="archived"
                    string="Archived"
                    domain="[('active', '=', False)]"
                />
                <group>
                    <filter
                        name="group_by_user"
                        string="Responsible"
                        context="{{'group_by': 'user_id'}}"
                    />
                </group>
            </search>
        </field>
    </record>

    <record id="{table}_action" model="ir.actions.act_window">
        <field name="name">{label}</field>
        <field name="res_model">{model}</field>
        <field name="view_mode">list,form</field>
    </record>

    <menuitem
        id="{table}_menu"
        name="{label}"{parent}
        action="{table}_action"
    />
</odoo>
"""
MODEL_TEST = """\
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class Test{cls}(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["{model}"].create({{"name": "Test"}})
        cls.user = new_test_user(cls.env, "{table}_user")

    def test_a_record_has_its_defaults(self):
        self.assertTrue(self.record.active)
        self.assertEqual(self.record.user_id, self.env.user)

    def test_an_archived_record_is_not_found(self):
        self.record.active = False
        self.assertNotIn(self.record, self.env["{model}"].search([]))

    def test_a_user_reads_and_does_not_write(self):
        record = self.record.with_user(self.user)
        self.assertEqual(record.name, "Test")
        with self.assertRaises(AccessError):
            record.name = "Changed"
"""
TEST = """\
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class Test{cls}(TransactionCase):
    def test_the_module_is_installed(self):
        module = self.env.ref("base.module_{module}")
        self.assertEqual(module.state, "installed")
"""
