"""What the tests of prompts have in common."""

from odoo import Command

from .common import McpHttpCase


class PromptCase(McpHttpCase):
    """Makes prompts, and gets them over HTTP."""

    @classmethod
    def make_prompt(cls, name, template=None, *, code=None, arguments=(), **values):
        """A prompt for every MCP user; ``arguments`` are names, ``!``: required."""
        rows = [
            {"name": argument.rstrip("!"), "required": argument.endswith("!")}
            for argument in arguments
        ]
        return cls.env["mcp.prompt"].create(
            {
                "name": name,
                "title": name.title(),
                "description": f"The prompt {name} of a test.",
                "template": template,
                "toolset_id": cls.env.ref("odoo_dev_mcp.mcp_toolset_modules").id,
                "argument_ids": [Command.create(row) for row in rows],
                "server_action_id": code and cls.make_action(code).id,
                **values,
            }
        )

    @classmethod
    def make_action(cls, code):
        """A server action on ``res.partner``."""
        return cls.env["ir.actions.server"].create(
            {
                "name": "of a test",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "usage": "mcp_tool",
                "state": "code",
                "code": code,
            }
        )

    def bearer(self, secret=None):
        return {"Authorization": f"Bearer {secret or self.secret}"}

    def ask(self, name, arguments=None, *, secret=None, **options):
        """The HTTP response to prompts/get."""
        params = {"name": name}
        if arguments is not None:
            params["arguments"] = arguments
        return self.rpc("prompts/get", params, headers=self.bearer(secret), **options)

    def got(self, name, arguments=None, **options):
        """The result of prompts/get, once the official types have accepted it."""
        from mcp_types.methods import parse_server_result

        from .common import MODERN

        response = self.ask(name, arguments, **options)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertIn("result", response.json(), response.text)
        result = response.json()["result"]
        parse_server_result("prompts/get", options.get("revision", MODERN), result)
        return result

    def text(self, name, arguments=None, **options):
        """The text of a prompt that is one message of the user."""
        [message] = self.got(name, arguments, **options)["messages"]
        self.assertEqual(message["role"], "user")
        self.assertEqual(message["content"]["type"], "text")
        return message["content"]["text"]

    def complete(self, prompt, name, value="", *, secret=None, context=None, **options):
        """The HTTP response to completion/complete for an argument of a prompt."""
        params = {
            "ref": {"type": "ref/prompt", "name": prompt},
            "argument": {"name": name, "value": value},
        }
        if context is not None:
            params["context"] = {"arguments": context}
        headers = self.bearer(secret)
        return self.rpc("completion/complete", params, headers=headers, **options)

    def proposed(self, prompt, name, value="", **options):
        """The values that are proposed."""
        response = self.complete(prompt, name, value, **options)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["result"]["completion"]["values"]

    def listed(self, secret=None):
        """The names in prompts/list."""
        response = self.rpc("prompts/list", headers=self.bearer(secret))
        return [row["name"] for row in response.json()["result"]["prompts"]]
