"""Files and jobs as resources, and results that tell where they are to be read."""

import base64
import tempfile
from pathlib import Path
from urllib.parse import quote

from odoo.tests import tagged

from .common import USER, McpHttpCase, unmarked_text


@tagged("post_install", "-at_install")
class TestResourceLinks(McpHttpCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def ask(self, uri, secret=None):
        headers = {"Authorization": f"Bearer {secret or self.secret}"}
        return self.rpc("resources/read", {"uri": uri}, headers=headers)

    def content(self, uri):
        response = self.ask(uri)
        self.assertEqual(response.status_code, 200, response.text)
        (content,) = response.json()["result"]["contents"]
        return content

    def link(self, name, **arguments):
        """The link that a tool's result ends with, or None."""
        result = self.call(name, **arguments).json()["result"]
        self.assertNotIn("isError", result, result)
        block = result["content"][-1]
        return block if block["type"] == "resource_link" else None

    def uri(self, name):
        return f"odoo://files/{quote(str(self.folder / name), safe='')}"

    def test_a_written_file_is_linked_and_read_by_its_link(self):
        path = self.folder / "a file, with ä.txt"
        link = self.link("write_file", path=str(path), content="hällo\n")
        self.assertEqual(link["uri"], self.uri(path.name))
        self.assertEqual((link["name"], link["size"]), (path.name, 7))
        self.assertEqual(link["mimeType"], "text/plain")
        content = self.content(link["uri"])
        self.assertEqual(unmarked_text(content["text"]), "hällo\n")
        self.assertEqual(content["mimeType"], "text/plain")

    def test_a_part_of_a_file_is_told_with_the_link_of_the_whole(self):
        (self.folder / "lines.csv").write_text("1\n2\n3\n")
        path = str(self.folder / "lines.csv")
        self.assertIsNone(self.link("read_file", path=path))
        link = self.link("read_file", path=path, limit=2)
        self.assertEqual(link["uri"], self.uri("lines.csv"))
        self.assertEqual(self.content(link["uri"])["text"], "1\n2\n3\n")

    def test_a_file_that_is_no_text_is_a_blob(self):
        (self.folder / "a.png").write_bytes(b"\x89PNG\xff")
        content = self.content(self.uri("a.png"))
        self.assertEqual(content["mimeType"], "image/png")
        self.assertEqual(base64.b64decode(content["blob"]), b"\x89PNG\xff")

    def test_the_rules_of_files_hold_for_the_resource(self):
        self.set_parameter("path_roots", self.folder)
        self.set_parameter("read_megabytes", 1)
        (self.folder / "large").write_bytes(b"x" * (1024 * 1024 + 1))
        for uri, told in (
            (self.uri("large"), "read_file"),
            (self.uri("missing"), "missing"),
            ("odoo://files/%2Fetc%2Fhostname", "outside"),
            (f"odoo://files/{quote(str(self.folder), safe='')}%2F..%2Fx", ".."),
            ("odoo://files/%2Fproc%2Fself%2Fenviron", "proc"),
            ("odoo://files/relative", "relative"),
            ("odoo://files/%2Fa%00b", "NUL"),
        ):
            with self.subTest(uri):
                body = self.ask(uri).json()
                self.assertIn(told, body["error"]["message"])

    def test_files_and_jobs_are_for_developers(self):
        (self.folder / "a").write_text("a")
        guest = self.make_key(self.make_user("mcp_guest", USER))
        for uri in (self.uri("a"), "odoo://jobs/1"):
            self.assert_error(self.ask(uri, guest), 400, -32602, "Unknown resource")

    def test_a_job_that_is_not_ones_own_is_unknown(self):
        for job_id in ("999999", "0", "-1", "1;2", "x"):
            body = self.ask(f"odoo://jobs/{job_id}").json()
            self.assertIn("error", body)

    def test_what_a_resource_is_for_is_told(self):
        self.env.ref("odoo_dev_mcp.mcp_resource_system").write(
            {"audience": "assistant", "priority": 0.5, "size": 2000}
        )
        rows = self.rpc("resources/list").json()["result"]["resources"]
        [row] = [row for row in rows if row["uri"] == "odoo://system"]
        wanted = {"audience": ["assistant"], "priority": 0.5}
        self.assertEqual((row["annotations"], row["size"]), (wanted, 2000))
        [row] = [row for row in rows if row["uri"] == "odoo://modules"]
        self.assertNotIn("annotations", row)
        self.assertNotIn("size", row)
