"""search_records: the ORM's reading, under the caller's own rights."""

from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SETTINGS, USER, McpCase


@tagged("post_install", "-at_install")
class TestSearchRecords(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = cls.make_user("orm_plain", USER)
        cls.plain_secret = cls.make_key(cls.plain)
        cls.boss = cls.make_user("orm_boss", SETTINGS)
        cls.boss_secret = cls.make_key(cls.boss)
        cls.country = cls.env.ref("base.be")
        cls.partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Orm Müller ☃ {number}",
                    "ref": "orm-test",
                    "color": number,
                    "country_id": cls.country.id if number % 2 else False,
                    "comment": f"<p>{'long ' * 200}</p>" if number == 1 else False,
                }
                for number in range(5)
            ]
        )
        cls.own = [["ref", "=", "orm-test"]]

    def found(self, **arguments):
        arguments = {"_secret": self.plain_secret, "model": "res.partner", **arguments}
        return self.ok("search_records", **arguments)

    def fault(self, **arguments):
        arguments = {"_secret": self.plain_secret, "model": "res.partner", **arguments}
        with mute_logger("odoo.addons.base.models.ir_model", "odoo.models"):
            return self.refused("search_records", **arguments)

    def only_names(self, **values):
        return self.env["ir.rule"].create(
            {
                "name": "Orm: not the first",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[('color', '!=', 0)]",
                **values,
            }
        )

    def test_values_are_told_by_field_and_path(self):
        result = self.found(
            domain=[*self.own, ["color", "=", 1]],
            fields=["name", "country_id", "country_id.code", "color", "active", "lang"],
        )
        self.assertEqual(result["total"], 1)
        self.assertNotIn("fields", result)
        self.assertEqual(
            result["records"],
            [
                {
                    "id": self.partners[1].id,
                    "name": "Orm Müller ☃ 1",
                    "country_id": {
                        "id": self.country.id,
                        "name": self.country.display_name,
                    },
                    "country_id.code": "BE",
                    "color": 1,
                    "active": True,
                    "lang": self.partners[1].lang or None,
                }
            ],
        )

    def test_without_fields_a_short_choice_is_made_and_told(self):
        for model in ("res.partner", "res.users", "ir.cron", "mail.message"):
            with self.subTest(model=model):
                result = self.found(model=model, limit=2, _secret=self.boss_secret)
                self.assertIn("display_name", result["fields"])
                self.assertTrue(2 <= len(result["fields"]) <= 12, result["fields"])
                kinds = {
                    self.env[model]._fields[name].type for name in result["fields"]
                }
                self.assertFalse(kinds & {"binary", "html", "one2many"})

    def test_pages_are_told(self):
        result = self.found(domain=self.own, fields=["name"], limit=2, order="id")
        self.assertEqual((result["total"], result["next_offset"]), (5, 2))
        result = self.found(domain=self.own, fields=["name"], limit=2, offset=4)
        self.assertEqual((result["total"], len(result["records"])), (5, 1))
        self.assertNotIn("next_offset", result)
        result = self.found(domain=self.own, fields=["name"], offset=40)
        self.assertEqual((result["total"], result["records"]), (5, []))

    def test_long_texts_are_cut_with_their_length(self):
        result = self.found(domain=self.own, fields=["comment"], order="id")
        self.assertIn("… [", result["records"][1]["comment"])
        self.assertNotIn("<p>", result["records"][1]["comment"])
        self.assertIsNone(result["records"][0]["comment"])
        one = self.found(domain=[["id", "=", self.partners[1].id]], fields=["comment"])
        self.assertGreater(len(one["records"][0]["comment"]), 900)

    def test_a_huge_answer_is_cut_and_paged(self):
        self.env["res.partner"].create(
            [
                {"name": f"Huge {n}", "ref": "orm-huge", "comment": "x" * 290}
                for n in range(300)
            ]
        )
        result = self.found(
            domain=[["ref", "=", "orm-huge"]], fields=["comment", "name"], limit=300
        )
        self.assertEqual(result["total"], 300)
        self.assertEqual(result["next_offset"], len(result["records"]))
        self.assertLess(len(str(result)), 60_000)

    def test_relations_to_many_are_named_and_capped(self):
        tags = self.env["res.partner.category"].create(
            [{"name": f"tag {number}"} for number in range(8)]
        )
        self.partners[0].category_id = tags
        result = self.found(
            domain=[["id", "=", self.partners[0].id]],
            fields=["category_id", "category_id.name"],
        )
        [row] = result["records"]
        self.assertEqual(len(row["category_id"]), 6)
        self.assertEqual(row["category_id"][-1], {"more": 3})
        self.assertIn("name", row["category_id"][0])
        self.assertEqual(len(row["category_id.name"]), 6)
        self.assertEqual(row["category_id.name"][-1], {"more": 3})

    def test_binaries_are_told_by_size(self):
        self.partners[0].image_1920 = (
            b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
            b"awAAAABJRU5ErkJggg=="
        )
        result = self.found(
            domain=[["id", "=", self.partners[0].id]], fields=["image_1920"]
        )
        self.assertIn("size", result["records"][0]["image_1920"])

    def test_dates_are_told_as_domains_take_them(self):
        result = self.found(
            domain=self.own, fields=["create_date"], limit=1, order="id"
        )
        created = result["records"][0]["create_date"]
        self.assertRegex(created, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        for value in (created, created.replace(" ", "T") + "Z"):
            domain = [*self.own, ["create_date", ">=", value]]
            self.assertEqual(self.found(domain=domain, limit=1)["total"], 5)

    def test_groups_and_aggregates(self):
        result = self.found(
            domain=self.own,
            groupby=["country_id"],
            aggregates=["__count", "color:sum"],
            order="__count desc",
        )
        self.assertEqual(
            [
                (row["country_id"] and row["country_id"]["id"], row["__count"])
                for row in result["groups"]
            ],
            [(None, 3), (self.country.id, 2)],
        )
        self.assertEqual(sum(row["color:sum"] for row in result["groups"]), 10)
        result = self.found(domain=self.own, groupby=["create_date:year", "active"])
        [row] = result["groups"]
        self.assertRegex(str(row["create_date:year"]), r"^\d{4}-01-01$")
        self.assertEqual((row["active"], row["__count"]), (True, 5))
        result = self.found(domain=self.own, aggregates=["color:max"])
        self.assertEqual(result["groups"], [{"color:max": 4}])
        result = self.found(domain=self.own, groupby=["name"], limit=2)
        self.assertEqual((len(result["groups"]), result["next_offset"]), (2, 2))

    def test_archived_records_are_found_when_the_domain_says_so(self):
        self.partners[0].active = False
        self.assertEqual(self.found(domain=self.own)["total"], 4)
        domain = [*self.own, ["active", "in", [True, False]]]
        self.assertEqual(self.found(domain=domain)["total"], 5)

    def test_record_rules_narrow_records_counts_and_groups(self):
        self.only_names()
        self.assertEqual(self.found(domain=self.own)["total"], 4)
        result = self.found(domain=self.own, groupby=["ref"])
        self.assertEqual(result["groups"][0]["__count"], 4)
        self.partners[1].parent_id = self.partners[0]
        result = self.found(
            domain=[["id", "=", self.partners[1].id]],
            fields=["parent_id", "parent_id.name"],
        )
        [row] = result["records"]
        self.assertEqual(row["parent_id"], {"id": self.partners[0].id})
        self.assertIsNone(row["parent_id.name"])

    def test_rules_hold_in_a_subdomain(self):
        self.only_names()
        self.partners[1].parent_id = self.partners[0]
        domain = [["parent_id", "any", [["name", "like", "Orm"]]]]
        self.assertEqual(self.found(domain=domain)["total"], 0)

    def test_a_model_that_the_user_may_not_read_is_refused(self):
        text = self.fault(model="ir.cron")
        self.assertIn("check_access", text)

    def test_field_groups_narrow(self):
        model, hidden = next(
            (name, field.name)
            for name in sorted(self.registry)
            if self.env[name]._auto
            and self.env[name].with_user(self.plain).has_access("read")
            for field in self.env[name]._fields.values()
            if field.groups and field.store and field.column_type
            if not self.plain.with_user(self.plain).has_groups(field.groups)
        )
        for arguments in (
            {"fields": [hidden]},
            {"order": hidden},
            {"groupby": [hidden]},
            {"aggregates": [f"{hidden}:max"]},
            {"domain": [[hidden, "!=", False]]},
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(hidden, self.fault(model=model, **arguments))
        parent = self.found(model=model, limit=1, fields=["id"])
        self.assertIn("records", parent)

    def test_secrets_are_masked(self):
        self.env["ir.config_parameter"].set_param(
            "orm_test.api_secret", "hunter2hunter2"
        )
        self.env["ir.config_parameter"].set_param("orm_test.plain", "plain value")
        result = self.found(
            model="ir.config_parameter",
            domain=[["key", "like", "orm_test."]],
            fields=["key", "value"],
            order="key",
            _secret=self.boss_secret,
        )
        self.assertEqual(
            [row["value"] for row in result["records"]], ["***MASKED***", "plain value"]
        )
        for arguments in ({"groupby": ["value"]}, {"aggregates": ["value:max"]}):
            text = self.fault(
                model="ir.config_parameter", _secret=self.boss_secret, **arguments
            )
            self.assertIn("secret", text)

    def test_a_wrong_domain_says_where(self):
        for domain, *words in (
            ([["nmae", "=", 1]], "domain[0]", "res.partner", "'nmae'", "name"),
            (
                [["id", ">", 0], ["country_id.cod", "=", "BE"]],
                *("domain[1]", "res.country", "'cod'", "code"),
            ),
            ([["name.x", "=", 1]], "domain[0]", "char"),
            ([["name", "equals", "x"]], "domain[0]", "'equals'".strip("'"), "ilike"),
            ([["name", "="]], "domain[0]", "[field, operator, value]"),
            (["name", "=", "x"], "domain[0]", '[["field", "operator", value]]'),
            (["|", ["name", "=", "x"]], "domain[0]", "'|'", "1 of them"),
            (["&", "!"], "domain[1]", "'!'", "1 of them"),
            ([["id", "in", 5]], "domain[0]", "'in' takes a list"),
            ([["name", "in", "a text"]], "domain[0]", "'in' takes a list"),
            ([["color", "=", "red"]], "domain[0]", "integer"),
            ([["active", "=", "yes"]], "domain[0]", "true or false"),
            ([["name", "=", ["a"]]], "domain[0]", "'in' for several"),
            ([["name", "any", []]], "domain[0]", "char"),
            (
                [["country_id", "any", [["coed", "=", 1]]]],
                *("domain[0][2][0]", "res.country", "code"),
            ),
            ([["id", ">", 0], ["country_id", "child_of", "x"]], "domain[1]", "parent"),
            ([5], "domain[0]", "5"),
            ([[["name", "=", 1]]], "domain[0]"),
        ):
            with self.subTest(domain=domain):
                text = self.fault(domain=domain)
                for word in words:
                    self.assertIn(word, text)

    def test_a_right_domain_is_taken_as_odoo_takes_it(self):
        for domain in (
            ["|", ["color", "=", 1], ["color", "=", 2], ["ref", "=", "orm-test"]],
            ["!", ["id", "in", []]],
            [[1, "=", 1]],
            [["country_id", "=", "Belgium"]],
            [["category_id", "child_of", "no such tag"]],
            [["parent_id", "=", None]],
            [["create_date", "<", "2030-01-01"]],
            [["name", "=ilike", "orm%"]],
            [["display_name", "ilike", "orm"]],
        ):
            with self.subTest(domain=domain):
                expected = self.env["res.partner"].with_user(self.plain)
                taken = [tuple(t) if isinstance(t, list) else t for t in domain]
                self.assertEqual(
                    self.found(domain=domain, limit=1)["total"],
                    expected.search_count(taken),
                )

    def test_what_there_is_not_is_named_with_the_nearest(self):
        for arguments, *words in (
            ({"model": "res.partnr"}, "res.partnr", "res.partner"),
            ({"model": "mail.thread"}, "mail.thread"),
            ({"fields": ["name", "emial"]}, "fields[1]", "email"),
            ({"fields": ["country_id.cod"]}, "fields[0]", "res.country", "code"),
            ({"order": "nmae desc"}, "nmae", "name"),
            ({"order": "name down"}, "name down", "desc"),
            ({"order": "contact_address"}, "contact_address"),
            ({"groupby": ["contry_id"]}, "groupby[0]", "country_id"),
            ({"groupby": ["create_date:decade"]}, "decade", "quarter"),
            ({"groupby": ["name:month"]}, "groupby[0]", "char"),
            ({"groupby": ["child_ids"]}, "groupby[0]", "child_ids"),
            ({"aggregates": ["color:total"]}, "aggregates[0]", "sum"),
            ({"aggregates": ["colour:sum"]}, "aggregates[0]", "color"),
            ({"aggregates": ["color"]}, "aggregates[0]", "color:sum"),
            ({"groupby": ["ref"], "order": "name"}, "'name'", "ref", "__count"),
        ):
            with self.subTest(arguments=arguments):
                text = self.fault(**arguments)
                for word in words:
                    self.assertIn(word, text)

    def test_odoos_own_any_without_rules_is_refused(self):
        text = self.fault(domain=[["parent_id", "any!", [["color", "=", 0]]]])
        self.assertIn("any!", text)

    def test_it_is_for_every_mcp_user_and_changes_nothing(self):
        tool = self.tool("search_records")
        self.assertFalse(tool.group_ids)
        self.assertTrue(tool.read_only_hint)
        read_only = self.make_key(self.plain, name="ro", read_only=True)
        self.assertEqual(self.found(domain=self.own, _secret=read_only)["total"], 5)

    def test_companies_are_those_of_the_user(self):
        other = self.env["res.company"].create({"name": "Orm elsewhere"})
        self.partners[0].company_id = other
        self.assertEqual(self.found(domain=self.own)["total"], 4)
        self.plain.company_ids = [Command.link(other.id)]
        self.assertEqual(self.found(domain=self.own)["total"], 5)
