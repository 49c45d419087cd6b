"""inspect_view, against the views of base, mail and contacts as they are."""

from lxml import etree

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.view_chain import ViewChain, hierarchy_of, in_order
from .common import McpCase, unmarked

FORM = "base.view_partner_form"
BASES = ("base", "web", "mail", "contacts", "odoo_dev_mcp")
LOGS = ("odoo.addons.base.models.ir_ui_view", "odoo.tools.view_validation")


@tagged("post_install", "-at_install")
class TestInspectView(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.views = cls.env["ir.ui.view"]
        cls.form = cls.env.ref(FORM)

    def inspect(self, view, **arguments):
        return unmarked(self.ok("inspect_view", view=view, **arguments))

    def problem(self, arch, view=FORM, **arguments):
        told = self.inspect(view, candidate=arch, **arguments)
        self.assertFalse(told["valid"], told)
        return told["problem"]

    def live_views(self):
        rows = self.env["ir.model.data"].search(
            [("model", "=", "ir.ui.view"), ("module", "in", BASES)]
        )
        return self.views.browse(rows.mapped("res_id"))

    def test_each_view_is_combined_as_odoo_combines_it(self):
        views = self.live_views().with_context(lang=None)
        self.assertGreater(len(views), 100)
        for view in views.filtered("active"):
            with self.subTest(view=view.xml_id):
                chain = ViewChain(view)
                self.assertEqual(
                    etree.tostring(chain.arch, encoding="unicode"),
                    view.get_combined_arch(),
                )

    def test_inheriting_views_come_in_the_order_in_which_odoo_applies_them(self):
        told = self.inspect(FORM)
        root, hierarchy = hierarchy_of(self.form)
        names = [view.xml_id for view in in_order(root, hierarchy)]
        self.assertEqual([link["view"] for link in told["chain"]], [FORM, *names])
        inheriting = self.form._get_inheriting_views() - self.form
        self.assertEqual(
            {link["id"] for link in told["chain"][1:]}, set(inheriting.ids)
        )
        self.assertIn("mail.res_partner_view_form_inherit_mail", names)

    def test_a_view_is_named_by_xml_id_id_or_model_and_type(self):
        for name in (FORM, str(self.form.id)):
            told = self.inspect(name)
            self.assertEqual(told["id"], self.form.id)
        for name, kind in (("res.partner list", "list"), ("res.partner", "form")):
            told = self.inspect(name)
            self.assertEqual(
                told["id"], self.views.default_view("res.partner", kind), name
            )
        told = self.inspect("web.external_layout")
        self.assertEqual(told["type"], "qweb")
        self.assertNotIn("model", told)

    def test_each_spec_tells_what_it_hits(self):
        told = self.inspect(FORM)
        mail = next(
            link
            for link in told["chain"]
            if link["view"] == "mail.res_partner_view_form_inherit_mail"
        )
        self.assertTrue(mail["file"].startswith("mail/views/res_partner_views.xml:"))
        hit = next(hit for hit in mail["hits"] if "email" in hit)
        self.assertIn("→ /form/", hit)
        self.assertNotIn("ERROR", str(told["chain"]))

    def test_file_and_line_are_those_of_the_record(self):
        from odoo.tools import file_path

        path, line = self.inspect(FORM)["file"].rsplit(":", 1)
        with open(file_path(path)) as file:
            lines = file.read().splitlines()
        self.assertIn('id="view_partner_form"', lines[int(line) - 1])

    def test_an_element_tells_which_view_has_set_it(self):
        added = self.views.create(
            {
                "name": "test",
                "model": "res.partner",
                "inherit_id": self.form.id,
                "arch": """<data>
                    <field name="website" position="attributes">
                        <attribute name="invisible">not id</attribute>
                    </field>
                    <field name="website" position="after">
                        <field name="comment" string="Ours"/>
                    </field>
                </data>""",
            }
        )
        (website,) = self.inspect(FORM, node="website")["found"]
        self.assertTrue(website["set_by"].startswith(FORM), website)
        self.assertIn('invisible="not id"', website["arch"])
        self.assertEqual(
            website["attributes"]["invisible"], f"{added.id} (arch line 2)"
        )
        self.assertTrue(website["attributes"]["name"].startswith(FORM), website)
        (ours,) = self.inspect(FORM, node="//field[@string='Ours']")["found"]
        self.assertEqual(ours["set_by"], f"{added.id} (arch line 6)")

    def test_what_mail_adds_is_told_as_its_own(self):
        told = self.inspect("base.view_partner_form", node="//chatter")
        (chatter,) = told["found"]
        self.assertIn("mail.", chatter["set_by"])

    def test_an_unknown_view_is_told_with_the_nearest_names(self):
        text = self.refused("inspect_view", view="base.view_partner_fom")
        self.assertIn(FORM, text)
        text = self.refused("inspect_view", view="res.partnr form")
        self.assertIn("res.partner", text)
        text = self.refused("inspect_view", view="res.partner gantt")
        self.assertIn("form, ", text)
        text = self.refused("inspect_view", view="☃")
        self.assertIn("XML id", text)
        for number in ("999999999", "9" * 30):
            self.assertIn("no view", self.refused("inspect_view", view=number))

    def test_an_unknown_node_is_told_with_the_nearest_names(self):
        text = self.refused("inspect_view", view=FORM, node="websit")
        self.assertIn("website", text)
        text = self.refused("inspect_view", view=FORM, node="//field[")
        self.assertIn("XPath", text)
        text = self.refused("inspect_view", view=FORM, node="count(//field)")
        self.assertIn("no element", text)

    def test_what_is_no_element_is_not_found(self):
        for node in ("//comment()", "//processing-instruction()", "//@name"):
            text = self.refused("inspect_view", view=FORM, node=node)
            self.assertIn("No element matches", text)
        self.assertTrue(self.inspect(FORM, node="//node()")["found"])

    def test_a_right_candidate_tells_what_it_changes(self):
        arch = '<field name="website" position="after"><field name="ref"/></field>'
        told = self.inspect(FORM, candidate=arch)
        self.assertTrue(told["valid"], told)
        self.assertEqual(told["mode"], "extend")
        added = [
            line
            for line in told["diff"].splitlines()
            if line.startswith("+") and not line.startswith("+++")
        ]
        self.assertEqual([line[1:].strip() for line in added], ['<field name="ref"/>'])
        self.assertIn('<field name="website"> after → /form/', told["hits"][0])

    def test_nothing_of_a_candidate_stays(self):
        self.inspect(FORM)
        before = self.views.search_count([])
        combined = self.form.get_combined_arch()
        sequence = dict(self.env.registry.cache_sequences)
        arch = '<field name="website" position="replace"/>'
        self.assertTrue(self.inspect(FORM, candidate=arch)["valid"])
        self.problem(
            '<field name="website" position="after"><field name="x_y"/></field>'
        )
        self.assertEqual(self.views.search_count([]), before)
        self.assertEqual(self.form.get_combined_arch(), combined)
        self.assertEqual(self.env.registry.cache_sequences, sequence)
        self.assertFalse(self.env.registry.cache_invalidated)

    def test_an_unknown_field_is_told_with_its_line_and_the_nearest_names(self):
        problem = self.problem(
            """<data>
                <field name="website" position="after">
                    <field name="emial"/>
                </field>
            </data>"""
        )
        self.assertIn('"emial" does not exist', problem["error"])
        self.assertEqual(problem["line"], 3)
        self.assertEqual(problem["element"], '<field name="emial">')
        self.assertIn("email", problem["remedy"])

    def test_an_unknown_field_of_a_subview_is_told_of_its_own_model(self):
        problem = self.problem(
            """<field name="website" position="after"><field name="bank_ids">
            <list>
                <field name="acc_numbr"/>
            </list></field></field>"""
        )
        self.assertIn("res.partner.bank", problem["error"])
        self.assertEqual(problem["line"], 3)
        self.assertIn("acc_number", problem["remedy"])

    def test_an_xpath_that_hits_nothing_tells_what_is_there(self):
        problem = self.problem(
            """<data>
                <xpath expr="//div[hasclass('nothing')]/field[@name='website']"
                    position="after"><field name="ref"/></xpath>
            </data>"""
        )
        self.assertIn("cannot be located", problem["error"])
        self.assertEqual(problem["line"], 2)
        self.assertIn("/form/sheet", problem["remedy"])
        problem = self.problem(
            '<xpath expr="//sheet/nonsense" position="after"><div/></xpath>'
        )
        self.assertIn("//sheet is there", problem["remedy"])
        problem = self.problem(
            """<xpath expr="//page[@name='internal_nots']/field" position="after"/>"""
        )
        self.assertIn("internal_notes", problem["remedy"])
        problem = self.problem('<field name="websit" position="after"/>')
        self.assertIn("website", problem["remedy"])

    def test_an_expression_that_is_no_xpath_is_told(self):
        for expr in ("//field[", "//field[nothing()]"):
            problem = self.problem(f'<xpath expr="{expr}" position="after"/>')
            self.assertEqual(problem["line"], 1)
        self.problem('<xpath position="after"/>')

    def test_xml_that_is_not_well_formed_is_told_with_line_and_column(self):
        problem = self.problem("<data>\n<field name='x'>\n</data>")
        self.assertEqual(problem["line"], 3)
        self.assertGreater(problem["column"], 0)
        self.assertEqual(problem["text"], "</data>")
        for mode in ("extend", "replace"):
            self.problem("", mode=mode)
            self.problem("<form/", mode=mode)

    def test_an_entity_of_a_candidate_brings_in_no_file(self):
        secret = "what is in a file of the server"
        self.audit_path.with_name("secret").write_text(secret)
        arch = f"""<!DOCTYPE x [
            <!ENTITY secret SYSTEM "{self.audit_path.with_name("secret").as_uri()}">]>
            <field name="website" position="after"><p>&secret;</p></field>"""
        outcome = self.call("inspect_view", view=FORM, candidate=arch)
        self.assertNotIn(secret, outcome.text)

    def test_a_wrong_modifier_domain_method_action_and_group_is_told(self):
        for inside, words in (
            ('<field name="ref" invisible="name ="/>', ["Invalid", "name ="]),
            ('<field name="ref" invisible="nam == 1"/>', ["nam"]),
            (
                """<field name="parent_id" domain="[('nmae','=',1)]"/>""",
                ["nmae", "name"],
            ),
            ('<button name="opn_parent" type="object"/>', ["opn_parent"]),
            ('<button name="_x" type="object"/>', ["_x"]),
            ('<button name="base.nothing" type="action"/>', ["base.nothing"]),
            ("<field/>", ["name"]),
        ):
            with self.subTest(inside=inside):
                arch = f'<field name="website" position="after">\n{inside}\n</field>'
                problem = self.problem(arch)
                self.assertEqual(problem["line"], 2, problem)
                for word in words:
                    self.assertIn(word, str(problem))

    def test_an_unknown_group_is_a_warning(self):
        arch = """<field name="website" position="after">
            <field name="ref" groups="base.group_usr"/></field>"""
        told = self.inspect(FORM, candidate=arch)
        self.assertIn("line 2", told["warnings"][0])
        self.assertIn("base.group_usr", told["warnings"][0])

    def test_what_the_schema_of_a_view_type_refuses_is_told_with_its_place(self):
        arch = """<field name="complete_name" position="after">
            <field name="ref" nonsense="1"/></field>"""
        problem = self.problem(arch, view="res.partner list")
        self.assertIn("nonsense", problem["error"])
        self.assertEqual(problem["line"], 2)
        with self.assertLogs("odoo.tools.view_validation", "WARNING"):
            self.assertFalse(self.odoo_takes(self.list_view(), arch))

    def list_view(self):
        return self.views.browse(self.views.default_view("res.partner", "list"))

    def odoo_takes(self, view, arch):
        """Whether Odoo lets a view be created, which is undone."""
        from odoo.exceptions import ValidationError

        try:
            with self.env.cr.savepoint() as savepoint:
                self.views.create(
                    {
                        "name": "tried",
                        "model": view.model,
                        "inherit_id": view.id,
                        "arch": arch,
                    }
                )
                savepoint.rollback()
            return True
        except ValidationError:
            return False

    def test_a_candidate_is_right_if_and_only_if_odoo_would_take_it(self):
        after = '<field name="website" position="after">%s</field>'
        for arch in (
            after % '<field name="ref"/>',
            after % '<field name="nothing"/>',
            after % '<field name="ref" invisible="nothing"/>',
            after % '<field name="ref" invisible="id"/>',
            after % '<field name="ref" attrs="{}"/>',
            after % '<button name="nothing" type="object"/>',
            after % '<label for="nothing"/>',
            after % '<field name="parent_id" domain="[(1,"/>',
            after % '<field name="website" position="move"/>',
            '<field name="website" position="sideways"/>',
            '<xpath expr="/form" position="replace"><list/></xpath>',
            '<xpath expr="/form" position="replace"><form/></xpath>',
            '<field string="Website" position="after"/>',
            '<field name="website" position="attributes"><attribute name="x"/></field>',
            '<field name="website" position="replace"/>',
            "<data/>",
        ):
            with self.subTest(arch=arch), mute_logger(*LOGS):
                told = self.inspect(FORM, candidate=arch, mode="extend")
                self.assertEqual(told["valid"], self.odoo_takes(self.form, arch), told)

    def test_an_own_arch_is_checked_in_place_of_the_one_that_is_there(self):
        arch = self.form.with_context(lang=None).arch
        told = self.inspect(FORM, candidate=arch)
        self.assertEqual((told["mode"], told["valid"]), ("replace", True), told)
        self.assertEqual(told["diff"], "no change")
        broken = arch.replace('name="website"', 'name="websote"', 1)
        problem = self.problem(broken)
        self.assertIn("websote", str(problem))

    def test_an_own_arch_that_an_inheriting_view_does_not_fit_names_that_view(self):
        problem = self.problem("<form><field name='name'/></form>")
        self.assertIn(".", problem["breaks"])
        self.assertIn("cannot be located", problem["error"])

    def test_the_arch_of_an_inheriting_view_is_its_own(self):
        mail = self.env.ref("mail.res_partner_view_form_inherit_mail")
        arch = mail.with_context(lang=None).arch
        told = self.inspect("mail.res_partner_view_form_inherit_mail", candidate=arch)
        self.assertEqual((told["mode"], told["valid"]), ("replace", True), told)
        self.assertEqual(told["diff"], "no change")

    def test_a_template_is_combined_and_checked_so_far(self):
        arch = '<xpath expr="//nothing" position="after"/>'
        problem = self.problem(arch, view="web.external_layout")
        self.assertIn("cannot be located", problem["error"])
        arch = '<xpath expr="/t" position="inside"><i/></xpath>'
        self.assertTrue(self.inspect("web.external_layout", candidate=arch)["valid"])

    def test_a_primary_view_that_would_break_is_named(self):
        primary = self.views.create(
            {
                "name": "test",
                "model": "res.partner",
                "inherit_id": self.form.id,
                "mode": "primary",
                "arch": '<field name="website" position="after"><br/></field>',
            }
        )
        problem = self.problem('<field name="website" position="replace"/>')
        self.assertEqual(problem["breaks"], str(primary.id))

    def test_node_and_candidate_do_not_go_together(self):
        text = self.refused("inspect_view", view=FORM, node="name", candidate="<data/>")
        self.assertIn("'node'", text)
        text = self.refused("inspect_view", view=FORM, mode="extend")
        self.assertIn("'mode'", text)

    def test_a_reading_key_may_ask(self):
        secret = self.make_key(self.developer, read_only=True)
        outcome = self.call("inspect_view", _secret=secret, view=FORM)
        self.assertFalse(outcome.is_error, outcome.text)

    def test_who_is_no_developer_has_no_such_tool(self):
        from ..models.exceptions import UnknownTool
        from .common import USER

        secret = self.make_key(self.make_user("mcp_plain", USER))
        with self.assertRaises(UnknownTool):
            self.call("inspect_view", _secret=secret, view=FORM)
