"""get_db_schema: the tables, and what each consists of."""

from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestDbSchema(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(
            """
            CREATE TABLE mcp_test_author (
                id serial PRIMARY KEY, name varchar(40) NOT NULL, born date,
                CONSTRAINT mcp_test_born CHECK (born > '1900-01-01'));
            CREATE TABLE mcp_test_page (
                book int, number int, title text DEFAULT 'none',
                author_id int REFERENCES mcp_test_author (id) ON DELETE CASCADE,
                PRIMARY KEY (number, book), UNIQUE (title));
            CREATE TABLE mcp_test_note (
                id int, page int, book int,
                FOREIGN KEY (page, book) REFERENCES mcp_test_page (number, book));
            CREATE INDEX mcp_test_lower ON mcp_test_author (lower(name), born DESC)
                WHERE born IS NOT NULL;
            CREATE INDEX mcp_test_cover ON mcp_test_page (book) INCLUDE (title);
            CREATE VIEW mcp_test_view AS SELECT name FROM mcp_test_author;
            CREATE MATERIALIZED VIEW mcp_test_stored AS SELECT 1 AS one;
            CREATE TABLE mcp_test_log (day date NOT NULL, n int)
                PARTITION BY RANGE (day);
            CREATE TABLE mcp_test_log_2024 PARTITION OF mcp_test_log
                FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
            COMMENT ON COLUMN mcp_test_author.name IS 'Pen Name';
            ALTER TABLE mcp_test_note ADD COLUMN gone int;
            ALTER TABLE mcp_test_note DROP COLUMN gone;
            CREATE SCHEMA mcp_test_schema;
            CREATE TABLE mcp_test_schema."Odd Name" (id int);
            CREATE TABLE mcp_test_schema.child (
                author int REFERENCES mcp_test_author (id))
            """
        )

    def schema(self, action, table_name=None, **arguments):
        if table_name:
            arguments["table_name"] = table_name
        return self.ok("get_db_schema", action=action, **arguments)

    def named(self, rows):
        return {row["name"]: row for row in rows}

    def test_tables_are_listed_with_their_kind(self):
        tables = self.schema("list_tables", search="mcp_test_")["tables"]
        self.assertEqual(
            {row["table_name"]: row["kind"] for row in tables},
            {
                "mcp_test_author": "table",
                "mcp_test_page": "table",
                "mcp_test_note": "table",
                "mcp_test_view": "view",
                "mcp_test_stored": "materialized view",
                "mcp_test_log": "partitioned table",
                "mcp_test_log_2024": "table",
            },
        )
        names = [row["table_name"] for row in tables]
        self.assertEqual(names, sorted(names))
        self.assertTrue(all(row["size_bytes"] >= 0 for row in tables))

    def test_all_tables_are_listed_without_a_search(self):
        names = {row["table_name"] for row in self.schema("list_tables")["tables"]}
        self.assertLessEqual({"res_partner", "mcp_tool", "mcp_test_view"}, names)

    def test_a_search_that_looks_like_a_pattern_is_text(self):
        for search in ("mcp%author", "mcp.test", "'; --"):
            with self.subTest(search=search):
                found = self.schema("list_tables", search=search)
                self.assertEqual(found["tables"], [])

    def test_another_schema(self):
        tables = self.schema("list_tables", schema_name="mcp_test_schema")["tables"]
        names = {row["table_name"] for row in tables}
        self.assertEqual(names, {"Odd Name", "child"})
        found = self.schema("describe_table", "Odd Name", schema_name="mcp_test_schema")
        self.assertEqual([row["name"] for row in found["columns"]], ["id"])

    def test_the_catalog_of_postgresql_can_be_described(self):
        found = self.schema("describe_table", "pg_class", schema_name="pg_catalog")
        self.assertIn("relname", self.named(found["columns"]))

    def test_a_table_is_described_column_by_column(self):
        found = self.schema("describe_table", "mcp_test_author")
        self.assertEqual(found["table_name"], "mcp_test_author")
        self.assertEqual(found["column_count"], 3)
        self.assertEqual(
            [row["name"] for row in found["columns"]], ["id", "name", "born"]
        )
        columns = self.named(found["columns"])
        name = {
            "name": "name",
            "type": "character varying(40)",
            "nullable": False,
            "default": None,
            "is_primary_key": False,
            "references": None,
            "label": "Pen Name",
        }
        self.assertEqual(columns["name"], name)
        self.assertTrue(columns["id"]["is_primary_key"])
        self.assertIn("nextval", columns["id"]["default"])
        self.assertTrue(columns["born"]["nullable"])

    def test_keys_of_several_columns_and_foreign_keys(self):
        columns = self.named(self.schema("describe_table", "mcp_test_page")["columns"])
        keys = [name for name, row in columns.items() if row["is_primary_key"]]
        self.assertEqual(keys, ["book", "number"])
        self.assertEqual(columns["author_id"]["references"], "mcp_test_author")
        self.assertEqual(columns["title"]["default"], "'none'::text")

    def test_dropped_columns_are_gone(self):
        found = self.schema("describe_table", "mcp_test_note")
        self.assertEqual(set(self.named(found["columns"])), {"id", "page", "book"})

    def test_views_and_partitions_are_described(self):
        for table, columns in (
            ("mcp_test_view", {"name"}),
            ("mcp_test_stored", {"one"}),
            ("mcp_test_log", {"day", "n"}),
            ("mcp_test_log_2024", {"day", "n"}),
        ):
            with self.subTest(table=table):
                found = self.schema("describe_table", table)
                self.assertEqual(set(self.named(found["columns"])), columns)

    def test_a_models_name_works_as_its_tables(self):
        for action in ("describe_table", "list_indexes", "list_constraints"):
            with self.subTest(action=action):
                found = self.schema(action, "res.partner")
                self.assertEqual(found["table_name"], "res_partner")
                self.assertEqual(found, self.schema(action, "res_partner"))

    def test_the_models_on_a_table_are_named(self):
        found = self.schema("describe_table", "res_partner")
        self.assertIn("res.partner", found["models"])
        columns = self.named(found["columns"])
        self.assertEqual(columns["company_id"]["references"], "res_company")
        self.assertEqual(self.schema("describe_table", "mcp_test_note")["models"], [])

    def test_a_model_whose_table_has_another_name_is_found(self):
        for model in ("ir.actions.act_window", "ir.actions.server"):
            with self.subTest(model=model):
                table = self.env[model]._table
                found = self.schema("describe_table", model)
                self.assertEqual(found["table_name"], table)
                self.assertIn(model, found["models"])

    def test_indexes_with_expressions_and_included_columns(self):
        indexes = self.named(self.schema("list_indexes", "mcp_test_author")["indexes"])
        lower = indexes["mcp_test_lower"]
        self.assertEqual(len(lower["columns"]), 2)
        self.assertIn("lower", lower["columns"][0])
        self.assertIn("born", lower["columns"][1])
        self.assertEqual((lower["unique"], lower["type"]), (False, "btree"))
        self.assertIn("WHERE (born IS NOT NULL)", lower["definition"])
        self.assertTrue(indexes["mcp_test_author_pkey"]["unique"])
        indexes = self.named(self.schema("list_indexes", "mcp_test_page")["indexes"])
        self.assertEqual(indexes["mcp_test_cover"]["columns"], ["book"])
        key = indexes["mcp_test_page_pkey"]
        self.assertEqual(key["columns"], ["number", "book"])

    def test_constraints_with_their_columns_as_lists(self):
        rows = self.schema("list_constraints", "mcp_test_page")["constraints"]
        constraints = self.named(rows)
        key = constraints["mcp_test_page_pkey"]
        self.assertEqual(
            (key["type"], key["columns"]), ("PRIMARY KEY", ["number", "book"])
        )
        unique = constraints["mcp_test_page_title_key"]
        self.assertEqual((unique["type"], unique["columns"]), ("UNIQUE", ["title"]))
        foreign = constraints["mcp_test_page_author_id_fkey"]
        self.assertEqual(foreign["type"], "FOREIGN KEY")
        self.assertEqual(
            foreign["references"], {"table": "mcp_test_author", "columns": ["id"]}
        )
        self.assertIn("ON DELETE CASCADE", foreign["definition"])
        rows = self.schema("list_constraints", "mcp_test_author")["constraints"]
        check = self.named(rows)["mcp_test_born"]
        self.assertEqual((check["type"], check["columns"]), ("CHECK", ["born"]))

    def test_a_foreign_key_of_several_columns_keeps_their_order(self):
        rows = self.schema("list_constraints", "mcp_test_note")["constraints"]
        (foreign,) = [row for row in rows if row["type"] == "FOREIGN KEY"]
        self.assertEqual(foreign["columns"], ["page", "book"])
        self.assertEqual(
            foreign["references"],
            {"table": "mcp_test_page", "columns": ["number", "book"]},
        )

    def test_a_table_without_any_is_an_empty_list(self):
        self.assertEqual(self.schema("list_indexes", "mcp_test_view")["indexes"], [])
        found = self.schema("list_constraints", "mcp_test_view")
        self.assertEqual(found["constraints"], [])

    def test_the_answer_has_the_keys_of_its_action_alone(self):
        for action, keys in (
            ("describe_table", {"table_name", "models", "columns", "column_count"}),
            ("list_indexes", {"table_name", "indexes"}),
            ("list_constraints", {"table_name", "constraints"}),
        ):
            with self.subTest(action=action):
                self.assertEqual(set(self.schema(action, "res_users")), keys)
        self.assertEqual(set(self.schema("list_tables")), {"tables"})

    def test_a_missing_table_is_told_with_the_nearest_names(self):
        for table, near in (
            ("res_partners", "res_partner"),
            ("mcp_test_autor", "mcp_test_author"),
            ("res.userz", "res_users"),
        ):
            for action in ("describe_table", "list_indexes", "list_constraints"):
                with self.subTest(table=table, action=action):
                    text = self.refused(
                        "get_db_schema", action=action, table_name=table
                    )
                    self.assertIn(repr(table), text)
                    self.assertIn(near, text)

    def test_a_table_like_no_other_is_told_how_to_list_them(self):
        for table in ("☃", "x'; DROP TABLE y; --", "q" * 500):
            with self.subTest(table=table[:30]):
                text = self.refused(
                    "get_db_schema", action="describe_table", table_name=table
                )
                self.assertIn("list_tables", text)

    def test_nul_in_a_name_is_told(self):
        for arguments in (
            {"action": "describe_table", "table_name": "a\0b"},
            {"action": "list_tables", "search": "a\0b"},
            {"action": "list_tables", "schema_name": "a\0b"},
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("get_db_schema", **arguments)
                self.assertNotIn("internal error", text)

    def test_an_unknown_schema_is_told_with_those_that_are(self):
        text = self.refused("get_db_schema", action="list_tables", schema_name="publik")
        for word in ("'publik'", "public", "mcp_test_schema"):
            self.assertIn(word, text)

    def test_wrong_arguments_are_named(self):
        for arguments, words in (
            ({}, ["'action'", "missing", "list_tables", "list_constraints"]),
            ({"action": "drop"}, ["'action'", '"drop"', "describe_table"]),
            ({"action": "describe_table"}, ["table_name", "list_tables"]),
            ({"action": "list_indexes", "table_name": 5}, ["'table_name'", "string"]),
            ({"action": "list_tables", "schema": "x"}, ["'schema'", "schema_name"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("get_db_schema", **arguments)
                for word in words:
                    self.assertIn(word, text)
