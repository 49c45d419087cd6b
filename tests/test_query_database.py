"""query_database: its arguments, its caps, its refusals."""

import json

from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestQueryDatabase(McpCase):
    def query(self, query, **arguments):
        return self.ok("query_database", query=query, **arguments)

    def fail_with(self, query, *words, **arguments):
        text = self.refused("query_database", query=query, **arguments)
        for word in words:
            self.assertIn(word, text)
        self.assertNotIn("Traceback", text)
        return text

    def test_the_answer_has_the_fields_of_1_0(self):
        result = self.query("SELECT 1 AS one, 'x' AS two")
        self.assertEqual(
            set(result), {"columns", "rows", "row_count", "truncated", "duration_ms"}
        )
        self.assertEqual(result["columns"], ["one", "two"])
        self.assertEqual(result["rows"], [{"one": 1, "two": "x"}])
        self.assertEqual((result["row_count"], result["truncated"]), (1, False))
        self.assertGreaterEqual(result["duration_ms"], 0)

    def test_the_text_is_exactly_the_json_of_the_answer(self):
        outcome = self.call("query_database", query="SELECT 'ä' AS a, NULL AS b")
        compact = json.dumps(
            outcome.structured, ensure_ascii=False, separators=(",", ":")
        )
        self.assertEqual(outcome.text, compact)

    def test_the_answer_fits_the_output_schema(self):
        from jsonschema import Draft202012Validator

        catalog = self.env["mcp.tool"].with_user(self.developer)._catalog()
        schema = catalog["query_database"].described["outputSchema"]
        result = self.query("SELECT 1 AS one UNION SELECT NULL")
        Draft202012Validator(schema).validate(result)

    def test_real_rows_are_read(self):
        result = self.query("SELECT login FROM res_users WHERE id = 1")
        self.assertEqual(result["rows"], [{"login": "__system__"}])

    def test_no_rows_still_have_columns(self):
        result = self.query("SELECT id, name FROM res_partner WHERE false")
        self.assertEqual(result["columns"], ["id", "name"])
        self.assertEqual((result["rows"], result["row_count"]), ([], 0))

    def test_columns_of_one_name_lose_no_value(self):
        result = self.query("SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a")
        self.assertEqual(len(set(result["columns"])), 4)
        self.assertEqual(sorted(result["rows"][0].values()), [1, 2, 3, 4])

    def test_columns_without_a_name_or_with_a_strange_one(self):
        result = self.query('SELECT 1, 2, 3 AS "a b", 4 AS "ä\'"""')
        self.assertEqual(result["columns"], ["?column?", "?column?_2", "a b", "ä'\""])

    def test_a_query_without_columns(self):
        result = self.query("SELECT FROM generate_series(1, 3)")
        self.assertEqual((result["columns"], result["row_count"]), ([], 3))

    def test_params_stand_for_the_placeholders(self):
        for params, query, expected in (
            ([1, "x"], "SELECT %s AS a, %s AS b", {"a": 1, "b": "x"}),
            ([None], "SELECT %s IS NULL AS a", {"a": True}),
            ([True], "SELECT %s AS a", {"a": True}),
            ([[1, 2]], "SELECT 2 = ANY(%s) AS a", {"a": True}),
            ([[]], "SELECT cardinality(%s::int[]) AS a", {"a": 0}),
            ([{"k": [1]}], "SELECT %s::jsonb AS a", {"a": {"k": [1]}}),
            ([[{"k": 1}]], "SELECT cardinality(%s::jsonb[]) AS a", {"a": 1}),
            ([2**63 - 1], "SELECT %s::bigint AS a", {"a": 2**63 - 1}),
            ([10**30], "SELECT %s::text AS a", {"a": str(10**30)}),
            ([1.5], "SELECT %s AS a", {"a": 1.5}),
            (["a'b\"c\\d;--"], "SELECT %s AS a", {"a": "a'b\"c\\d;--"}),
            (["%s %d %%"], "SELECT %s AS a", {"a": "%s %d %%"}),
            (["x%"], "SELECT 'xyz' LIKE %s AS a", {"a": True}),
            ([1], "SELECT %s AS a, 'x' LIKE '%%x' AS b", {"a": 1, "b": True}),
        ):
            with self.subTest(query=query, params=params):
                self.assertEqual(self.query(query, params=params)["rows"], [expected])

    def test_without_params_a_percent_sign_is_just_that(self):
        for params in ({}, {"params": []}):
            with self.subTest(params=params):
                query = "SELECT 'abc' LIKE '%b%' AS a, 7 % 4 AS b, '%s %(x)s' AS c"
                self.assertEqual(
                    self.query(query, **params)["rows"],
                    [{"a": True, "b": 3, "c": "%s %(x)s"}],
                )

    def test_params_that_do_not_fit_are_told(self):
        for query, params in (
            ("SELECT %s, %s", [1]),
            ("SELECT %s", [1, 2]),
            ("SELECT 1", [1]),
            ("SELECT 5 % 3, %s", [1]),
            ("SELECT '%b' LIKE %s", ["x"]),
            ("SELECT %(name)s", [1]),
            ("SELECT %s", ["a\0b"]),
            ("SELECT %s::jsonb", [{"a": "b\0"}]),
            ("SELECT %s", [["a\0b"]]),
            ("SELECT %d", [1]),
        ):
            with self.subTest(query=query, params=params):
                text = self.fail_with(query, params=params)
                self.assertNotIn("internal error", text)

    def test_a_final_semicolon_and_comments_are_taken(self):
        for query in (
            "SELECT 1 AS one;",
            "SELECT 1 AS one ;  \n",
            "-- first\nSELECT 1 AS one -- last",
            "/* a /* b */ c */ SELECT 1 AS one; -- end",
            "\n\t SELECT 1 AS one\r\n",
        ):
            with self.subTest(query=query):
                self.assertEqual(self.query(query)["rows"], [{"one": 1}])

    def test_the_limit_cuts_and_says_so(self):
        for limit, rows, truncated in ((1, 1, True), (9, 9, True), (10, 10, False)):
            with self.subTest(limit=limit):
                query = "SELECT generate_series(1, 10) AS n"
                result = self.query(query, limit=limit)
                self.assertEqual(result["row_count"], rows)
                self.assertEqual(len(result["rows"]), rows)
                self.assertEqual(result["truncated"], truncated)
                self.assertEqual(result["rows"][-1], {"n": rows})

    def test_without_a_limit_a_thousand_rows_are_told(self):
        result = self.query("SELECT generate_series(1, 1000000) AS n")
        self.assertEqual((result["row_count"], result["truncated"]), (1000, True))

    def test_the_administrators_cap_on_rows_beats_the_limit(self):
        self.set_parameter("query_rows", 7)
        result = self.query("SELECT generate_series(1, 100) AS n", limit=50)
        self.assertEqual((result["row_count"], result["truncated"]), (7, True))

    def test_the_cap_on_bytes_cuts_and_says_so(self):
        self.set_parameter("query_bytes", 10_000)
        query = "SELECT repeat('x', 1000) AS x FROM generate_series(1, 100)"
        outcome = self.call("query_database", query=query)
        self.assertTrue(outcome.structured["truncated"])
        self.assertTrue(5 <= outcome.structured["row_count"] <= 10)
        self.assertLess(len(outcome.text), 11_000)

    def test_one_row_over_the_cap_is_still_told(self):
        self.set_parameter("query_bytes", 100)
        result = self.query("SELECT repeat('x', 1000) AS x")
        self.assertEqual(result["rows"], [{"x": "x" * 1000}])
        self.assertFalse(result["truncated"])

    def test_a_query_that_runs_too_long_is_stopped(self):
        self.set_parameter("query_timeout", 1)
        for query in (
            "SELECT pg_sleep(60)",
            "SELECT count(*) FROM generate_series(1, 1000000000) a",
            "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) "
            "SELECT count(*) FROM r",
        ):
            with self.subTest(query=query):
                self.fail_with(query, "statement timeout", "57014", "EXPLAIN")
        self.assertEqual(self.query("SELECT 1 AS one")["rows"], [{"one": 1}])

    def test_the_timeout_of_the_tool_counts_too(self):
        self.tool("query_database").timeout = 1
        self.fail_with("SELECT pg_sleep(60)", "statement timeout")

    def test_a_syntax_error_is_told_with_its_place(self):
        for query, place in (
            ("SELEC 1", "line 1, column 1: SELEC 1"),
            ("SELECT 1 FRM x y", "line 1, column 14"),
            ("SELECT 1,\n  2 3", "line 2, column 5: 3"),
            ("SELECT 'ä',\n\n  FROM )", "line 3, column 3"),
            ("SELECT lower('x') FRM y z", "line 1, column 23"),
        ):
            with self.subTest(query=query):
                self.fail_with(query, "syntax error", "42601", place)

    def test_an_unknown_column_is_told_with_place_and_hint(self):
        for query in (
            "SELECT nam FROM res_partner",
            "SELECT upper(nam) FROM res_partner",
        ):
            with self.subTest(query=query):
                column = query.index("nam") + 1
                self.fail_with(
                    query,
                    'column "nam" does not exist',
                    "42703",
                    f"line 1, column {column}: nam",
                    "Hint: Perhaps you meant",
                    "get_db_schema",
                )

    def test_an_unknown_table_is_told_with_the_remedy(self):
        self.fail_with(
            "SELECT * FROM res_partners", "res_partners", "42P01", "get_db_schema"
        )

    def test_errors_at_run_time_are_told(self):
        for query, words in (
            ("SELECT 1 / 0", ["division by zero", "22012"]),
            ("SELECT 'x'::int", ["invalid input syntax", "22P02"]),
            ("SELECT 1 / (5 - n) FROM generate_series(1, 9) n", ["division by zero"]),
            ("SELECT no_such_function(1)", ["no_such_function", "42883"]),
            ("SELECT (SELECT generate_series(1, 2))", ["more than one row", "21000"]),
        ):
            with self.subTest(query=query):
                self.fail_with(query, *words)

    def test_what_is_no_query_is_told_with_the_remedy(self):
        for query in ("DELETE FROM res_partner", "SELECT 1; SELECT 2", "COMMIT"):
            with self.subTest(query=query):
                self.fail_with(query, "only reads")

    def test_an_empty_query_is_told(self):
        for query in (" ", ";", "-- nothing", "/* */", "\n"):
            with self.subTest(query=query):
                text = self.fail_with(query)
                self.assertNotIn("internal error", text)

    def test_wrong_arguments_are_named_with_what_to_send(self):
        for arguments, words in (
            ({}, ["'query'", "missing", "string"]),
            ({"query": 5}, ["'query'", "string", "5"]),
            ({"query": None}, ["'query'", "string", "null"]),
            ({"query": ""}, ["'query'", "at least 1"]),
            ({"query": ["SELECT 1"]}, ["'query'", "string"]),
            ({"query": "SELECT 1", "limit": "5"}, ["'limit'", "integer", '"5"']),
            ({"query": "SELECT 1", "limit": 1.5}, ["'limit'", "integer", "1.5"]),
            ({"query": "SELECT 1", "limit": True}, ["'limit'", "integer", "true"]),
            ({"query": "SELECT 1", "limit": 0}, ["'limit'", ">= 1", "0"]),
            ({"query": "SELECT 1", "limit": -1}, ["'limit'", ">= 1"]),
            ({"query": "SELECT 1", "limit": 10**9}, ["'limit'", "<= 10000"]),
            ({"query": "SELECT 1", "params": "x"}, ["'params'", "array", '"x"']),
            ({"query": "SELECT 1", "params": {"a": 1}}, ["'params'", "array"]),
            ({"query": "SELECT 1", "sql": "x"}, ["'sql'", "query, params, limit"]),
            ({"Query": "SELECT 1"}, ["'Query'", "'query'", "missing"]),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused("query_database", **arguments)
                for word in words:
                    self.assertIn(word, text)
                self.assertNotIn("pydantic", text)

    def test_a_deep_query_is_told_and_not_fatal(self):
        self.fail_with("SELECT " + "(" * 50_000 + "1" + ")" * 50_000)
        self.assertEqual(self.query("SELECT 1 AS one")["rows"], [{"one": 1}])

    def test_the_toolset_can_be_called_without_a_door(self):
        toolset = self.env["mcp.toolset.database"]
        result = toolset.query_database("SELECT %s AS a", [1], limit=1)
        self.assertEqual(result.rows, [{"a": 1}])
