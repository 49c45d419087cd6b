"""What is secret is told nowhere, not in errors either; the rest stays readable."""

import json

from odoo.tests import BaseCase, tagged

from ..models.redaction import MASK, hidden, is_secret, redact, redact_text
from . import secret_texts
from .common import McpCase

SECRET = "hunter2-Xy9"


@tagged("post_install", "-at_install")
class TestRedactionOfText(BaseCase):
    def test_what_is_surely_secret_is_hidden_wherever_it_stands(self):
        for name, secret in secret_texts.SURE.items():
            for around in ("{}", "a {} b", "x={}\ny", '{{"a": "{}"}}', "é {} \u202e"):
                with self.subTest(name, around=around):
                    shown = hidden(around.format(secret))
                    self.assertIn(MASK, shown)
                    self.assertNotIn(
                        secret.rpartition("\n-----END")[0] or secret, shown
                    )

    def test_a_private_key_is_hidden_between_its_marks(self):
        shown = hidden("a " + secret_texts.SURE["a private key"] + " b")
        self.assertNotIn("MIIEow", shown)
        self.assertTrue(shown.startswith("a -----BEGIN RSA"))
        self.assertTrue(shown.endswith("PRIVATE KEY----- b"))

    def test_what_has_the_name_of_a_secret_is_hidden_and_nothing_beside_it(self):
        for text, beside in secret_texts.SURE_WITH_NAME:
            with self.subTest(text):
                shown = hidden(text.format(SECRET))
                self.assertNotIn(SECRET, shown)
                self.assertIn(MASK, shown)
                self.assertIn(beside, shown)

    def test_what_is_told_of_a_call_hides_what_looks_like_a_secret(self):
        for text in secret_texts.LOOKS_SO:
            with self.subTest(text):
                shown = redact_text(text.format(SECRET))
                self.assertNotIn(SECRET, shown)
                self.assertIn(MASK, shown)

    def test_what_is_no_secret_stays_readable_in_results(self):
        for text in secret_texts.READABLE:
            with self.subTest(text):
                self.assertEqual(hidden(text), text)

    def test_what_is_no_secret_stays_readable_in_the_audit(self):
        for text in secret_texts.READABLE_WHEN_TOLD:
            with self.subTest(text):
                self.assertEqual(redact_text(text), text)

    def test_names_tell_what_is_secret(self):
        for name in secret_texts.SECRET_NAMES:
            with self.subTest(name):
                self.assertTrue(is_secret(name))
        for name in secret_texts.OPEN_NAMES:
            with self.subTest(name):
                self.assertFalse(is_secret(name))

    def test_arguments_hide_what_their_names_and_statements_say(self):
        for arguments in (
            {"env_vars": {"PGPASSWORD": SECRET}},
            {"values": [{"login": "demo", "new_password": SECRET}]},
            {"token": {"value": SECRET}},
            {"password": [SECRET]},
            {"statement": "UPDATE a SET password = %s", "params": [SECRET, 1]},
            {"query": "SELECT 1 WHERE secret = %s", "params": [[SECRET]]},
            {"command": f"mysql -u root -p{SECRET}"},
            {"code": f"env['ir.mail_server'].create({{'smtp_pass': '{SECRET}'}})"},
        ):
            with self.subTest(arguments):
                told = redact(arguments)
                self.assertNotIn(SECRET, told)
                self.assertEqual(set(json.loads(told)), set(arguments))

    def test_arguments_that_are_no_secrets_are_told(self):
        arguments = {"query": "SELECT 1 WHERE login = %s", "params": ["demo"]}
        arguments |= {"max_tokens": 100, "password": None}
        self.assertEqual(json.loads(redact(arguments)), arguments)


