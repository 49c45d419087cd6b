"""Every type of PostgreSQL as JSON, without losing any of it."""

import json

from odoo.tests import tagged

from .common import McpCase

# expression, the value in the answer
SCALARS = (
    ("NULL", None),
    ("true", True),
    ("false", False),
    ("1::smallint", 1),
    ("-2147483648", -2147483648),
    ("9223372036854775807::bigint", 9223372036854775807),
    ("1.5::real", 1.5),
    ("1.1::real", 1.1),
    ("0.1::double precision", 0.1),
    ("1e308::double precision", 1e308),
    ("'NaN'::double precision", "NaN"),
    ("'Infinity'::double precision", "Infinity"),
    ("'-Infinity'::real", "-Infinity"),
    ("12.50::numeric", 12.5),
    ("42::numeric", 42),
    ("'NaN'::numeric", "NaN"),
    ("'Infinity'::numeric", "Infinity"),
    ("0.1234567890123456789", "0.1234567890123456789"),
    ("12345678901234567890123.45", "12345678901234567890123.45"),
    ("9007199254740993::numeric", "9007199254740993"),
    ("repeat('9', 60)::numeric", "9" * 60),
    ("'$1,234.50'::money::numeric", 1234.5),
    ("DATE '2024-02-29'", "2024-02-29"),
    ("'infinity'::date", "infinity"),
    ("'-infinity'::date", "-infinity"),
    ("'0044-03-15 BC'::date", "0044-03-15 BC"),
    ("'10000-01-01'::date", "10000-01-01"),
    ("TIMESTAMP '2024-01-02 03:04:05.678901'", "2024-01-02 03:04:05.678901"),
    ("'infinity'::timestamp", "infinity"),
    ("'0044-03-15 12:00 BC'::timestamp", "0044-03-15 12:00:00 BC"),
    ("'-infinity'::timestamptz", "-infinity"),
    ("TIME '03:04:05'", "03:04:05"),
    ("TIME '24:00:00'", "24:00:00"),
    ("TIMETZ '03:04:05+02'", "03:04:05+02"),
    ("INTERVAL '1 year 2 months 3 days'", "1 year 2 mons 3 days"),
    ("INTERVAL '-1 day -00:00:01.5'", "-1 days -00:00:01.5"),
    ("'a''b'::text", "a'b"),
    ("'ab'::char(4)", "ab  "),
    ("'x'::\"char\"", "x"),
    ("'äöü🦀'", "äöü🦀"),
    ("'\\x00ff'::bytea", "\\x00ff"),
    ("''::bytea", "\\x"),
    (
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
    ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
    ("'2001:db8::1'::inet", "2001:db8::1"),
    ("'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03"),
    ("B'101'", "101"),
    ("'(1,2)'::point", "(1,2)"),
    ("'<a>1</a>'::xml", "<a>1</a>"),
    ("'a b'::tsvector", "'a' 'b'"),
    ("'mcp_tool'::regclass", "mcp_tool"),
    ("1::oid", 1),
    ("ROW(1, 'a b', NULL)", '(1,"a b",)'),
    ("'sad'::mcp_test_mood", "sad"),
    ("int4range(1, 5)", "[1,5)"),
    ("'empty'::int8range", "empty"),
    ("numrange(NULL, 1.5)", "(,1.5)"),
    ("daterange('-infinity', 'infinity')", "[-infinity,infinity)"),
    ("tsrange('2024-01-01', NULL)", '["2024-01-01 00:00:00",)'),
)
JSON_VALUES = (
    ("""'{"a": [1, null, {"b": "ä"}]}'::json""", {"a": [1, None, {"b": "ä"}]}),
    ("""'{"a": 1}'::jsonb""", {"a": 1}),
    ("'[1, 2.5]'::jsonb", [1, 2.5]),
    ("'null'::jsonb", None),
    ("'\"text\"'::json", "text"),
    ("'5'::json", 5),
    ("'true'::jsonb", True),
    ("'{}'::jsonb", {}),
    ("jsonb_build_object('n', 9007199254740993)", {"n": 9007199254740993}),
    ("ARRAY['{\"a\": 1}'::jsonb, NULL]", [{"a": 1}, None]),
)
ARRAYS = (
    ("ARRAY[1, NULL, 3]", [1, None, 3]),
    ("ARRAY[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
    ("'{}'::int[]", []),
    ("ARRAY['a,b', 'c\"d', NULL, 'NULL', '']", ["a,b", 'c"d', None, "NULL", ""]),
    ("ARRAY[true, false, NULL]", [True, False, None]),
    (
        "ARRAY[1.5, 'NaN', 0.1234567890123456789]::numeric[]",
        [1.5, "NaN", "0.1234567890123456789"],
    ),
    ("ARRAY['NaN', 'Infinity', 1]::float8[]", ["NaN", "Infinity", 1]),
    (
        "ARRAY['infinity', '0044-03-15 BC', NULL]::date[]",
        ["infinity", "0044-03-15 BC", None],
    ),
    (
        "ARRAY['-infinity', '2024-01-01']::timestamp[]",
        ["-infinity", "2024-01-01 00:00:00"],
    ),
    ("ARRAY['03:04']::time[]", ["03:04:00"]),
    ("ARRAY['1 mon']::interval[]", ["1 mon"]),
    ("ARRAY['\\x00']::bytea[]", ["\\x00"]),
    ("ARRAY['a', 'b']::varchar[]", ["a", "b"]),
    ("ARRAY[9223372036854775807]::bigint[]", [9223372036854775807]),
)
# What has no list of its own may come as PostgreSQL's text, which is valid input again.
OTHER_ARRAYS = (
    ("ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[]", "uuid[]"),
    ("ARRAY['10.0.0.1']::inet[]", "inet[]"),
    ("ARRAY[int4range(1, 5), NULL]", "int4range[]"),
    ("ARRAY['[0044-03-15 BC,infinity)']::daterange[]", "daterange[]"),
    ("ARRAY['sad', 'ok']::mcp_test_mood[]", "mcp_test_mood[]"),
)


@tagged("post_install", "-at_install")
class TestQueryValues(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("CREATE TYPE mcp_test_mood AS ENUM ('sad', 'ok')")

    def value(self, expression):
        result = self.ok("query_database", query=f"SELECT {expression} AS v")
        (row,) = result["rows"]
        return row["v"]

    def assert_values(self, table):
        for expression, expected in table:
            with self.subTest(expression=expression):
                found = self.value(expression)
                self.assertEqual(found, expected)
                self.assertIs(type(found), type(expected))

    def test_scalars(self):
        self.assert_values(SCALARS)

    def test_json(self):
        self.assert_values(JSON_VALUES)

    def test_arrays(self):
        self.assert_values(ARRAYS)

    def test_arrays_of_other_types_lose_nothing(self):
        for expression, kind in OTHER_ARRAYS:
            with self.subTest(expression=expression):
                found = self.value(expression)
                if isinstance(found, list):
                    found = [None if item is None else str(item) for item in found]
                same = self.ok(
                    "query_database",
                    query=f"SELECT %s::{kind} IS NOT DISTINCT FROM {expression} same",
                    params=[found],
                )
                self.assertEqual(same["rows"], [{"same": True}])

    def test_multiranges(self):
        if self.env.cr.connection.server_version < 140000:
            self.skipTest("multiranges came with PostgreSQL 14")
        self.assert_values(
            (
                ("int4multirange(int4range(1, 3), int4range(5, 7))", "{[1,3),[5,7)}"),
                ("'{}'::datemultirange", "{}"),
            )
        )

    def test_a_time_with_zone_says_its_zone(self):
        found = self.value("TIMESTAMPTZ '2024-01-02 03:04:05+02'")
        self.assertRegex(found, r"^2024-01-0\d \d\d:\d\d:05[+-]\d\d")
        same = self.value(f"'{found}'::timestamptz = '2024-01-02 03:04:05+02'")
        self.assertIs(same, True)

    def test_numbers_that_no_double_holds_survive_in_json(self):
        for literal in ("1e400", "-1e400"):
            with self.subTest(literal=literal):
                found = self.value(f"""'{{"a": [{literal}]}}'::json""")
                (number,) = found["a"]
                self.assertIn(number, {literal, literal.replace("e", "e+")})
        digits = "0.1234567890123456789"
        found = self.value(f"""'{{"a": {digits}}}'::jsonb""")
        self.assertIn(digits, json.dumps(found))

    def test_a_lone_surrogate_in_json_is_answered_as_json(self):
        outcome = self.call("query_database", query=r"""SELECT '"\ud800"'::json AS v""")
        if not outcome.is_error:
            json.loads(outcome.text)
        else:
            self.assertNotIn("internal error", outcome.text)

    def test_json_that_is_nested_too_deep_is_told_with_the_remedy(self):
        deep = "(repeat('[', 3000) || repeat(']', 3000))::jsonb"
        said = self.refused("query_database", query=f"SELECT {deep} AS v")
        self.assertIn("select a part", said)
        taken = self.ok("query_database", query=f"SELECT jsonb_typeof({deep}) AS v")
        self.assertEqual(taken["rows"], [{"v": "array"}])

    def test_every_type_of_this_database_can_be_read(self):
        """A NULL of each, and of its array: nothing fails for want of a caster."""
        self.env.cr.execute(
            "SELECT format_type(oid, NULL) FROM pg_type WHERE typtype IN "
            "('b', 'e', 'r', 'd', 'm') AND typisdefined "
            "AND typnamespace = 'pg_catalog'::regnamespace ORDER BY oid"
        )
        names = [name for (name,) in self.env.cr.fetchall()]
        self.assertGreater(len(names), 100)
        columns = ", ".join(f"NULL::{name} AS c{i}" for i, name in enumerate(names))
        result = self.ok("query_database", query=f"SELECT {columns}")
        self.assertEqual(len(result["columns"]), len(names))
        self.assertEqual(set(result["rows"][0].values()), {None})