# query, the values of its one row; MASK for what must not be told
QUERIES = (
    ("SELECT password FROM res_users WHERE id = {uid}", [MASK]),
    ("SELECT password AS p, login FROM res_users WHERE id = {uid}", [MASK, "{login}"]),
    ("SELECT u.* FROM (SELECT login, password FROM res_users WHERE id = {uid}) "
     "u(password_count, b)", ["{login}", MASK]),
    ("WITH x(a) AS (SELECT password FROM res_users WHERE id = {uid}) SELECT a FROM x",
     [MASK]),
    ("SELECT x.y FROM (SELECT password y FROM res_users WHERE id = {uid} OFFSET 0) x",
     [MASK]),
    ("SELECT md5(password) FROM res_users WHERE id = {uid}", [MASK]),
    ("SELECT substr(password, 1, 3) AS a FROM res_users WHERE id = {uid}", [MASK]),
    ("SELECT password || '' AS a FROM res_users WHERE id = {uid}", [MASK]),
    ("SELECT 'x' AS a WHERE false UNION SELECT \"password\" FROM res_users "
     "WHERE id = {uid}", [MASK]),
    ("SELECT (SELECT password FROM res_users WHERE id = {uid}) AS a", [MASK]),
    ("SELECT row_to_json(u) AS a FROM res_users u WHERE id = {uid}", [MASK]),
    ("SELECT u FROM res_users u WHERE id = {uid}", [MASK]),
    ("SELECT u::text AS a FROM res_users AS u WHERE id = {uid}", [MASK]),
    ("SELECT array_agg(u) AS a FROM res_users u WHERE id = {uid}", [MASK]),
    ("SELECT string_agg(res_users::text, ',') AS a FROM res_users WHERE id = {uid}",
     [MASK]),
    ("SELECT a FROM mcp_test_view WHERE login = '{login}'", [MASK]),
    ("SELECT login, b FROM mcp_test_outer_view WHERE login = '{login}'",
     ["{login}", MASK]),
    ("SELECT s.v FROM mcp_test_secrets s", [MASK]),
    ("SELECT s.v AS webhook, note FROM mcp_test_plain s", ["readable", "a note"]),
    ("SELECT data AS d FROM mcp_test_secrets",
     [{"login": "demo", "nested": [{"api_key": MASK}]}]),
    ("SELECT value FROM ir_config_parameter WHERE key = 'database.secret'", [MASK]),
    ("SELECT key, value FROM ir_config_parameter WHERE key = 'database.secret'",
     ["database.secret", MASK]),
    ("SELECT 'a ' || value AS a FROM ir_config_parameter WHERE key = 'database.secret'",
     [f"a {MASK}"]),
    ("SELECT value FROM ir_config_parameter WHERE key = 'mcp.test.name'", ["readable"]),
    ("SELECT key_hash AS a FROM mcp_api_key WHERE user_id = {uid} LIMIT 1", [MASK]),
    # what is no secret stays readable
    ("SELECT password IS NOT NULL AS a FROM res_users WHERE id = {uid}", [True]),
    ("SELECT length(password) > 20 AS a, count(*) FROM res_users WHERE id = {uid} "
     "GROUP BY 1", [True, 1]),
    ("SELECT totp_secret AS a FROM mcp_test_secrets", [None]),
    ("SELECT token_count, password_policy FROM mcp_test_plain", [7, "strict"]),
    ("SELECT upper(u.login) AS a FROM res_users u WHERE u.id = {uid}", ["{LOGIN}"]),
    ("SELECT 'password' AS a", ["password"]),
    ("SHOW password_encryption", ["scram-sha-256"]),
)  # fmt: skip


@tagged("post_install", "-at_install")
class TestRedactionOfResults(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_tables(cls.env.cr)
        cls.env["ir.config_parameter"].set_param("mcp.test.name", "readable")

    @staticmethod
    def set_up_tables(cr):
        cr.execute(
            """
            CREATE VIEW mcp_test_view AS SELECT login, password AS a FROM res_users;
            CREATE VIEW mcp_test_outer_view AS SELECT login, a || '' AS b
                FROM mcp_test_view;
            CREATE TABLE mcp_test_hidden (client_secret text, login text,
                totp_secret text, data jsonb, password integer);
            CREATE VIEW mcp_test_secrets AS SELECT client_secret AS v, login,
                totp_secret, data FROM mcp_test_hidden;
            INSERT INTO mcp_test_hidden VALUES ('hunter2-Xy9', 'demo', NULL,
                '{"login": "demo", "nested": [{"api_key": "hunter2-Xy9"}]}', 4711);
            CREATE TABLE mcp_test_plain (v text, note text, token_count integer,
                password_policy text, owner_id integer UNIQUE, api_key text UNIQUE);
            INSERT INTO mcp_test_plain
                VALUES ('readable', 'a note', 7, 'strict', 1, 'hunter2-Xy9');
            """
        )

    def rows(self, query, tool="query_database", **arguments):
        named = "statement" if tool == "execute_sql" else "query"
        return self.ok(tool, **{named: query}, **arguments)["rows"]

    def test_secret_values_of_a_query_are_masked_and_others_are_not(self):
        login = self.developer.login
        names = {"uid": self.developer.id, "login": login, "LOGIN": login.upper()}
        for tool in ("query_database", "execute_sql"):
            for query, wanted in QUERIES:
                with self.subTest(query, tool=tool):
                    [row] = self.rows(query.format(**names), tool)
                    wanted = [
                        value.format(**names)
                        if isinstance(value, str) and value != MASK
                        else value
                        for value in wanted
                    ]
                    self.assertEqual([*row.values()], wanted)

    def test_rows_that_are_written_are_masked_too(self):
        [row] = self.rows(
            "UPDATE mcp_test_hidden SET client_secret = 'hunter2-Xy9' "
            "RETURNING client_secret AS a, login",
            "execute_sql",
        )
        self.assertEqual(row, {"a": MASK, "login": "demo"})

    def test_a_secret_is_hidden_in_a_column_of_any_name(self):
        secret = secret_texts.SURE["GitHub"]
        outcome = self.call("query_database", query="SELECT %s AS a", params=[secret])
        self.assertEqual(outcome.structured["rows"], [{"a": MASK}])
        self.assertNotIn(secret, outcome.text)
        self.assertEqual(json.loads(outcome.text), outcome.structured)

    def test_an_error_does_not_quote_what_is_secret(self):
        for statement in (
            "SELECT client_secret::integer FROM mcp_test_hidden",
            "SELECT v::integer AS a FROM mcp_test_secrets, mcp_test_hidden "
            "WHERE client_secret IS NOT NULL",
            "INSERT INTO mcp_test_plain (api_key) VALUES ('hunter2-Xy9')",
            "SELECT value::integer FROM ir_config_parameter "
            "WHERE key = 'database.secret'",
        ):
            with self.subTest(statement):
                self.make_secret()
                text = self.refused("execute_sql", statement=statement)
                self.assertNotIn(SECRET, text)
                self.assertIn(MASK, text)
                self.assertNotIn(SECRET, self.entries()[0].message)

    def make_secret(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("database.secret", SECRET)

    def test_an_error_quotes_what_is_no_secret(self):
        text = self.refused(
            "query_database", query="SELECT note::int FROM mcp_test_plain"
        )
        self.assertIn("a note", text)
        text = self.refused(
            "execute_sql", statement="INSERT INTO mcp_test_plain (owner_id) VALUES (1)"
        )
        self.assertIn("(owner_id)=(1)", text)

    def test_a_plan_is_readable(self):
        rows = self.rows("EXPLAIN SELECT password FROM res_users")
        self.assertIn("res_users", str(rows))

    def test_masking_a_result_costs_no_statement_where_nothing_can_be_secret(self):
        for query in ("SELECT 1", "SELECT 1 AS a, now(), true", "SELECT 'x' AS a"):
            self.rows(query)
            with self.assertQueryCount(3):
                self.rows(query)

    def test_the_tables_of_a_query_are_looked_up_once(self):
        query = "SELECT login FROM res_users"
        self.rows(query)
        with self.assertQueryCount(3):
            self.rows(query)

    def test_what_a_record_tool_answers_is_hidden_by_shape(self):
        secret = secret_texts.SURE["Stripe"]
        for code in (
            f"action = {{'a': [{{'b': 'x {secret}'}}]}}",
            f"action = 'x {secret}'",
            f"action = mcp.text('x {secret}')",
            f"action = mcp.resource('odoo://a', text='x {secret}')",
            f"mcp.error('x {secret}')",
        ):
            with self.subTest(code):
                name = f"secret_{self.env['mcp.tool'].search_count([])}"
                self.make_tool(name, code)
                outcome = self.call(name)
                told = outcome.text + str(outcome.structured) + str(outcome.content)
                self.assertIn(f"x {MASK}", told)
                self.assertNotIn(secret, told)
